//! The three dialects, and where they differ in ways that matter here.

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

/// How many bytes of a name Postgres keeps.
const LONGEST_NAME: usize = 63;

impl Dialect {
    /// All dialects, in the order in which they are listed to users.
    pub const ALL: [Dialect; 3] = [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite];

    /// The name used in configuration, snapshots and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Dialect::Postgres => "postgres",
            Dialect::MySql => "mysql",
            Dialect::Sqlite => "sqlite",
        }
    }

    /// The dialect of a configured name or of a connection URL's scheme: `postgres://…`, `mariadb://…`, `sqlite:…`.
    pub fn from_name(name: &str) -> Option<Dialect> {
        let scheme = name.split(':').next().unwrap_or(name);
        match scheme.to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" => Some(Dialect::Postgres),
            "mysql" | "mariadb" => Some(Dialect::MySql),
            "sqlite" => Some(Dialect::Sqlite),
            _ => None,
        }
    }

    /// Folds an unquoted identifier the way the database compares names: Postgres keeps lower case; SQLite and MySQL
    /// compare columns without regard to case, so that lower case serves as the key there as well.
    pub fn fold(self, identifier: &str) -> String {
        identifier.to_lowercase()
    }

    /// What the database makes of a name that is longer than its names are: Postgres cuts it off at 63 bytes.
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

    /// The quotation mark around identifiers in the SQL that we write.
    pub fn identifier_quote(self) -> char {
        match self {
            Dialect::MySql => '`',
            Dialect::Postgres | Dialect::Sqlite => '"',
        }
    }
}

impl std::fmt::Display for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
