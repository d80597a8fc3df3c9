//! [`Key`]: what one cached read is known by.

use std::fmt::{self, Debug, Write};

use sha2::{Digest, Sha256};

/// A hash that nobody finds a second text for: of the statement, its schema, its values and what its rows become.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key(pub(crate) [u8; 32]);

/// Hashes parts one after the other, each with its length, so that no two lists of parts are the same text.
pub(crate) struct Parts(Sha256);

impl Parts {
    pub(crate) fn new() -> Self {
        Self(Sha256::new())
    }

    pub(crate) fn text(mut self, part: &str) -> Self {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part.as_bytes());
        self
    }

    pub(crate) fn bytes(mut self, part: &[u8; 32]) -> Self {
        self.0.update(part);
        self
    }

    pub(crate) fn number(mut self, part: u64) -> Self {
        self.0.update(part.to_le_bytes());
        self
    }

    /// What is shown of a value, which is last: its length is not known before.
    pub(crate) fn shown(mut self, part: &dyn Debug) -> Self {
        struct Into<'h>(&'h mut Sha256);
        impl Write for Into<'_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.update(text.as_bytes());
                Ok(())
            }
        }
        // Hashing does not fail.
        let _ = write!(Into(&mut self.0), "{part:?}");
        self
    }

    pub(crate) fn key(self) -> Key {
        Key(self.0.finalize().into())
    }
}
