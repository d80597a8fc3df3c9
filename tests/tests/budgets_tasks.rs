//! Tasks count where they were told to, whoever polls them: a `LocalSet` polls its tasks within the poll of the future
//! that runs it.

use query_budget::__private::{Site, query};
use query_budget::{BudgetExt, measure, scope, uncounted};
use query_budget_tests::with_postgres;
use sqlx::{PgPool, SqlitePool};
use tokio::task::{LocalSet, spawn_local};
use tracing::Instrument;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

static ONE: Site = Site::new("SELECT 1", 1, "src/one.rs", 1, 1);

/// On SQLite, the span of the scope is current while its tasks are polled.
fn subscribe() {
    let _ = tracing_subscriber::registry().with(query_budget::layer()).try_init();
}

async fn queries(db: &SqlitePool, times: usize) {
    for _ in 0..times {
        query::<sqlx::Sqlite>(&ONE).execute(db).await.unwrap();
        tokio::task::yield_now().await;
    }
}

/// Five queries of a task that was not told to count, three of one that was, and two of the future itself, in turns.
async fn beside_local_tasks(db: &SqlitePool) {
    let (untold, told) = (db.clone(), db.clone());
    let untold = spawn_local(async move {
        // In a scope of its own it is exact as well.
        let ((), report) = measure(queries(&untold, 4)).await;
        assert_eq!(report.queries(), 4, "{report}");
        assert_eq!(query_budget::counts(), None, "it is in no scope");
        queries(&untold, 1).await;
    });
    let told = spawn_local(async move { queries(&told, 3).await }.in_current_budget());
    queries(db, 2).await;
    untold.await.unwrap();
    told.await.unwrap();
}

#[tokio::test]
async fn tasks_of_a_local_set_are_not_the_futures_that_runs_it() {
    subscribe();
    let db = SqlitePool::connect("sqlite::memory:").await.unwrap();
    let local = LocalSet::new();
    let ((), report) = measure(local.run_until(beside_local_tasks(&db))).await;
    assert_eq!(report.queries(), 5, "{report}");
    // The scope is entered in a task too, and within another one.
    let within = async move {
        let local = LocalSet::new();
        let run = measure(scope("page").max(5).run(local.run_until(beside_local_tasks(&db))));
        assert_eq!(run.await.1.queries(), 5);
    };
    LocalSet::new().run_until(async { spawn_local(within).await.unwrap() }).await;
}

/// A function that has a set of tasks run by a runtime.
#[test]
fn tasks_of_a_local_set_are_not_the_closures_that_blocks_on_it() {
    subscribe();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let db = runtime.block_on(SqlitePool::connect("sqlite::memory:")).unwrap();
    scope("page").max(5).run_sync(|| {
        LocalSet::new().block_on(&runtime, beside_local_tasks(&db));
        assert_eq!(query_budget::counts().unwrap().queries, 5);
    });
}

/// What runs in a task below a blocking call is part of it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_task_blocks_on_is_its_own() {
    let db = SqlitePool::connect("sqlite::memory:").await.unwrap();
    let task = async move {
        let block = || {
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(queries(&db, 3)));
            query_budget::counts().unwrap().queries
        };
        scope("page").max(3).run_sync(block)
    };
    assert_eq!(tokio::spawn(task).await.unwrap(), 3);
}

/// SQLite's thread knows only the span that is current where a statement is sent, not the task: a task that may not count is run
/// outside of every scope.
#[tokio::test]
async fn uncounted_tasks_on_sqlite_count_nowhere() {
    subscribe();
    let db = SqlitePool::connect("sqlite::memory:").await.unwrap();
    let raw = |times: usize| {
        let db = db.clone();
        async move {
            for _ in 0..times {
                sqlx::query("SELECT 1").execute(&db).await.unwrap();
            }
        }
    };
    let user = tracing::info_span!("user");
    let local = LocalSet::new();
    let beside = async {
        let local = spawn_local(uncounted(raw(5)));
        let elsewhere = tokio::spawn(uncounted(raw(5)).in_current_span());
        raw(2).await;
        local.await.unwrap();
        elsewhere.await.unwrap();
    };
    let ((), report) = measure(local.run_until(beside)).await;
    assert_eq!(report.queries(), 2, "{report}");
    let spawned = async { tokio::spawn(uncounted(raw(5)).in_current_span()).await.unwrap() };
    let ((), report) = measure(spawned).instrument(user).await;
    assert_eq!(report.queries(), 0, "{report}");
}

async fn raw(db: &PgPool, times: usize) {
    for _ in 0..times {
        sqlx::query("SELECT 1").execute(db).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn raw_queries_of_local_tasks_do_not_count_either() {
    subscribe();
    with_postgres(async |db| {
        tokio::task::block_in_place(|| {
            let local = LocalSet::new();
            let run = measure(local.run_until(async {
                let untold = db.clone();
                let untold = spawn_local(async move { raw(&untold, 5).await });
                raw(&db, 2).await;
                untold.await.unwrap();
            }));
            let ((), report) = tokio::runtime::Handle::current().block_on(run);
            assert_eq!(report.queries(), 2, "{report}");
        });
    })
    .await;
}
