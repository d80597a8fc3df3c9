//! The snapshot: the schema as plain SQL that the database itself accepts, sorted, normalised and readable in a diff.
//!
//! The head comment says whose SQL it is and from which migrations it was made; the last line says that it is all there.
//! What SQL cannot say stands in comments: estimates of rows, the search path, and what is not known.

mod digest;
mod index;
mod order;
mod read;
mod table;
mod write;

pub use digest::digest;
pub(crate) use index::{create_index, drop_index};
pub use read::{Snapshot, read};
pub use write::{without_rows, write};

/// The first line of every snapshot.
const HEAD: &str = "-- query-budget schema";
/// Stands in the head where the migrations make casts or operators.
const CONVERSIONS: &str = "-- makes casts or operators of its own";

/// The last line of every snapshot.
const END: &str = "-- end of schema";
const DIALECT: &str = "-- dialect: ";
const DIGEST: &str = "-- digest: ";
const SEARCH_PATH: &str = "-- search path: ";
const UNKNOWN: &str = "-- unknown table: ";
const UNTYPED: &str = "-- unknown type: ";
const GAP: &str = "-- gap: ";
/// Hides an index from queries: in MySQL by the first comment, in MariaDB by the second.
const HIDDEN: &str = " /*!80000 INVISIBLE */ /*M!100600 IGNORED */";
const ROWS: &str = "-- rows: ";

/// Whether a text is a snapshot of ours, by its first line.
pub fn is_snapshot(text: &str) -> bool {
    text.strip_prefix('\u{feff}').unwrap_or(text).lines().next() == Some(HEAD)
}

#[cfg(test)]
mod tests;
