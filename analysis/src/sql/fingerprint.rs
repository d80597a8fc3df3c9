//! A hash of a query that ignores line breaks.

/// A hash of the text with white space normalised. Other differences change the hash, barring a collision;
/// the same text has the same hash in every build.
pub fn fingerprint(sql: &str) -> u64 {
    // FNV-1a: short, and stable, unlike the standard library's hashes.
    const START: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let with = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
    if !sql.is_ascii() {
        return sql.split_whitespace().fold(START, |hash, word| with(word.bytes().fold(hash, with), b' '));
    }
    // The same byte by byte: builds hash every query, and are not optimised.
    let (mut hash, mut in_word) = (START, false);
    for byte in sql.as_bytes() {
        let is_space = matches!(byte, b'\t'..=b'\r' | b' ');
        if !is_space {
            hash = with(hash, *byte);
        } else if in_word {
            hash = with(hash, b' ');
        }
        in_word = !is_space;
    }
    if in_word { with(hash, b' ') } else { hash }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_not_told_apart_and_words_are() {
        let one_line = fingerprint("SELECT id FROM events");
        assert_eq!(one_line, fingerprint("\n  SELECT id\n\tFROM   events "));
        assert_ne!(one_line, fingerprint("SELECT i dFROM events"));
        assert_ne!(one_line, fingerprint("SELECT id FROM logs"));
        assert_ne!(one_line, fingerprint(""));
    }

    #[test]
    fn spaces_beyond_ascii_are_spaces() {
        for space in ['\t', '\n', '\x0b', '\x0c', '\r', '\u{85}', '\u{a0}', '\u{2003}'] {
            let with = |space: char| fingerprint(&format!("{space}SELECT{space}{space}id FROM é{space}"));
            assert_eq!(with(space), with(' '), "{space:?}");
            let with = |space: char| fingerprint(&format!("{space}SELECT{space}{space}id FROM e{space}"));
            assert_eq!(with(space), with(' '), "{space:?}");
        }
        assert_eq!(fingerprint("SELECT 1"), 0x72d1_2ae7_c77f_b0d6);
    }
}
