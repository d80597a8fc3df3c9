//! The kinds of input, one file each: what is done with it, and the properties that have to hold.

mod blocks;
mod config;
mod entries;
mod migrations;
mod query;
mod rewrites;
mod rust;
mod types;

use std::sync::LazyLock;

use query_budget_analysis::schema::{Replay, Schema};
use query_budget_analysis::sql::Dialect;

use crate::features::Features;

/// A kind of input.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, which is also that of its folder in `corpus/`.
    pub name: &'static str,
    /// Processes one input. It panics if a property does not hold.
    pub run: fn(&str) -> Features,
}

/// All targets, in the order in which they run.
pub const ALL: [Target; 8] = [
    Target { name: "query", run: query::run },
    Target { name: "migrations", run: migrations::run },
    Target { name: "blocks", run: blocks::run },
    Target { name: "rust", run: rust::run },
    Target { name: "entries", run: entries::run },
    Target { name: "config", run: config::run },
    Target { name: "types", run: types::run },
    Target { name: "rewrites", run: rewrites::run },
];

/// Runs the target with this name.
///
/// # Panics
///
/// If there is none, or a property does not hold.
pub fn run(name: &str, text: &str) -> Features {
    let target = ALL.iter().find(|target| target.name == name);
    (target.unwrap_or_else(|| panic!("no target is named `{name}`")).run)(text)
}

/// The tables that queries use.
const TABLES: &str = include_str!("tables.sql");

/// The same tables in every dialect.
static SCHEMAS: LazyLock<Vec<Schema>> =
    LazyLock::new(|| DIALECTS.map(|dialect| replayed(dialect, "").schema).into());

const DIALECTS: [Dialect; 3] = [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite];

/// The tables, and the effect of a script on them.
fn replayed(dialect: Dialect, script: &str) -> Replay {
    let mut replay = Replay::new(dialect);
    replay.apply(TABLES, "tables.sql");
    replay.apply(script, "fuzz.sql");
    replay
}
