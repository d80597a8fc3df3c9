//! The databases that code names: the drivers that it uses, and the types of sqlx for one database.

use std::collections::{BTreeSet, HashMap};

use super::drivers;
use crate::sql::Dialect;

/// The databases that a file or a crate names, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedDatabases {
    /// Those of drivers other than sqlx.
    pub of_drivers: Vec<Dialect>,
    /// Those of sqlx: its types in a file, its features in a crate.
    pub of_sqlx: Vec<Dialect>,
}

impl NamedDatabases {
    /// All of them, each once, in the order of `Dialect::ALL`.
    pub fn all(&self) -> Vec<Dialect> {
        let is_named =
            |dialect: &Dialect| self.of_sqlx.contains(dialect) || self.of_drivers.contains(dialect);
        Dialect::ALL.into_iter().filter(is_named).collect()
    }

    /// The database, if one alone is named.
    pub fn only(&self) -> Option<Dialect> {
        Dialect::only_of(&self.all())
    }

    /// Adds a driver's database.
    pub fn add_driver(&mut self, dialect: Dialect) {
        if !self.of_drivers.contains(&dialect) {
            self.of_drivers.push(dialect);
        }
    }

    /// The databases that the source of a file names; `renamed` are the crates that the manifest declares, by their
    /// names in code.
    pub fn of_source(source: &str, renamed: &HashMap<String, String>) -> NamedDatabases {
        let mut found = NamedDatabases::default();
        let mut add = |name: &str, dialect| {
            if source.contains(name) && lines_of_code(source).any(|line| names_crate(line, name)) {
                found.add_driver(dialect);
            }
        };
        // A module may be called `postgres`: only a manifest shows that a crate is meant.
        if DRIVER_PARTS.iter().any(|part| source.contains(part)) {
            for (name, dialect) in drivers::databases() {
                if name.contains('_') || UNMISTAKABLE.contains(&name) {
                    add(name, dialect);
                }
            }
        }
        for (name, package) in renamed {
            if let Some(dialect) = drivers::database(package) {
                add(name, dialect);
            }
        }
        found.of_sqlx.extend(of_types(source));
        found
    }
}

/// The drivers in one word that no module is named after.
const UNMISTAKABLE: &[&str] = &["libsql", "rusqlite"];

/// Each name of a driver contains one of these, as each of the types contains one of [`TYPE_PARTS`]: most files contain
/// none, and are not searched for every full name.
const DRIVER_PARTS: &[&str] = &["libsql", "mysql", "postgres", "sqlite"];

const TYPE_PARTS: &[&str] =
    &["MariaDb", "MySql", "Mysql", "Pg", "PostgreSql", "Postgres", "SQLite", "SqLite", "Sqlite"];

/// The words by which source names the types of sqlx, Diesel and SeaORM for each database.
const TYPES: &[(&[&str], Dialect)] = &[
    (
        &[
            "AsyncPgConnection",
            "PgConnection",
            "PgExecutor",
            "PgPool",
            "PgPoolOptions",
            "PgQueryResult",
            "PgRow",
            "PgTransaction",
            "Postgres",
        ],
        Dialect::Postgres,
    ),
    (
        &[
            "AsyncMysqlConnection",
            "MySql",
            "MySqlConnection",
            "MySqlPool",
            "MySqlPoolOptions",
            "MySqlQueryResult",
            "MySqlRow",
            "MySqlTransaction",
            "MysqlConnection",
        ],
        Dialect::MySql,
    ),
    (
        &[
            "Sqlite",
            "SqliteConnection",
            "SqlitePool",
            "SqlitePoolOptions",
            "SqliteQueryResult",
            "SqliteRow",
            "SqliteTransaction",
        ],
        Dialect::Sqlite,
    ),
];

/// How the names of a database's types begin: those above, and those of a project's own.
const STEMS: &[(&[&str], Dialect)] = &[
    (&["Pg", "Postgres", "PostgreSql", "Postgresql"], Dialect::Postgres),
    (&["MariaDb", "MySql", "Mysql"], Dialect::MySql),
    (&["SQLite", "SqLite", "Sqlite"], Dialect::Sqlite),
];

/// How the names of a project's own types end that stand for a database: `PostgresPool`.
const ENDS: &[&str] = &["Conn", "Connection", "Database", "Db", "Executor", "Pool", "Transaction"];

/// The databases whose types of sqlx, Diesel or SeaORM a text names, or types of its own that are called so.
pub fn of_types(source: &str) -> Vec<Dialect> {
    if !TYPE_PARTS.iter().any(|part| source.contains(part)) {
        return Vec::new();
    }
    let words: BTreeSet<&str> = lines_of_code(source)
        .flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .collect();
    let is_of = |word: &str, dialect: Dialect| {
        let known = TYPES.iter().filter(|(_, of)| *of == dialect).any(|(types, _)| types.contains(&word));
        let stems = STEMS.iter().filter(|(_, of)| *of == dialect).flat_map(|(stems, _)| *stems);
        let mut ends = stems.filter_map(|stem| word.strip_prefix(stem));
        known || ends.any(|end| ENDS.contains(&end))
    };
    let is_named = |dialect: &Dialect| words.iter().any(|word| is_of(word, *dialect));
    STEMS.iter().map(|(_, dialect)| *dialect).filter(is_named).collect()
}

fn lines_of_code(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// Whether a line names a crate: `use rusqlite;`, `rusqlite::Connection`.
fn names_crate(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line.get(..at).unwrap_or_default();
        let after = line.get(at + name.len()..).unwrap_or_default();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let begins = !before.ends_with(is_word) && (!before.ends_with("::") || before.ends_with(" ::"));
        let is_imported = ["use", "extern crate"].iter().any(|word| before.trim_end().ends_with(word));
        begins && (after.starts_with("::") || is_imported && !after.starts_with(is_word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drivers_of(source: &str) -> Vec<Dialect> {
        NamedDatabases::of_source(source, &HashMap::new()).of_drivers
    }

    #[test]
    fn every_name_contains_a_part_that_is_searched_first() {
        let has = |name: &str, parts: &[&str]| parts.iter().any(|part| name.contains(part));
        for (name, _) in drivers::databases() {
            assert!(has(name, DRIVER_PARTS), "{name}");
        }
        for name in TYPES.iter().chain(STEMS).flat_map(|(types, _)| *types) {
            assert!(has(name, TYPE_PARTS), "{name}");
        }
    }

    #[test]
    fn a_file_names_the_crates_of_its_databases() {
        for (source, expected) in [
            ("use rusqlite::{params, Connection};", vec![Dialect::Sqlite]),
            ("fn on(db: &libsql::Connection) {}", vec![Dialect::Sqlite]),
            ("use deadpool_postgres::Pool;\nuse tokio_postgres::Client;", vec![Dialect::Postgres]),
            ("use mysql_async::prelude::*;", vec![Dialect::MySql]),
            ("use rusqlite as sqlite;", vec![Dialect::Sqlite]),
            ("use tokio_postgres::Row;\nuse rusqlite::Row;", vec![Dialect::Postgres, Dialect::Sqlite]),
            ("// like rusqlite::Connection\nfn f() {}", vec![]),
            ("use crate::rusqlite::Store; use my_rusqlite::X;", vec![]),
            ("mod postgres; use postgres::Store;", vec![]),
        ] {
            let mut found = drivers_of(source);
            found.sort_by_key(|dialect| dialect.as_str());
            assert_eq!(found, expected, "{source}");
        }
        let renamed = HashMap::from([("postgres".to_owned(), "postgres".to_owned())]);
        let found = NamedDatabases::of_source("use postgres::Client;", &renamed).of_drivers;
        assert_eq!(found, [Dialect::Postgres], "the manifest declares the crate");
    }

    #[test]
    fn a_file_names_types_of_its_databases() {
        assert_eq!(of_types("fn on(db: &sqlx::PgPool) {}"), [Dialect::Postgres]);
        assert_eq!(of_types("use sqlx::{Pool, Sqlite};"), [Dialect::Sqlite]);
        assert_eq!(of_types("// a PgPool\nfn f(db: MySqlPool) {}"), [Dialect::MySql]);
        assert_eq!(of_types("fn on(a: PgPool, b: SqlitePool) {}"), [Dialect::Postgres, Dialect::Sqlite]);
        assert_eq!(of_types("impl Store for Repo<PostgresPool> {}"), [Dialect::Postgres]);
        assert_eq!(of_types("fn on(a: &db::MariaDbConnection) {}"), [Dialect::MySql]);
        let both = "use base::db::{postgres::PostgresPool, sqlite::SqlitePool};";
        assert_eq!(of_types(both), [Dialect::Postgres, Dialect::Sqlite]);
        assert_eq!(of_types("struct PostgresError; enum SqliteMode {}"), []);
    }
}
