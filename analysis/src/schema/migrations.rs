//! One migration as data.

/// One migration to apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The number in its file name; its position if there is none.
    pub version: i64,
    /// The description in the file name, with underscores replaced by spaces.
    pub description: String,
    /// The file name, as given.
    pub file: String,
    /// The text of the file, without the down part.
    pub sql: String,
    /// Whether it starts with `-- no-transaction`.
    pub no_transaction: bool,
}
