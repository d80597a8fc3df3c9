//! A hundred thousand queries over 64 tasks, nested, spawned and cancelled: every count is exact, and nothing
//! leaks.
//!
//! `scripts/soak` runs it under valgrind.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use query_budget::__private::{Site, query_scalar};
use query_budget::{BudgetExt, measure, scope};
use query_budget_tests::Heap;
use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;
use tokio::sync::Notify;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[global_allocator]
static HEAP: Heap = Heap::new();

const TASKS: usize = 64;
const QUERIES: usize = 100_000;
/// Queries of one round of one task: three in the scope and two in a spawned task.
const ROUND: usize = 5;

static BY_NUMBER: Site = Site::new("SELECT $1", 1, "src/soak.rs", 1, 1);

async fn one(db: &SqlitePool, number: i64) {
    let found: i64 = query_scalar(&BY_NUMBER).bind(number).fetch_one(db).await.expect("one row");
    assert_eq!(found, number);
}

/// Five queries: one directly, one raw in a nested scope, one in a scope that is cancelled, two in a spawned
/// task.
async fn round(db: &SqlitePool, number: i64) {
    let ((), report) = measure(async {
        one(db, number).await;
        let raw = sqlx::query("SELECT 1");
        scope("within").max(1).run(raw.fetch_one(db)).await.expect("one row");
        let asked = Notify::new();
        let endless = async {
            one(db, number).await;
            asked.notify_one();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = scope("cancelled").max(1).run(endless) => {}
            () = asked.notified() => {}
        }
        let elsewhere = db.clone();
        let spawned = async move {
            one(&elsewhere, number).await;
            // Nested in the spawned task.
            scope("spawned").max(1).run(one(&elsewhere, number + 1)).await;
        };
        tokio::spawn(spawned.in_current_budget()).await.expect("the spawned task ends");
    })
    .await;
    assert_eq!(report.queries(), ROUND, "{report}");
    assert_eq!(report.rows(), ROUND, "{report}");
}

/// Runs this many queries over all tasks, and checks the count of the scope around them all.
async fn soak(db: &SqlitePool, queries: usize) {
    let left = Arc::new(AtomicUsize::new(queries / ROUND));
    let ((), report) = measure(async {
        let tasks = (0..TASKS).map(|_| {
            let (db, left) = (db.clone(), Arc::clone(&left));
            let rounds = async move {
                let take = |left: usize| left.checked_sub(1);
                while let Ok(number) = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take) {
                    pin!(round(&db, i64::try_from(number).expect("a small number"))).await;
                }
            };
            tokio::spawn(rounds.in_current_budget())
        });
        join_all(tasks).await.into_iter().for_each(|ended| ended.expect("the task ends"));
    })
    .await;
    assert_eq!((report.queries(), report.rows()), (queries, queries), "{report}");
}

#[test]
fn hundred_thousand_queries() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    let runtime = runtime.expect("start a runtime");
    // With the layer, so that raw queries count, on the thread of SQLite's connection.
    tracing_subscriber::registry().with(query_budget::layer()).init();
    runtime.block_on(async {
        let some = SqlitePoolOptions::new().max_connections(4).min_connections(4);
        let db = some.idle_timeout(None).max_lifetime(None).connect("sqlite::memory:").await.expect("open");
        // One-time allocations happen before counting: statements are prepared, buffer pools filled.
        soak(&db, QUERIES / 10).await;
        let before = settled().await;
        soak(&db, QUERIES).await;
        let after = settled().await;
        // Leaked scopes would cost a hundred bytes each, for eighty thousand of them.
        assert!(after - before < 64 * 1024, "{before} bytes before, {after} after");
        println!("{QUERIES} queries in {TASKS} tasks: {before} bytes before, {after} after");
    });
}

/// The bytes in use once the runtime has cleaned up after the tasks.
async fn settled() -> isize {
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    HEAP.in_use()
}
