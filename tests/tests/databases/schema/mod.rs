//! Replay and snapshot compared with real databases, one construct at a time.
//!
//! Each script runs on an empty database; the snapshot of its replay is loaded into another. Both must then
//! have exactly the same schema, as printed by the database itself.

mod dumps;
mod mysql;
mod postgres;
mod sqlite;

use query_budget_analysis::schema::{Replay, snapshot};
use query_budget_analysis::sql::Dialect;
use query_budget_tests::catalog;

/// The snapshot of a script's replay, which reports no problems and parses to the same schema.
fn snapshot_of(topic: &str, sql: &str, dialect: Dialect) -> String {
    let mut replay = Replay::new(dialect);
    replay.apply(sql, topic);
    assert_eq!(replay.problems, []);
    assert_eq!(replay.schema.gaps, Vec::<String>::new(), "{topic}");
    let text = snapshot::write(&replay.schema, None);
    let read = snapshot::read(&text, "schema.sql", None);
    assert_eq!(read.problems, [], "{topic}:\n{text}");
    assert_eq!(
        snapshot::write(&read.schema, None),
        text,
        "{topic}: the snapshot changes when it is read and written again"
    );
    text
}

/// The differences between the two databases, for one topic.
fn report(topic: &str, snapshot: &str, made: &[String], loaded: &[String]) -> Option<String> {
    let difference = catalog::difference(made, loaded);
    (!difference.is_empty()).then(|| format!("{topic}:\n  {}\n{snapshot}", difference.join("\n  ")))
}
