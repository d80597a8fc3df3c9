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
/// A trigger or rule, behind the name of its table.
const HOOK: &str = "-- on writes of ";
/// A routine that queries and triggers may call, where the snapshot holds none as a statement.
const ROUTINE: &str = "-- routine: ";
const GAP: &str = "-- gap: ";
/// A column that begins an index of some table.
const LOOSE_INDEX: &str = "-- some table has an index on: ";
/// A column that any table may have, with its type; any column where none is named.
const LOOSE: &str = "-- any table may have: ";
/// Hides an index from queries: in MySQL by the first comment, in MariaDB by the second.
const HIDDEN: &str = " /*!80000 INVISIBLE */ /*M!100600 IGNORED */";
const ROWS: &str = "-- rows: ";

/// A name as it stands in a comment: what would end the line or the name is written as its number, `%a;`.
fn in_comment(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_control() || c.is_whitespace() || matches!(c, '%' | ',' | '.' | ':' | '\u{2028}' | '\u{2029}')
        {
            text.push_str(&format!("%{:x};", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}

/// A name that stands in a comment.
fn out_of_comment(text: &str) -> String {
    let mut parts = text.split('%');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let number = part.split_once(';');
        let read =
            number.and_then(|(hex, rest)| Some((char::from_u32(u32::from_str_radix(hex, 16).ok()?)?, rest)));
        match read {
            Some((c, rest)) => {
                name.push(c);
                name.push_str(rest);
            }
            None => {
                name.push('%');
                name.push_str(part);
            }
        }
    }
    name
}

/// Whether a text is a snapshot of ours, by its first line.
pub fn is_snapshot(text: &str) -> bool {
    text.strip_prefix('\u{feff}').unwrap_or(text).lines().next() == Some(HEAD)
}

#[cfg(test)]
mod tests;
