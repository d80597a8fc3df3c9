//! What a database holds, as the DDL that makes it and an estimate of the rows of each table.

mod mysql;
mod postgres;
mod sqlite;

use std::collections::BTreeMap;

use query_budget_analysis::schema::{Name, Problem, Replay, Schema};
use query_budget_analysis::sql::Dialect;

use super::Live;
use crate::failure::Failure;

/// The schema of a live database.
pub(crate) struct Catalog {
    pub(crate) schema: Schema,
    /// What of it is not understood.
    pub(crate) problems: Vec<Problem>,
    /// Rows in all tables together, as the server estimates.
    pub(crate) rows: u64,
    /// Whether the estimates were left out of `schema`, because no table holds much.
    pub(crate) looks_empty: bool,
}

/// The server's own words: statements, and estimates by table.
#[derive(Default)]
struct Words {
    ddl: Vec<String>,
    rows: BTreeMap<Name, u64>,
}

/// A database without a table of so many rows is one for development: what it holds tells nothing of the real one.
const SOME: u64 = 10_000;

impl Catalog {
    /// Reads the catalog. `file` stands for the database in messages.
    pub(crate) async fn read(live: &mut Live, file: &str) -> Result<Catalog, Failure> {
        let words = match live.dialect() {
            Dialect::Postgres => postgres::read(live).await?,
            Dialect::MySql => mysql::read(live).await?,
            Dialect::Sqlite => sqlite::read(live).await?,
        };
        let mut replay = Replay::new(live.dialect());
        replay.apply(&words.ddl.join(";\n"), file);
        let looks_empty = words.rows.values().all(|rows| *rows < SOME);
        for (name, table) in &mut replay.schema.tables {
            table.rows = words.rows.get(name).filter(|_| !looks_empty).map(|rows| rounded(*rows));
        }
        Ok(Catalog {
            schema: replay.schema,
            problems: replay.problems,
            rows: words.rows.values().sum(),
            looks_empty,
        })
    }
}

/// To two digits, rounded up: an estimate that does not change with every row makes no noise in a diff.
fn rounded(rows: u64) -> u64 {
    let mut unit = 1;
    while rows / unit >= 100 {
        unit *= 10;
    }
    rows.div_ceil(unit) * unit
}

/// Estimates from rows of schema, table and number.
fn estimates(rows: Vec<super::Texts>) -> BTreeMap<Name, u64> {
    let read = |row: super::Texts| match <[Option<String>; 3]>::try_from(row) {
        Ok([schema, Some(name), Some(rows)]) => {
            Some((Name::qualified(schema.as_deref(), name), rows.parse().ok()?))
        }
        _ => None,
    };
    rows.into_iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_keep_two_digits() {
        let expect =
            [(0, 0), (7, 7), (99, 99), (100, 100), (101, 110), (12_345, 13_000), (999_999, 1_000_000)];
        for (rows, kept) in expect {
            assert_eq!(rounded(rows), kept, "{rows}");
        }
    }
}
