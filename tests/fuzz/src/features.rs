//! The effects of an input, as numbers: an input with a new effect is worth keeping.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The effects of one input.
#[derive(Debug, Default)]
pub struct Features(Vec<u64>);

impl Features {
    /// Records a message by its own words: what stands before the first quoted text and after the last. The rest
    /// repeats the input, with any quotes of its own, and differs from input to input without a new effect.
    pub fn said(&mut self, kind: impl Hash, text: &str) {
        let quote = ['`', '"', '\''];
        let (before, after) = match (text.find(quote), text.rfind(quote)) {
            (Some(first), Some(last)) => (text.get(..first), text.get(last..)),
            _ => (Some(text), None),
        };
        let mut hasher = DefaultHasher::new();
        kind.hash(&mut hasher);
        for part in [before, after] {
            let own = part.unwrap_or_default().chars().take(80).filter(|c| !c.is_ascii_digit());
            own.for_each(|c| c.hash(&mut hasher));
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
