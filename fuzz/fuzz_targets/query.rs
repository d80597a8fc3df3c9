//! Everything that is asked of one query, by every dialect's rules.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use query_budget_analysis::Config;
use query_budget_analysis::check::Checker;
use query_budget_analysis::schema::{Replay, Schema};
use query_budget_analysis::sql::Dialect;

static SCHEMAS: LazyLock<Vec<Schema>> = LazyLock::new(|| {
    let schema = |dialect| {
        let mut replay = Replay::new(dialect);
        replay.apply(include_str!("tables.sql"), "tables.sql");
        replay.schema
    };
    [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite].map(schema).into()
});

fuzz_target!(|sql: &str| {
    let config = Config::default();
    for schema in SCHEMAS.iter() {
        let checked = Checker::new(&config, Some(schema), schema.dialect).query(sql, None);
        for finding in &checked.findings {
            if let Some(excerpt) = &finding.excerpt {
                assert!(sql.get(excerpt.span.clone()).is_some(), "a place outside of the query");
            }
        }
    }
});
