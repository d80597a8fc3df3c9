//! A hash of a query that ignores line breaks.

/// A hash of the text with white space normalised. Other differences change the hash, barring a collision;
/// the same text has the same hash in every build.
pub fn fingerprint(sql: &str) -> u64 {
    // FNV-1a: short, and stable, unlike the standard library's hashes.
    const START: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let with = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(PRIME);
    let mut hash = START;
    for word in sql.split_whitespace() {
        for byte in word.as_bytes() {
            hash = with(hash, *byte);
        }
        hash = with(hash, b' ');
    }
    hash
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
}
