//! Caches in memory that tell each other what they write, over a server that comes and goes.

use std::time::Duration;

use query_budget::__private::query;
use query_budget::cache::{Cache, CachedPool};
use query_budget_tests::{random_name, with_postgres};
use sqlx::{PgPool, Postgres};

use crate::server::Server;
use crate::{INSERT, TABLE, count, until, url};

async fn instance(name: &str, url: &str, pool: &PgPool) -> CachedPool<Postgres> {
    Cache::in_memory_with_bus(name.to_owned(), url).await.unwrap().over(pool.clone())
}

/// Waits until another instance has been told of a write: from then on it reads this number.
async fn until_read(db: &CachedPool<Postgres>, n: i64) {
    for _ in 0..500 {
        if *count(db).await == n {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("not told within a second: {:?}", db.cache().stats());
}

/// Waits until it finds entries, and not only writes them.
async fn until_hit(db: &CachedPool<Postgres>) {
    let before = db.cache().stats().hits;
    for _ in 0..500 {
        count(db).await;
        if db.cache().stats().hits > before {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no hit within ten seconds: {:?}", db.cache().stats());
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_redis), ignore = "QUERY_BUDGET_TEST_REDIS is not set")]
#[cfg_attr(all(has_redis, not(has_postgres)), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn instances_tell_each_other_what_they_write() {
    with_postgres(async |pool| {
        sqlx::raw_sql(TABLE).execute(&pool).await.unwrap();
        let name = random_name();
        let (one, other) = (instance(&name, &url(), &pool).await, instance(&name, &url(), &pool).await);
        let stranger = instance(&random_name(), &url(), &pool).await;
        for db in [&one, &other, &stranger, &one, &other, &stranger] {
            assert_eq!(*count(db).await, 0);
        }
        let hits = [&one, &other, &stranger].map(|db| db.cache().stats().hits);
        assert_eq!(hits, [1, 1, 1], "each has entries of its own");

        query(&INSERT).execute(&one).await.unwrap();
        assert_eq!(*count(&one).await, 1, "in the same process at once");
        let misses = one.cache().stats().misses;
        until_read(&other, 1).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(
            (*count(&one).await, one.cache().stats().misses),
            (1, misses),
            "its own message is none for it"
        );
        assert_eq!(*count(&stranger).await, 0, "a cache of another name is not told");

        let mut transaction = other.begin().await.unwrap();
        query(&INSERT).execute(&mut transaction).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(*count(&one).await, 1, "nothing is told before the commit");
        assert!(transaction.commit().await.unwrap().acknowledged);
        until_read(&one, 2).await;

        assert_eq!(*count(&other).await, 2);
        query(&INSERT).execute(one.pool()).await.unwrap();
        assert_eq!(*count(&other).await, 2, "a write on the pool itself is not seen");
        assert!(one.invalidate(["other tables"]).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(*count(&other).await, 2);
        assert!(one.invalidate(["items"]).await);
        until_read(&other, 3).await;
        query(&INSERT).execute(one.pool()).await.unwrap();
        assert!(one.cache().invalidate_all().await);
        until_read(&other, 4).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_redis), ignore = "QUERY_BUDGET_TEST_REDIS is not set")]
#[cfg_attr(all(has_redis, not(has_postgres)), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn what_was_missed_is_not_found() {
    let Some(mut server) = Server::start() else {
        println!("there is no `redis-server` to start");
        return;
    };
    with_postgres(async move |pool| {
        sqlx::raw_sql(TABLE).execute(&pool).await.unwrap();
        let (name, url) = (random_name(), server.url());
        let (one, other) = (instance(&name, &url, &pool).await, instance(&name, &url, &pool).await);
        assert_eq!((*count(&one).await, *count(&other).await), (0, 0));

        // A paused server answers nothing: its caches are not read for longer than a second.
        server.pause();
        let mut transaction = one.begin().await.unwrap();
        query(&INSERT).execute(&mut transaction).await.unwrap();
        assert!(!transaction.commit().await.unwrap().acknowledged);
        assert_eq!(*count(&one).await, 1);
        until_read(&other, 1).await;
        assert!(other.cache().stats().bypassed > 0, "{:?}", other.cache().stats());
        server.resume();
        until("the server has it", || one.cache().stats().pending == 0).await;
        until_hit(&one).await;
        until_hit(&other).await;

        // A killed server loses what nobody has received.
        server.kill();
        query(&INSERT).execute(&one).await.unwrap();
        assert_eq!(*count(&one).await, 2);
        until_read(&other, 2).await;
        server.start_again();
        until_hit(&one).await;
        until_hit(&other).await;
        query(&INSERT).execute(&other).await.unwrap();
        until_read(&one, 3).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn server_of_messages_that_is_down_is_no_error() {
    with_postgres(async |pool| {
        sqlx::raw_sql(TABLE).execute(&pool).await.unwrap();
        let db = instance(&random_name(), "redis://127.0.0.1:1", &pool).await;
        query(&INSERT).execute(&db).await.unwrap();
        assert_eq!((*count(&db).await, *count(&db).await), (1, 1));
        let stats = db.cache().stats();
        assert_eq!((stats.hits, stats.bypassed, stats.unacknowledged), (0, 2, 1), "{stats:?}");
        assert!(stats.pending > 0 && stats.errors > 0, "{stats:?}");
    })
    .await;
    let error = Cache::in_memory_with_bus("test", "no url").await.unwrap_err();
    assert_eq!(error.to_string(), "read the URL of the cache's server");
}
