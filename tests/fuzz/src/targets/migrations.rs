//! A script of migrations: replayed, written as a snapshot, parsed, and written again with the same text.

use query_budget_analysis::schema::{layouts, snapshot};

use super::{DIALECTS, replayed};
use crate::features::Features;

pub(super) fn run(sql: &str) -> Features {
    let mut features = Features::default();
    let selected =
        layouts::select("migrations", vec![("0001_fuzz.sql".to_owned(), sql.as_bytes().to_vec())], None);
    features.counted("migrations", selected.migrations.len());
    for problem in &selected.problems {
        features.said("layout", &problem.message);
    }
    for dialect in DIALECTS {
        let replay = replayed(dialect, sql);
        for problem in &replay.problems {
            features.said((dialect.as_str(), "problem"), &problem.message);
        }
        let schema = &replay.schema;
        features.counted((dialect.as_str(), "tables"), schema.tables.len());
        let text = snapshot::write(schema, None);
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().take(2).collect();
            features.said((dialect.as_str(), "line"), &words.join(" "));
        }
        let read = snapshot::read(&text, "schema.sql", None);
        assert!(read.broken.is_none(), "its own snapshot is broken: {:?}\n{text}", read.broken);
        let again = snapshot::write(&read.schema, None);
        if replay.problems.is_empty() && schema.gaps.is_empty() && schema.opaque.is_empty() {
            assert!(again == text, "a snapshot of a snapshot differs: {}", difference(&text, &again));
        }
    }
    features
}

/// The lines that only one of two texts has.
fn difference(one: &str, other: &str) -> String {
    let only = |one: &str, other: &str, mark: &str| {
        let lines = one.lines().filter(|line| !other.lines().any(|it| it == *line));
        lines.map(|line| format!("\n{mark} {line}")).collect::<String>()
    };
    only(one, other, "-") + &only(other, one, "+")
}
