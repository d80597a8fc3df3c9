//! Addresses, identifiers and bytes as text.

use std::net::Ipv6Addr;

/// Whether a text is a UUID: 32 digits, with a hyphen after each four or not, in braces or not.
pub(super) fn is_uuid(text: &str) -> bool {
    let inside = match text.strip_prefix('{') {
        Some(rest) => rest.strip_suffix('}'),
        None => Some(text),
    };
    let Some(mut rest) = inside else { return false };
    for group in 0..8 {
        let digits = rest.get(..4).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if digits.is_none() {
            return false;
        }
        rest = rest.get(4..).unwrap_or_default();
        if group < 7 {
            rest = rest.strip_prefix('-').unwrap_or(rest);
        }
    }
    rest.is_empty()
}

/// Whether a text cannot be the address of a host or network of the type `inet`.
pub(super) fn is_no_address(text: &str) -> bool {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let colons = address.matches(':').count();
    let is_within = |most: u32| {
        bits.is_none_or(|bits| {
            bits.bytes().all(|byte| byte.is_ascii_digit())
                && bits.parse::<u32>().is_ok_and(|bits| bits <= most)
        })
    };
    if colons > 1 {
        // What ends in an address of version 4 is left alone.
        let is_plain = !address.contains('.');
        return is_plain && address.parse::<Ipv6Addr>().is_err() || !is_within(128);
    }
    let mut parts = address.split('.');
    let is_byte = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse::<u32>().is_ok_and(|part| part < 256)
    };
    let count = address.split('.').count();
    // The end of a network may be left out, `10/8`.
    let is_short = count < 4 && bits.is_none();
    is_short || count > 4 || !parts.all(is_byte) || !is_within(32)
}

/// Whether a text cannot be the address of a device.
pub(super) fn is_no_device(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '-' | '.' | ' ');
    !text.chars().all(is_part) || matches!(text.split(':').count(), 3..=5)
}

/// Whether a text cannot be bytes: after `\x` are pairs of digits, with spaces between them.
pub(super) fn is_no_bytes(text: &str) -> bool {
    let Some(digits) = text.strip_prefix(r"\x") else { return false };
    let is_pair =
        |pair: &str| pair.len().is_multiple_of(2) && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    !digits.split_ascii_whitespace().all(is_pair)
}

/// Whether a text cannot be bits.
pub(super) fn is_no_bits(text: &str) -> bool {
    !text.starts_with(['x', 'X', 'b', 'B']) && !text.chars().all(|c| matches!(c, '0' | '1'))
}

/// Whether JSON has a character that `jsonb` does not store.
pub(super) fn has_zero(text: &str) -> bool {
    text.match_indices("\\u0000").any(|(at, _)| {
        let before = text.get(..at).unwrap_or_default();
        (before.len() - before.trim_end_matches('\\').len()).is_multiple_of(2)
    })
}
