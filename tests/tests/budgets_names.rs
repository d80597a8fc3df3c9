//! Names and texts that a client chooses are limited in number, in statistics, in metrics and in a scope.

use std::collections::BTreeSet;

use metrics_util::debugging::DebuggingRecorder;
use query_budget::{scope, stats};
use tracing_subscriber::layer::SubscriberExt;

/// What sqlx logs of a statement.
fn told(sql: &str) {
    let elapsed = std::time::Duration::from_micros(20);
    tracing::debug!(
        target: "sqlx::query",
        summary = sql,
        db.statement = "",
        rows_affected = 0_u64,
        rows_returned = 1_u64,
        ?elapsed,
        elapsed_secs = elapsed.as_secs_f64(),
    );
}

/// Alone in its process, because statistics and metrics belong to the process.
#[test]
fn names_and_texts_are_limited() {
    let recorder = DebuggingRecorder::new();
    let metrics = recorder.snapshotter();
    recorder.install().unwrap();
    let subscriber = tracing_subscriber::registry().with(query_budget::layer());
    tracing::subscriber::with_default(subscriber, || {
        for number in 0..1_500 {
            scope(format!("X{number} request")).run_sync(|| ());
        }
        // Lists of any length, and texts that differ in more than their values.
        scope("lists").run_sync(|| {
            let budget = query_budget::current();
            let mut list = String::from("SELECT id FROM t WHERE id IN (1");
            for number in 2..500 {
                list.push_str(&format!(", {number}"));
                told(&format!("{list})"));
            }
            let counts = budget.counts().unwrap();
            assert_eq!((counts.queries, counts.most_repeated), (498, 498), "one statement");
        });
        assert_eq!(stats().statements.len(), 1, "{:?}", stats().statements);
        for number in 0..1_500 {
            scope("texts").run_sync(|| told(&format!("SELECT a{number}x FROM t")));
        }
    });
    let stats = stats();
    assert_eq!((stats.scopes.len(), stats.statements.len()), (1_001, 1_001), "a thousand, and the others");
    assert!(stats.scopes.iter().any(|scope| scope.name == "(others)"));
    let labels: BTreeSet<(String, String)> = metrics
        .snapshot()
        .into_vec()
        .iter()
        .flat_map(|(key, ..)| {
            let name = key.key().name().to_owned();
            key.key().labels().map(move |label| (name.clone(), label.value().to_owned()))
        })
        .collect();
    for (metric, most) in [("query_budget_scope_seconds", 1_001), ("query_budget_queries_total", 1)] {
        let labels = labels.iter().filter(|(name, _)| name == metric).count();
        assert_eq!(labels, most, "{metric}");
    }
}
