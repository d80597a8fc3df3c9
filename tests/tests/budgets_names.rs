//! Names and texts that a client chooses are limited in number, in statistics, in metrics and in a scope.

use std::collections::BTreeSet;

use futures_util::FutureExt;
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
        // Each is kept, so that none is long.
        scope("é".repeat(100_000)).run_sync(|| told(&format!("SELECT {} FROM t", "c".repeat(100_000))));
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
        assert_eq!(stats().statements.len(), 2, "{:?}", stats().statements);
        for number in 0..1_500 {
            scope("texts").run_sync(|| told(&format!("SELECT a{number}x FROM t")));
        }
        // In one scope too, which may run as long as the process.
        let all_in_one = || {
            (0..1_500).for_each(|number| told(&format!("SELECT b{number}x FROM t")));
            told("SELECT b7x FROM t");
            query_budget::current()
        };
        scope("all").repeats(2).run_sync(|| {
            let counts = all_in_one().counts().unwrap();
            assert_eq!(
                (counts.queries, counts.most_repeated),
                (1_501, 2),
                "those counted together are no repetition"
            );
        });
        let ((), report) = query_budget::measure(async { drop(all_in_one()) }).now_or_never().unwrap();
        assert_eq!(
            (report.queries(), report.statements().len()),
            (1_501, 1_001),
            "a thousand, and the others"
        );
        assert_eq!(report.repeated().count(), 0);
    });
    let stats = stats();
    assert_eq!((stats.scopes.len(), stats.statements.len()), (1_001, 1_001), "a thousand, and the others");
    assert!(stats.scopes.iter().any(|scope| scope.name == "(others)"));
    assert!(stats.scopes.iter().all(|scope| scope.name.len() < 9_000), "{:?}", stats.scopes);
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
