//! Cursors as text: the keys of a row, with a version and a checksum that covers the query. A cursor is
//! neither secret nor signed: whoever forges one chooses where to start reading, and nothing else, since its
//! values are bound and never written into SQL.

use super::Key;

/// The current version.
const VERSION: u8 = 1;
/// The maximum length of a cursor; a longer text was not written here.
const MAX_CURSOR_LENGTH: usize = 8 * 1024;
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// The length of the checksum, in bytes.
const CHECK: usize = 8;

/// The text of these keys.
pub(super) fn written(keys: &[Key], fingerprint: u64) -> String {
    let mut bytes = vec![VERSION];
    for key in keys {
        let (tag, value) = match key {
            Key::Int(value) => (b'i', value.to_le_bytes().to_vec()),
            Key::Unsigned(value) => (b'u', value.to_le_bytes().to_vec()),
            Key::Float(value) => (b'f', value.to_bits().to_le_bytes().to_vec()),
            Key::Text(value) => (b't', value.clone().into_bytes()),
            Key::Bytes(value) => (b'b', value.clone()),
        };
        bytes.push(tag);
        bytes.extend(u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(value);
    }
    let check = check(&bytes, fingerprint);
    bytes.extend(check.to_le_bytes());
    base64(&bytes)
}

/// The keys in a text; `None` if it is damaged, of another version or of another query.
pub(super) fn read(text: &str, fingerprint: u64) -> Option<Vec<Key>> {
    if text.len() > MAX_CURSOR_LENGTH {
        return None;
    }
    let bytes = from_base64(text)?;
    let (value, written) = bytes.split_at_checked(bytes.len().checked_sub(CHECK)?)?;
    if check(value, fingerprint).to_le_bytes() != written {
        return None;
    }
    let (version, mut rest) = value.split_first()?;
    if *version != VERSION {
        return None;
    }
    let mut keys = Vec::new();
    while let Some((tag, after)) = rest.split_first() {
        let (length, after) = after.split_first_chunk()?;
        let (value, after) = after.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        let number = || Some(u64::from_le_bytes(value.try_into().ok()?));
        keys.push(match tag {
            b'i' => Key::Int(number()?.cast_signed()),
            b'u' => Key::Unsigned(number()?),
            b'f' => Key::Float(f64::from_bits(number()?)),
            b't' => Key::Text(String::from_utf8(value.to_vec()).ok()?),
            b'b' => Key::Bytes(value.to_vec()),
            _ => return None,
        });
        rest = after;
    }
    Some(keys)
}

/// FNV-1a over the query and the bytes.
fn check(bytes: &[u8], fingerprint: u64) -> u64 {
    let all = fingerprint.to_le_bytes().into_iter().chain(bytes.iter().copied());
    all.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Base 64 with digits that need no escaping in a URL.
fn base64(bytes: &[u8]) -> String {
    let digit = |sextet: u32| char::from(DIGITS[(sextet & 63) as usize]);
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |nth: usize| u32::from(three.get(nth).copied().unwrap_or(0));
        let all = at(0) << 16 | at(1) << 8 | at(2);
        (0..=three.len()).for_each(|nth| text.push(digit(all >> (18 - 6 * nth))));
    }
    text
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    for four in text.as_bytes().chunks(4) {
        let mut all = 0;
        for nth in 0..4 {
            let sextet = match four.get(nth) {
                Some(digit) => DIGITS.iter().position(|known| known == digit)?,
                None => 0,
            };
            all = all << 6 | u32::try_from(sextet).ok()?;
        }
        let [_, decoded @ ..] = all.to_be_bytes();
        bytes.extend(decoded.iter().take(four.len().checked_sub(1).filter(|count| *count > 0)?));
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Key, base64, from_base64, read, written};

    fn keys() -> Vec<Key> {
        vec![
            Key::Int(-7),
            Key::Unsigned(u64::MAX),
            Key::Float(-0.5),
            Key::Text("Ünïcödé 🦀 '; --".to_owned()),
            Key::Bytes(vec![0, 255]),
            Key::Text(String::new()),
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        let text = written(&keys(), 42);
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{text}");
        assert_eq!(read(&text, 42), Some(keys()));
        assert_eq!(read(&written(&[], 42), 42), Some(Vec::new()));
        for length in 0..9 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte * 31).collect();
            assert_eq!(from_base64(&base64(&bytes)), Some(bytes));
        }
    }

    #[test]
    fn what_is_damaged_or_of_another_query_is_not_read() {
        let text = written(&keys(), 42);
        assert_eq!(read(&text, 43), None);
        for at in 0..text.len() {
            assert_eq!(read(&text[..at], 42), None, "cut off at {at}");
            for digit in ["A", "z", "_", " ", "'"] {
                let damaged = format!("{}{digit}{}", &text[..at], &text[at + 1..]);
                assert!(damaged == text || read(&damaged, 42).is_none_or(|read| read == keys()), "{damaged}");
            }
        }
        for hostile in ["", "A", "....", "' OR 1=1 --", "ä", "AQ", &"A".repeat(10_000)] {
            assert_eq!(read(hostile, 42), None, "{hostile}");
        }
    }
}
