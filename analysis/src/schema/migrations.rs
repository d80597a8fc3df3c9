//! One migration as data.

/// One migration that is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// The number in its file's name; its place where there is none.
    pub version: i64,
    /// What the file's name says of it, with spaces for underscores.
    pub description: String,
    /// The file's name, as it was given.
    pub file: String,
    /// The file's text, without the part that leads back.
    pub sql: String,
    /// Whether it begins with `-- no-transaction`.
    pub no_transaction: bool,
}
