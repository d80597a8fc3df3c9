//! [`Key`]: the identity of a cached read.

use std::fmt::{self, Debug, Write};

use sha2::{Digest, Sha256};

/// A cryptographic hash of the statement, its schema, its values and the row type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Key(pub(crate) [u8; 32]);

/// Hashes a sequence of parts, each with its length, so that different sequences never have the same input.
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

    /// Adds the `Debug` form of a value, which has to be the last part, since its length is not known in
    /// advance.
    pub(crate) fn shown(mut self, part: &dyn Debug) -> Self {
        struct Into<'h>(&'h mut Sha256);
        impl Write for Into<'_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.update(text.as_bytes());
                Ok(())
            }
        }
        // Hashing cannot fail.
        let _ = write!(Into(&mut self.0), "{part:?}");
        self
    }

    pub(crate) fn key(self) -> Key {
        Key(self.0.finalize().into())
    }
}
