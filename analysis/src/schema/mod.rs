//! The schema of a database: tables, keys, indexes, views and types, replayed from migrations or read from a
//! snapshot.

mod added;
mod beside;
pub mod coded;
pub(crate) mod columns;
pub(crate) mod conversions;
pub mod ddl;
pub mod guess;
pub mod layouts;
pub mod migrations;
pub mod model;
mod next;
mod numbering;
pub(crate) mod prepared;
pub mod replay;
pub mod snapshot;

pub use added::add_to_tables;
pub use beside::{Beside, OfAll, OfTables};
pub use coded::{Coded, made_by_code};
pub use conversions::Conversions;
pub use guess::{certain_dialect, guess_dialect};
pub use migrations::Migration;
pub use model::{
    Check, Column, Exclusion, ForeignKey, Hook, Index, IndexKey, KeyPart, Name, Schema, Table, Unique,
    UserType, View,
};
pub use next::{Convention, Written};
pub use prepared::PreparedIndex;
pub use replay::{Replay, replay};

/// Something in a migration or snapshot that was ignored; everything else was applied.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unapplied {
    /// The file name, as given.
    pub file: String,
    /// The line, counted from 1; 0 for the file as a whole.
    pub line: u32,
    /// What is wrong, as a lowercase fragment.
    pub message: String,
}

impl std::fmt::Display for Unapplied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}
