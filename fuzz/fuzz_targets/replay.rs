//! A script is replayed, its snapshot written, and the snapshot read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use query_budget_analysis::schema::{Replay, snapshot};
use query_budget_analysis::sql::Dialect;

fuzz_target!(|sql: &str| {
    for dialect in [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite] {
        let mut replay = Replay::new(dialect);
        replay.apply(include_str!("tables.sql"), "tables.sql");
        replay.apply(sql, "fuzz.sql");
        let text = snapshot::write(&replay.schema, None);
        let _ = snapshot::read(&text, "schema.sql", None);
    }
});
