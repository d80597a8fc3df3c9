//! The three dialects, and the differences between them that matter here.

use serde::{Deserialize, Serialize};

/// A database family whose SQL is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
    /// SQLite.
    Sqlite,
}

/// PostgreSQL truncates names to this many bytes.
const LONGEST_NAME: usize = 63;

impl Dialect {
    /// All dialects, in the order in which they are listed to users.
    pub const ALL: [Dialect; 3] = [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite];

    /// The dialect of a list of one.
    pub fn only_of(dialects: &[Dialect]) -> Option<Dialect> {
        match dialects {
            [only] => Some(*only),
            _ => None,
        }
    }

    /// The name in configuration, snapshots and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Dialect::Postgres => "postgres",
            Dialect::MySql => "mysql",
            Dialect::Sqlite => "sqlite",
        }
    }

    /// The dialect for a configured name or the scheme of a connection URL: `postgres://…`, `mariadb://…`,
    /// `sqlite:…`.
    pub fn from_name(name: &str) -> Option<Dialect> {
        match scheme(name).to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" => Some(Dialect::Postgres),
            "mysql" | "mariadb" => Some(Dialect::MySql),
            "sqlite" => Some(Dialect::Sqlite),
            _ => None,
        }
    }

    /// Whether such a name or scheme is that of MariaDB; that of MySQL may mean either server.
    pub fn names_mariadb(name: &str) -> bool {
        scheme(name).eq_ignore_ascii_case("mariadb")
    }

    /// Folds an unquoted identifier as the database does when it compares names: PostgreSQL folds to lower
    /// case. SQLite and MySQL compare column names case-insensitively, so lower case works as the key there
    /// too.
    pub fn fold(self, identifier: &str) -> String {
        // PostgreSQL leaves other letters as they are in a database whose encoding has letters of several bytes. Most names
        // are ASCII, for which this takes half the time.
        if self == Dialect::Postgres || identifier.is_ascii() {
            identifier.to_ascii_lowercase()
        } else {
            identifier.to_lowercase()
        }
    }

    /// Shortens a name as the database does: PostgreSQL truncates at 63 bytes.
    pub fn cut(self, mut name: String) -> String {
        if self == Dialect::Postgres && name.len() > LONGEST_NAME {
            let mut end = LONGEST_NAME;
            while !name.is_char_boundary(end) {
                end -= 1;
            }
            name.truncate(end);
        }
        name
    }

    /// The quote character for identifiers in the SQL that we write.
    pub fn identifier_quote(self) -> char {
        match self {
            Dialect::MySql => '`',
            Dialect::Postgres | Dialect::Sqlite => '"',
        }
    }
}

/// A name, or the scheme of a URL.
fn scheme(name: &str) -> &str {
    name.split(':').next().unwrap_or(name)
}

impl std::fmt::Display for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
