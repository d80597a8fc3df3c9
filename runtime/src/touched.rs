//! The tables that a query touches, as its macro tells them. The macros of a workspace have the features of all its crates, so that
//! one tells them also where this crate keeps no cache.

/// The tables that a query reads and writes, as its macro found them in the schema snapshot.
#[doc(hidden)]
#[derive(Debug)]
pub struct Tables {
    /// The tables that it reads.
    pub reads: &'static [&'static str],
    /// The tables that it writes.
    pub writes: &'static [&'static str],
    /// Whether it may read others as well.
    pub reads_unknown: bool,
    /// Whether it may write others as well.
    pub writes_unknown: bool,
    /// A hash of the schema.
    pub schema: u64,
}
