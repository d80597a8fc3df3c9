//! Many concurrent tasks, nested, cancelled and spawning others: every scope's count is exact.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use query_budget::{BudgetExt, measure};
use tokio::sync::Notify;

use crate::probe::{ITEMS, Probe};

const TASKS: i64 = 100;
const QUERIES: i64 = 20;

pub(crate) async fn hundred_tasks_count_exactly<P: Probe>(db: P) {
    let (counts, all) = measure(async {
        let tasks = (0..TASKS).map(|task| tokio::spawn(one_task(db.clone(), task).in_current_budget()));
        join_all(tasks).await
    })
    .await;
    let counts: Vec<usize> = counts.into_iter().map(|count| count.expect("the task ends")).collect();
    assert_eq!(all.queries(), counts.iter().sum::<usize>(), "{all}");
}

/// Runs queries in sequence, in nested scopes and a spawned task, cancelling every fourth in the middle;
/// returns the number of completed ones, having checked that its own scope counted exactly these.
async fn one_task<P: Probe>(db: P, task: i64) -> usize {
    let done = Arc::new(AtomicUsize::new(0));
    let work = async |upto: i64| {
        for id in 0..upto {
            let (one, report) = measure(db.one((task + id) % ITEMS + 1)).await;
            one.expect("the row is there");
            assert_eq!(report.queries(), 1);
            done.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    };
    let ((), report) = measure(async {
        let (db, counted) = (db.clone(), Arc::clone(&done));
        let spawned = async move {
            db.one(task % ITEMS + 1).await.expect("the row is there");
            counted.fetch_add(1, Ordering::Relaxed);
        };
        let spawned = tokio::spawn(spawned.in_current_budget());
        if task % 4 == 0 {
            // Dropped between two queries, so that the number of queries that ran is known.
            let half_way = Notify::new();
            let endless = async {
                work(QUERIES / 2).await;
                half_way.notify_one();
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = query_budget::scope("cancelled").max(QUERIES as usize).run(endless) => {}
                () = half_way.notified() => {}
            }
        } else {
            work(QUERIES).await;
        }
        spawned.await.expect("the spawned task ends");
    })
    .await;
    assert_eq!(report.queries(), done.load(Ordering::Relaxed), "{report}");
    report.queries()
}
