//! Cached reads over Redis: instances that share entries, and a server that comes and goes.

#[cfg(not(feature = "sqlx-08"))]
mod processes;
mod server;
mod told;

use std::sync::Arc;
use std::time::Duration;

use query_budget::__private::{Site, Tables, query, query_scalar};
use query_budget::cache::{Cache, CachedPool, Redis, Stores};
use query_budget_tests::{random_name, with_postgres};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{PgPool, Postgres, Result, Sqlite};

use crate::server::Server;

/// Long enough for a test.
const LONG: Duration = Duration::from_secs(600);

pub(crate) static READS: Tables =
    Tables { reads: &["items"], writes: &[], reads_unknown: false, writes_unknown: false, schema: 1 };
pub(crate) static WRITES: Tables =
    Tables { reads: &[], writes: &["items"], reads_unknown: false, writes_unknown: false, schema: 1 };

pub(crate) const TABLE: &str = "CREATE TABLE items (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)";

async fn count<S: Stores<i64>>(db: &CachedPool<Postgres, S>) -> Arc<i64> {
    static SITE: Site = Site::new("SELECT count(*) FROM items", 1, file!(), 1, 1).touching(&READS);
    query_scalar::<Postgres, i64>(&SITE).cached(LONG).fetch_one(db).await.unwrap()
}

async fn count_on_sqlite(db: &CachedPool<Sqlite, Redis>) -> Result<Arc<i64>> {
    static SITE: Site = Site::new("SELECT count(*) FROM items", 1, file!(), 2, 1).touching(&READS);
    query_scalar::<Sqlite, i64>(&SITE).cached(LONG).fetch_one(db).await
}

static INSERT: Site =
    Site::new("INSERT INTO items (id, n) SELECT count(*), 1 FROM items", 1, file!(), 3, 1).touching(&WRITES);

fn url() -> String {
    std::env::var("QUERY_BUDGET_TEST_REDIS").expect("`QUERY_BUDGET_TEST_REDIS` is set")
}

async fn instance(name: &str, pool: &PgPool) -> CachedPool<Postgres, Redis> {
    Cache::redis(name.to_owned(), &url()).await.unwrap().over(pool.clone())
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_redis), ignore = "QUERY_BUDGET_TEST_REDIS is not set")]
#[cfg_attr(all(has_redis, not(has_postgres)), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn instances_share_entries() {
    with_postgres(|pool| async move {
        sqlx::raw_sql(TABLE).execute(&pool).await.unwrap();
        let name = random_name();
        let (one, other) = (instance(&name, &pool).await, instance(&name, &pool).await);
        assert_eq!((*count(&one).await, *count(&other).await), (0, 0));
        assert_eq!((one.cache().stats().misses, other.cache().stats().misses), (1, 0));

        query(&INSERT).execute(&one).await.unwrap();
        assert_eq!((*count(&other).await, *count(&one).await), (1, 1));
        assert_eq!((one.cache().stats().misses, other.cache().stats().misses), (1, 1));

        let mut transaction = other.begin().await.unwrap();
        query(&INSERT).execute(&mut transaction).await.unwrap();
        assert_eq!(*count(&one).await, 1, "nothing is invalid before the commit");
        assert!(transaction.commit().await.unwrap().acknowledged);
        assert_eq!(*count(&one).await, 2);

        let mut transaction = other.begin().await.unwrap();
        query(&INSERT).execute(&mut transaction).await.unwrap();
        transaction.rollback().await.unwrap();
        let before = one.cache().stats().misses;
        assert_eq!((*count(&one).await, one.cache().stats().misses), (2, before));

        assert!(one.invalidate(["items"]).await);
        let before = other.cache().stats().misses;
        assert_eq!((*count(&other).await, other.cache().stats().misses), (2, before + 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_redis), ignore = "QUERY_BUDGET_TEST_REDIS is not set")]
#[cfg_attr(all(has_redis, not(has_postgres)), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn a_row_that_is_null_is_read_back_as_a_row() {
    static SITE: Site = Site::new("SELECT NULL::bigint FROM items", 1, file!(), 4, 1).touching(&READS);
    with_postgres(|pool| async move {
        sqlx::raw_sql(TABLE).execute(&pool).await.unwrap();
        let db = instance(&random_name(), &pool).await;
        let read = || query_scalar::<Postgres, Option<i64>>(&SITE).cached(LONG).fetch_optional(&db);
        assert_eq!((*read().await.unwrap(), *read().await.unwrap()), (None, None));
        assert_eq!(db.cache().stats().misses, 1, "that there is no row is kept");

        query(&INSERT).execute(&db).await.unwrap();
        assert_eq!((*read().await.unwrap(), *read().await.unwrap()), (Some(None), Some(None)));
    })
    .await;
}

async fn on_sqlite(cache: &Cache<Redis>) -> CachedPool<Sqlite, Redis> {
    let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
    sqlx::raw_sql(TABLE).execute(&pool).await.unwrap();
    cache.over(pool)
}

/// Waits for the effect of another task.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not within ten seconds: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn server_that_is_down_is_no_error() {
    let cache = Cache::redis(random_name(), "redis://127.0.0.1:1").await.unwrap();
    let db = on_sqlite(&cache).await;
    for _ in 0..3 {
        assert_eq!(*count_on_sqlite(&db).await.unwrap(), 0);
    }
    query(&INSERT).execute(&db).await.unwrap();
    assert_eq!(*count_on_sqlite(&db).await.unwrap(), 1);
    let mut transaction = db.begin().await.unwrap();
    query(&INSERT).execute(&mut transaction).await.unwrap();
    assert!(!transaction.commit().await.unwrap().acknowledged);
    let stats = cache.stats();
    assert_eq!((stats.hits, stats.misses, stats.bypassed), (0, 0, 4));
    assert_eq!((stats.invalidations, stats.unacknowledged), (2, 2));
    assert!(stats.pending > 0 && stats.errors > 0, "{stats:?}");
}

#[tokio::test]
async fn url_that_is_none_is_an_error() {
    let error = Cache::redis("test", "no url").await.unwrap_err();
    assert_eq!(error.to_string(), "read the URL of the cache's server");
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_redis), ignore = "QUERY_BUDGET_TEST_REDIS is not set")]
async fn what_a_server_missed_it_is_told() {
    let Some(mut server) = Server::start() else {
        println!("there is no `redis-server` to start");
        return;
    };
    let cache = Cache::redis(random_name(), &server.url()).await.unwrap();
    let db = on_sqlite(&cache).await;
    assert_eq!(*count_on_sqlite(&db).await.unwrap(), 0);
    assert_eq!(*count_on_sqlite(&db).await.unwrap(), 0);
    assert_eq!(cache.stats().hits, 1);

    // A paused server answers nothing and loses nothing: its content is outdated from now on.
    server.pause();
    query(&INSERT).execute(&db).await.unwrap();
    assert_eq!(*count_on_sqlite(&db).await.unwrap(), 1);
    let stats = cache.stats();
    assert_eq!((stats.unacknowledged, stats.bypassed), (1, 1), "{stats:?}");
    server.resume();
    until("it is told", || cache.stats().pending == 0).await;
    for _ in 0..500 {
        assert_eq!(*count_on_sqlite(&db).await.unwrap(), 1);
        if cache.stats().hits > 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(cache.stats().hits, 2, "{:?}", cache.stats());

    // Restarted with what it had written to disk before.
    server.kill();
    assert_eq!(*count_on_sqlite(&db).await.unwrap(), 1);
    query(&INSERT).execute(&db).await.unwrap();
    server.start_again();
    until("it is told", || cache.stats().pending == 0).await;
    for _ in 0..3 {
        assert_eq!(*count_on_sqlite(&db).await.unwrap(), 2);
    }
}
