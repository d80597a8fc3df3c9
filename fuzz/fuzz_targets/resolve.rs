//! A script is replayed, and a query resolved against the schema it comes to; `;;` divides the two.
#![no_main]

use libfuzzer_sys::fuzz_target;
use query_budget_analysis::schema::Replay;
use query_budget_analysis::sql::{Dialect, cardinality, resolve};

fuzz_target!(|text: &str| {
    let (script, sql) = text.split_once(";;").unwrap_or(("", text));
    for dialect in [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite] {
        let mut replay = Replay::new(dialect);
        replay.apply(include_str!("tables.sql"), "tables.sql");
        replay.apply(script, "fuzz.sql");
        let Ok(query) = resolve(sql, dialect, Some(&replay.schema)) else { continue };
        let _ = cardinality::of(&query, Some(&replay.schema));
        for problem in query.problems.iter().filter_map(|problem| problem.span) {
            assert!(sql.get(problem.range()).is_some(), "a place outside of the query");
        }
    }
});
