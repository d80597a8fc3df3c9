//! Latencies of each query and scope, as percentiles, as JSON and as metrics; the statistics of pools and their options.

use std::time::Duration;

use futures_util::future::join_all;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use query_budget::__private::{Site, query};
use query_budget::{PoolProfile, PoolStats, StatementTimeout, scope, stats, watch_pool};
use query_budget_tests::{with_mysql, with_postgres};
use sqlx::{Database, Executor, IntoArguments, Pool, SqlitePool};

static FAST: Site = Site::new("SELECT 1\n  LIMIT 1", 1, "src/fast.rs", 1, 1);
static SLOW: Site = Site::new("SELECT SLEEP(0.2)", 1, "src/slow.rs", 1, 1);

/// A single test, because statistics belong to the process.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
async fn stats_of_a_process() {
    let recorder = DebuggingRecorder::new();
    let metrics = recorder.snapshotter();
    recorder.install().unwrap();
    with_mysql(|db| async move {
        let page = |slow: bool| {
            let db = &db;
            scope("page").run(async move {
                query(&FAST).fetch_all(db).await.unwrap();
                if slow {
                    query(&SLOW).fetch_all(db).await.unwrap();
                }
            })
        };
        for turn in 0..20 {
            page(turn >= 18).await;
        }
        let _watched = watch_pool("main", &db);
        as_data();
        as_json();
        as_metrics(&metrics);
        // Failed and dropped executions have taken time too.
        let dropped = tokio::time::timeout(Duration::from_millis(20), query(&SLOW).fetch_all(&db)).await;
        assert!(dropped.is_err());
        let slow = stats().statements.into_iter().find(|it| it.sql == SLOW_TEXT).expect("it ran");
        assert_eq!((slow.latency.count, slow.rows), (3, 2));
        db.close().await;
        assert!(stats().pools.is_empty(), "a closed pool is not watched");
    })
    .await;
}

const SLOW_TEXT: &str = "SELECT SLEEP(0.2)";

fn as_data() {
    let stats = stats();
    let [slow, fast] = &stats.statements[..] else { panic!("{stats:?}") };
    // Sorted by total time, largest first.
    assert_eq!((slow.sql.as_str(), fast.sql.as_str()), (SLOW_TEXT, "SELECT 1 LIMIT 1"));
    assert_eq!(fast.place.unwrap().to_string(), "src/fast.rs:1:1");
    assert_eq!((slow.latency.count, fast.latency.count, slow.rows, fast.rows), (2, 20, 2, 20));
    let [page] = &stats.scopes[..] else { panic!("{stats:?}") };
    assert_eq!((page.name.as_str(), page.queries, page.latency.count), ("page", 22, 20));
    // Eighteen of twenty are fast, and two take at least 200 ms.
    let (fast, slow) = (Duration::from_millis(150), Duration::from_millis(198));
    assert!(page.latency.p50 < fast && page.latency.p95 > slow && page.latency.p99 > slow, "{page:?}");
    assert!(page.latency.p50 <= page.latency.p95 && page.latency.p95 <= page.latency.p99, "{page:?}");
    assert!(page.latency.p99 <= page.latency.max && page.latency.total > 2 * slow, "{page:?}");
}

fn as_json() {
    let json: serde_json::Value = serde_json::from_str(&stats().to_json()).expect("JSON");
    let first = &json["statements"][0];
    assert_eq!(first["sql"], SLOW_TEXT);
    assert_eq!(first["site"], "src/slow.rs:1:1");
    assert_eq!(first["latency"]["count"], 2);
    assert!(first["latency"]["p95_ms"].as_f64().unwrap() > 198.0, "{json}");
    assert_eq!(json["scopes"][0]["name"], "page");
    let pool = &json["pools"][0];
    assert_eq!((&pool["name"], &pool["max"]), (&"main".into(), &10.into()), "{json}");
}

fn as_metrics(metrics: &Snapshotter) {
    query_budget::record_pools();
    let snapshot = metrics.snapshot().into_vec();
    let value = |name: &str, label: &str| {
        let found = snapshot
            .iter()
            .find(|(key, ..)| key.key().name() == name && key.key().labels().any(|its| its.value() == label));
        &found.unwrap_or_else(|| panic!("no {name} of {label}: {snapshot:?}")).3
    };
    assert_eq!(*value("query_budget_queries_total", "src/fast.rs:1:1"), DebugValue::Counter(20));
    assert_eq!(*value("query_budget_rows_total", "src/slow.rs:1:1"), DebugValue::Counter(2));
    for (name, label, times) in [
        ("query_budget_query_seconds", "src/fast.rs:1:1", 20),
        ("query_budget_scope_seconds", "page", 20),
        ("query_budget_scope_queries", "page", 20),
    ] {
        assert!(matches!(value(name, label), DebugValue::Histogram(all) if all.len() == times), "{name}");
    }
    assert!(matches!(value("query_budget_pool_connections", "max"), DebugValue::Gauge(max) if **max >= 1.0));
}

#[tokio::test]
async fn stats_of_a_pool() {
    let options = sqlx::sqlite::SqlitePoolOptions::new().max_connections(3);
    let db = options.connect("sqlite::memory:").await.unwrap();
    let held = join_all([db.acquire(), db.acquire()]).await;
    let PoolStats { size, idle, used, max, .. } = PoolStats::of(&db);
    assert_eq!((size, idle, used, max), (2, 0, 2, 3));
    drop(held);
}

/// The database cancels a statement that takes longer than the profile allows, with one of these codes.
async fn gives_up<DB>(
    options: <DB::Connection as sqlx::Connection>::Options,
    slow: &'static str,
    given_up: &[&str],
) where
    DB: Database + StatementTimeout,
    DB::Arguments: IntoArguments<DB>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let mut profile = PoolProfile::SERVERLESS;
    profile.statement_timeout = Some(Duration::from_millis(100));
    let db: Pool<DB> = profile.options().connect_with(options.clone()).await.unwrap();
    let outcome = sqlx::query(slow).execute(&db).await;
    let said = outcome.err().expect("it is given up").into_database_error().expect("the database says so");
    assert!(said.code().is_some_and(|code| given_up.contains(&&*code)), "{said}");
    // Without a limit it does not.
    profile.statement_timeout = None;
    let unlimited: Pool<DB> = profile.options().connect_with(options).await.unwrap();
    sqlx::query(slow).execute(&unlimited).await.unwrap();
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn postgres_gives_up_a_statement() {
    with_postgres(|db| async move {
        gives_up::<sqlx::Postgres>(db.connect_options().as_ref().clone(), "SELECT pg_sleep(0.5)", &["57014"])
            .await;
    })
    .await;
}

#[tokio::test]
#[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
async fn mysql_gives_up_a_statement() {
    with_mysql(|db| async move {
        gives_up::<sqlx::MySql>(
            db.connect_options().as_ref().clone(),
            "SELECT SLEEP(0.5)",
            &["70100", "HY000"],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn sqlite_takes_a_profile() {
    let db: SqlitePool = PoolProfile::of_environment().options().connect("sqlite::memory:").await.unwrap();
    sqlx::query("SELECT 1").execute(&db).await.unwrap();
    assert!(db.options().get_max_connections() >= 1);
}
