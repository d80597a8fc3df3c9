//! The snapshot: the schema as plain SQL that the database accepts, sorted, normalised and suited to diffs.
//!
//! The comment at the top names the dialect and the digest of the migrations; the last line marks the end, so
//! that truncation is detected. What SQL cannot express is written in comments: row estimates, the search
//! path, and what is unknown.

mod default;
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
/// In the head if the migrations create casts or operators.
const CONVERSIONS: &str = "-- makes casts or operators of its own";

/// The last line of every snapshot.
const END: &str = "-- end of schema";
const DIALECT: &str = "-- dialect: ";
const DIGEST: &str = "-- digest: ";
const SEARCH_PATH: &str = "-- search path: ";
const UNKNOWN: &str = "-- unknown table: ";
const UNTYPED: &str = "-- unknown type: ";
/// A trigger or rule, after the name of its table.
const HOOK: &str = "-- on writes of ";
/// A routine that queries and triggers may call, if the snapshot has no statement for it.
const ROUTINE: &str = "-- routine: ";
const GAP: &str = "-- gap: ";
/// A column that is the first key of an index on some table.
const LOOSE_INDEX: &str = "-- some table has an index on: ";
/// An index that a statement may have dropped, after its table.
const DOUBT: &str = "-- may be dropped: ";
/// The comment for a foreign table and its server, which is written as a table of its own.
const FOREIGN: &str = "-- foreign: ";
/// A column that any table may have, with its type; without a name, any column.
const LOOSE: &str = "-- any table may have: ";
/// Hides an index from queries: the first comment in MySQL, the second in MariaDB.
const HIDDEN: &str = " /*!80000 INVISIBLE */ /*M!100600 IGNORED */";
const ROWS: &str = "-- rows: ";

/// A name for use in a comment: characters that would end the line or the name are written by number, `%a;`.
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

/// Decodes a name from a comment.
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

/// Whether a text is one of our snapshots, judging by its first line.
pub fn is_snapshot(text: &str) -> bool {
    text.strip_prefix('\u{feff}').unwrap_or(text).lines().next() == Some(HEAD)
}

#[cfg(test)]
mod tests;
