//! Counting never interferes with what it counts: values, tasks, names and nesting of any kind and number.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake};
use std::time::{Duration, Instant};

use futures_util::{FutureExt, StreamExt};
use query_budget::__private::{Site, query};
use query_budget::{BudgetExt, measure, scope, stats};
use query_budget_tests::with_postgres;
use sqlx::postgres::PgBindIterExt;
use sqlx::{Encode, Executor, Postgres, SqlitePool, Type};

static ONE: Site = Site::new("SELECT 1", 1, "src/one.rs", 1, 1);
static ANY: Site = Site::new("SELECT count(*) FROM unnest($1::bigint[])", 2, "src/any.rs", 1, 1);
static SERIES: Site = Site::new("SELECT * FROM generate_series(1, 1000)", 3, "src/series.rs", 1, 1);

async fn sqlite() -> SqlitePool {
    SqlitePool::connect("sqlite::memory:").await.unwrap()
}

/// A value that can only be encoded once, such as an iterator over its elements.
struct Once(std::cell::Cell<bool>);

impl Type<Postgres> for Once {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        <i64 as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Once {
    fn encode_by_ref(
        &self,
        buffer: &mut sqlx::postgres::PgArgumentBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        assert!(!self.0.replace(true), "it is encoded twice");
        <i64 as Encode<Postgres>>::encode(7, buffer)
    }
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn values_are_encoded_once() {
    with_postgres(async |db| {
        let ids = [1_i64, 2, 3];
        let ((), report) = measure(async {
            query::<Postgres>(&ANY).bind(ids.iter().bind_iter()).fetch_one(&db).await.unwrap();
            query::<Postgres>(&ANY).bind(ids.iter().bind_iter()).fetch_one(&db).await.unwrap();
        })
        .await;
        assert_eq!(report.statements()[0].parameters(), query_budget::ParameterSets::Same, "{report}");
        static BIGINT: Site = Site::new("SELECT $1::bigint", 4, "src/bigint.rs", 1, 1);
        let once = Once(std::cell::Cell::new(false));
        scope("once").run(query::<Postgres>(&BIGINT).bind(once).fetch_one(&db)).await.unwrap();
    })
    .await;
}

/// Each task starts the next one in its budget; only the newest is kept.
#[tokio::test]
async fn a_chain_of_tasks_keeps_no_scope_that_has_ended() {
    fn tick(
        left: usize,
        done: tokio::sync::oneshot::Sender<usize>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(scope("tick").run(async move {
            if left == 0 {
                let _ = done.send(left);
            } else {
                tokio::spawn(tick(left - 1, done).in_current_budget());
            }
        }))
    }
    let (done, last) = tokio::sync::oneshot::channel();
    tick(100_000, done).await;
    assert_eq!(last.await, Ok(0));
}

#[tokio::test]
async fn a_scope_within_an_ended_one_counts_in_those_around_that() {
    let db = sqlite().await;
    let ((), report) = measure(async {
        let mut late = None;
        scope("ends first").run(async { late = Some(query_budget::current()) }).await;
        let run = scope("late").run(query::<sqlx::Sqlite>(&ONE).execute(&db));
        late.expect("it was in a scope").run(run).await.unwrap();
    })
    .await;
    assert_eq!(report.queries(), 1, "{report}");
}

#[tokio::test]
async fn thousands_of_nested_scopes_are_entered_and_left() {
    let db = sqlite().await;
    let mut future: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
        query::<sqlx::Sqlite>(&ONE).execute(&db).await.unwrap();
    });
    for _ in 0..3_000 {
        future = Box::pin(scope("nested").run(future));
    }
    let ((), report) = measure(future).await;
    assert_eq!(report.queries(), 1);
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn rows_and_time_of_an_executors_own_methods_are_seen_by_the_layer() {
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;

    // Two layers, of which one counts.
    let subscriber = tracing_subscriber::registry().with(query_budget::layer()).with(query_budget::layer());
    let _ = subscriber.try_init();
    with_postgres(async |db| {
        let (_, report) = measure((&db).fetch_all(query::<Postgres>(&SERIES))).await;
        assert_eq!((report.queries(), report.rows()), (1, 1000), "{report}");
        assert!(!report.time().is_zero(), "{report}");
        let (_, report) = measure(sqlx::query("SELECT 1").fetch_all(&db)).await;
        assert_eq!(report.queries(), 1, "two layers count once: {report}");

        // The same text by `sql!`, slowly, and raw, at once.
        const SLOW: &str = "SELECT 7";
        static SAME: Site = Site::new(SLOW, 5, "src/same.rs", 1, 1);
        let (_, report) = measure(async {
            let mut rows = query::<Postgres>(&SAME).fetch(&db);
            let first = async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                while rows.next().await.is_some() {}
            };
            futures_util::future::join(first, sqlx::query(SLOW).fetch_all(&db)).await
        })
        .await;
        assert_eq!(report.queries(), 2, "{report}");

        // A task that was not told to count, although the span of the scope was carried along.
        let (_, report) = measure(async {
            use tracing::Instrument;
            let db = db.clone();
            let task = async move { sqlx::query("SELECT 8").execute(&db).await.map(drop) };
            tokio::spawn(task.in_current_span()).await.unwrap()
        })
        .await;
        assert_eq!(report.queries(), 0, "{report}");

        // Lists of any length are one statement, and quoted names distinguish statements.
        let (_, report) = measure(async {
            for length in 1..5 {
                let list = vec!["1"; length].join(", ");
                let text = format!("SELECT 9 WHERE 1 IN ({list})");
                sqlx::query(sqlx::AssertSqlSafe(text)).execute(&db).await.unwrap();
            }
            for name in ["one", "two"] {
                let text = format!(
                    "SELECT 1 AS \"a\" FROM (SELECT 2) \"{name}\" WHERE EXISTS (SELECT 1 FROM \"pg_class\")"
                );
                sqlx::query(sqlx::AssertSqlSafe(text)).execute(&db).await.unwrap();
            }
        })
        .await;
        let counts: Vec<usize> = report.statements().iter().map(query_budget::Statement::count).collect();
        assert_eq!(counts, [4, 1, 1], "{report}");
    })
    .await;
}

/// A waker that only records when it was first woken.
#[derive(Default)]
struct Bell(OnceLock<Instant>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.get_or_init(Instant::now);
    }
}

/// The consumer leaves while the database answers, and returns long after.
#[tokio::test]
async fn time_is_that_of_the_database_and_not_of_who_reads() {
    // Long enough on SQLite's own thread for the first poll to find nothing.
    static LONG: Site = Site::new(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT count(*) FROM n",
        4,
        "src/long.rs",
        1,
        1,
    );
    let db = sqlite().await;
    let (worked, report) = measure(async {
        let mut rows = query::<sqlx::Sqlite>(&LONG).fetch(&db);
        let mut worked = Duration::ZERO;
        loop {
            let (rung, begun) = (Arc::new(Bell::default()), Instant::now());
            let polled = rows.next().poll_unpin(&mut Context::from_waker(&rung.clone().into()));
            if let Poll::Ready(row) = polled {
                assert!(row.is_some_and(|row| row.is_ok()));
                return worked + begun.elapsed();
            }
            while rung.0.get().is_none() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            worked += rung.0.get().expect("it has rung").duration_since(begun);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    assert_eq!((report.queries(), report.rows()), (1, 1), "{report}");
    // Whatever was polled for is part of what the database worked, and ends before its bell is heard.
    assert!(!report.time().is_zero() && report.time() <= worked, "worked for {worked:?}: {report}");
}

/// A query that gets no connection did not run, and is in no count or figure; only its wait is.
#[tokio::test]
async fn a_query_without_a_connection_is_none() {
    static WAITS: Site = Site::new("SELECT 'waits'", 6, "src/waits.rs", 1, 1);
    let options = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    let options = options.acquire_timeout(Duration::from_millis(20));
    let db = options.connect("sqlite::memory:").await.unwrap();
    let _watched = query_budget::watch_pool("waits", &db);
    let held = db.acquire().await.unwrap();
    let (failed, report) = measure(query::<sqlx::Sqlite>(&WAITS).execute(&db)).await;
    assert!(matches!(failed, Err(sqlx::Error::PoolTimedOut)), "{failed:?}");
    assert_eq!(report.queries(), 0, "{report}");
    let stats = stats();
    assert!(stats.statements.iter().all(|statement| statement.sql != "SELECT 'waits'"), "{stats:?}");
    assert!(stats.waits.timed_out >= 1 && stats.waits.max >= Duration::from_millis(20), "{stats:?}");
    assert!(stats.pools.iter().any(|(name, pool)| name == "waits" && pool.is_exhausted()), "{stats:?}");
    drop(held);
}

/// The name is released when the returned value is dropped, unless another pool has taken it over.
#[tokio::test]
async fn a_pool_is_watched_as_long_as_is_asked_for() {
    let is_watched = || stats().pools.iter().any(|(name, _)| name == "guarded");
    let db = sqlite().await;
    let first = query_budget::watch_pool("guarded", &db);
    let second = query_budget::watch_pool("guarded", &db);
    drop(first);
    assert!(is_watched());
    drop(second);
    assert!(!is_watched());
}

#[tokio::test]
async fn counts_are_read_within_a_scope() {
    assert_eq!(query_budget::counts(), None);
    let db = sqlite().await;
    scope("page")
        .run(async {
            for turn in 0..3 {
                let counts = query_budget::counts().expect("in a scope");
                assert_eq!((counts.queries, counts.rows, counts.most_repeated), (turn, turn, turn));
                query::<sqlx::Sqlite>(&ONE).fetch_all(&db).await.unwrap();
            }
            scope("inner").run(async { assert_eq!(query_budget::counts().unwrap().queries, 0) }).await;
            assert_eq!(query_budget::current().counts().unwrap().queries, 3);
        })
        .await;
}

#[tokio::test]
async fn a_measurement_is_no_scope_of_the_process() {
    let _ = measure(async {}).await;
    drop(measure(std::future::pending::<()>()));
    let mut cancelled = Box::pin(measure(std::future::pending::<()>()));
    assert!(futures_util::FutureExt::now_or_never(&mut cancelled).is_none());
    drop(cancelled);
    assert!(stats().scopes.iter().all(|scope| scope.name != "measured code"));
}
