//! Hashes that are cheap in unoptimised builds, where the standard library's hasher takes as long as all other counting.

#[cfg(any(feature = "tracing", feature = "stats"))]
use std::hash::{BuildHasher, Hasher};

/// The hash of these bytes after others. It need not resist an attacker.
///
/// Eight bytes at a time, with patterns: in an unoptimised build, slicing takes longer than hashing.
pub(crate) fn hashed(bytes: &[u8], so_far: u64) -> u64 {
    let (mut hash, mut rest) = (so_far, bytes);
    while let [a, b, c, d, e, f, g, h, behind @ ..] = rest {
        hash = mixed(hash, u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]));
        rest = behind;
    }
    // The leading one distinguishes a text that ends here from one that continues with zeros.
    let mut last = 1;
    while let [byte, behind @ ..] = rest {
        last = last << 8 | *byte as u64;
        rest = behind;
    }
    mixed(hash, last)
}

#[inline(always)]
pub(crate) fn mixed(hash: u64, word: u64) -> u64 {
    let product = (hash ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    product ^ (product >> 29)
}

/// For maps whose keys are texts of queries, limited in number or in lifetime.
#[cfg(any(feature = "tracing", feature = "stats"))]
#[derive(Clone, Copy, Default)]
pub(crate) struct Texts;

#[cfg(any(feature = "tracing", feature = "stats"))]
impl BuildHasher for Texts {
    type Hasher = Hash;

    fn build_hasher(&self) -> Hash {
        Hash(0)
    }
}

#[cfg(any(feature = "tracing", feature = "stats"))]
pub(crate) struct Hash(u64);

#[cfg(any(feature = "tracing", feature = "stats"))]
impl Hasher for Hash {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = hashed(bytes, self.0);
    }

    /// The terminator that `str` writes.
    fn write_u8(&mut self, end: u8) {
        self.0 = mixed(self.0, u64::from(end));
    }

    fn finish(&self) -> u64 {
        // Maps use the upper bits and the lower ones.
        self.0 ^ (self.0 >> 32)
    }
}
