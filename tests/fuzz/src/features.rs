//! The effects of an input, as numbers: an input with a new effect is worth keeping.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The effects of one input.
#[derive(Debug, Default)]
pub struct Features(Vec<u64>);

impl Features {
    /// Records a message. Names in backticks, quotes and numbers are ignored: they differ from input to input
    /// and are no new effect.
    pub fn said(&mut self, kind: impl Hash, text: &str) {
        let mut hasher = DefaultHasher::new();
        kind.hash(&mut hasher);
        let mut quoted = false;
        // The rest of a message mostly repeats the input.
        for c in text.chars().take(80) {
            match c {
                '`' | '"' => quoted = !quoted,
                _ if quoted || c.is_ascii_digit() => {}
                _ => c.hash(&mut hasher),
            }
        }
        self.0.push(hasher.finish());
    }

    /// Records a count, by order of magnitude.
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
