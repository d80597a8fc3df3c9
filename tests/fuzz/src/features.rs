//! What came of an input, as numbers: an input that brings a new one is worth keeping.

use std::hash::{DefaultHasher, Hash, Hasher};

/// What came of one input.
#[derive(Debug, Default)]
pub struct Features(Vec<u64>);

impl Features {
    /// Notes that something was said. Names in backticks, quotes and numbers are left out: they differ from input to
    /// input and say nothing new.
    pub fn said(&mut self, kind: impl Hash, text: &str) {
        let mut hasher = DefaultHasher::new();
        kind.hash(&mut hasher);
        let mut quoted = false;
        // What comes later is mostly a list of what was written.
        for c in text.chars().take(80) {
            match c {
                '`' | '"' => quoted = !quoted,
                _ if quoted || c.is_ascii_digit() => {}
                _ => c.hash(&mut hasher),
            }
        }
        self.0.push(hasher.finish());
    }

    /// Notes that so much of something was there, by its order of magnitude.
    pub fn counted(&mut self, kind: impl Hash, count: usize) {
        let mut hasher = DefaultHasher::new();
        (kind, count.checked_ilog2()).hash(&mut hasher);
        self.0.push(hasher.finish());
    }

    /// The numbers.
    pub fn into_numbers(self) -> Vec<u64> {
        self.0
    }
}
