//! The content of a database, as the DDL that creates it and an estimate of each table's rows.

mod mysql;
mod postgres;
mod sqlite;

use std::collections::BTreeMap;

use query_budget_analysis::schema::{Name, Replay, Schema, Unapplied};
use query_budget_analysis::sql::Dialect;

use super::Live;
use crate::failure::Failure;

/// The schema of a live database.
pub(crate) struct Catalog {
    pub(crate) schema: Schema,
    /// Parts of it that are not understood.
    pub(crate) problems: Vec<Unapplied>,
    /// The total number of rows, as the server estimates.
    pub(crate) rows: u64,
    /// Whether the estimates were left out of `schema`, because no table has many rows.
    pub(crate) looks_empty: bool,
}

/// The server's output: statements, and estimates by table.
#[derive(Default)]
struct Words {
    ddl: Vec<String>,
    rows: BTreeMap<Name, u64>,
}

/// A database without a table of this many rows is for development: its content says nothing about
/// production.
const SOME: u64 = 10_000;

impl Catalog {
    /// Reads the catalog. `file` names the database in messages.
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

/// Rounds up to two digits, so that the estimate does not change with every row and add noise to diffs.
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
