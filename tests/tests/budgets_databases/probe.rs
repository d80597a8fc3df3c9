//! A common interface to three databases: the few queries that the cases need, each made as `sql!` makes it.

use futures_util::stream::BoxStream;
use query_budget::__private::{Site, query, query_as, query_scalar};
use query_budget_tests::{with_mysql, with_postgres};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Executor, MySqlPool, PgPool, Result, SqlitePool};

/// The number of rows in the table `items`, numbered from 1.
pub(crate) const ITEMS: i64 = 100;

/// A database with the table `items`, and queries on it. Cheap to clone, since it is a pool.
pub(crate) trait Probe: Clone + Send + Sync + 'static {
    /// The suggested replacement for a repeated read, in terms of this database.
    const BATCH: &str;

    /// One row by its number, by `fetch_one`.
    fn one(&self, id: i64) -> impl Future<Output = Result<i64>> + Send;
    /// The first rows, by `fetch_all`.
    fn many(&self, limit: i64) -> impl Future<Output = Result<Vec<i64>>> + Send;
    /// The first rows as a stream.
    fn stream(&self, limit: i64) -> BoxStream<'_, Result<i64>>;
    /// A query that the database rejects.
    fn refused(&self) -> impl Future<Output = Result<()>> + Send;
    /// A query that takes a substantial part of a second.
    fn slow(&self) -> impl Future<Output = Result<()>> + Send;
    /// A query with two values, one of which may be NULL.
    fn with_values(&self, number: i64, text: Option<&str>) -> impl Future<Output = Result<()>> + Send;
    /// Each of the methods that execute a query, in every way: 14 queries, 11 rows observed.
    fn every_method(&self) -> impl Future<Output = Result<()>> + Send;
    /// Two queries in a transaction with a savepoint.
    fn in_transaction(&self) -> impl Future<Output = Result<()>> + Send;
}

macro_rules! site {
    ($($part:literal),+) => { Site::new(concat!($($part),+), 1, file!(), line!(), column!()) };
}

macro_rules! probe {
    ($pool:ty, $row:ty, [$parameter:literal, $second:literal, $text:literal], $batch:literal, $slow:literal) => {
        impl Probe for $pool {
            const BATCH: &str = $batch;

            async fn one(&self, id: i64) -> Result<i64> {
                static ONE: Site = site!("SELECT id FROM items WHERE id = ", $parameter);
                query_scalar(&ONE).bind(id).fetch_one(self).await
            }

            async fn many(&self, limit: i64) -> Result<Vec<i64>> {
                static MANY: Site = site!("SELECT id FROM items ORDER BY id LIMIT ", $parameter);
                query_scalar(&MANY).bind(limit).fetch_all(self).await
            }

            fn stream(&self, limit: i64) -> BoxStream<'_, Result<i64>> {
                static STREAM: Site = site!("SELECT id FROM items ORDER BY id LIMIT ", $parameter);
                query_scalar(&STREAM).bind(limit).fetch(self)
            }

            async fn refused(&self) -> Result<()> {
                static REFUSED: Site = site!("SELECT id FROM no_such_table WHERE id = ", $parameter);
                query(&REFUSED).bind(1_i64).execute(self).await.map(drop)
            }

            async fn slow(&self) -> Result<()> {
                static SLOW: Site = site!($slow);
                query(&SLOW).fetch_one(self).await.map(drop)
            }

            async fn with_values(&self, number: i64, text: Option<&str>) -> Result<()> {
                static PAIR: Site = site!(
                    "SELECT id FROM items WHERE id = ",
                    $parameter,
                    " AND CAST(id AS ",
                    $text,
                    ") <> ",
                    $second
                );
                query(&PAIR).bind(number).bind(text).fetch_optional(self).await.map(drop)
            }

            async fn every_method(&self) -> Result<()> {
                use futures_util::TryStreamExt;
                use sqlx::Row;

                static SITE: Site = site!("SELECT id FROM items WHERE id = ", $parameter);
                query(&SITE).bind(1_i64).execute(self).await?;
                query(&SITE).bind(1_i64).fetch_one(self).await?;
                query(&SITE).bind(1_i64).fetch_optional(self).await?;
                query(&SITE).bind(1_i64).fetch_all(self).await?;
                query(&SITE).bind(1_i64).fetch(self).try_collect::<Vec<_>>().await?;
                query(&SITE).bind(1_i64).map(|row: $row| row.get::<i64, _>(0)).fetch_all(self).await?;
                query(&SITE)
                    .bind(1_i64)
                    .try_map(|row: $row| row.try_get::<i64, _>(0))
                    .fetch_one(self)
                    .await?;
                query_as::<_, (i64,)>(&SITE).bind(1_i64).fetch_optional(self).await?;
                query_as::<_, (i64,)>(&SITE).bind(1_i64).fetch(self).try_collect::<Vec<_>>().await?;
                // With the executor's own methods the execution is observed, but not the rows.
                self.execute(query(&SITE).bind(1_i64)).await?;
                let mut connection = self.acquire().await?;
                connection.fetch_all(query_scalar::<_, i64>(&SITE).bind(1_i64)).await?;
                // Rows that the mapping rejects were still read.
                query(&SITE).bind(2_i64).try_map(refuse).fetch_all(&mut *connection).await.unwrap_err();
                query(&SITE).bind(2_i64).try_map(refuse).fetch_optional(&mut *connection).await.unwrap_err();
                drop(connection);
                query_as::<_, (String, i64)>(&SITE).bind(3_i64).fetch_one(self).await.unwrap_err();
                Ok(())
            }

            async fn in_transaction(&self) -> Result<()> {
                use sqlx::Acquire;

                static SITE: Site = site!("SELECT id FROM items WHERE id = ", $parameter);
                let mut transaction = self.begin().await?;
                query(&SITE).bind(1_i64).execute(&mut *transaction).await?;
                let mut savepoint = transaction.begin().await?;
                query(&SITE).bind(2_i64).execute(&mut *savepoint).await?;
                savepoint.rollback().await?;
                transaction.commit().await
            }
        }
    };
}

probe!(PgPool, sqlx::postgres::PgRow, ["$1", "$2", "TEXT"], "`= ANY($1)`", "SELECT 1 FROM pg_sleep(0.3)");
probe!(MySqlPool, sqlx::mysql::MySqlRow, ["?", "?", "CHAR"], "`IN (?, …)`", "SELECT SLEEP(0.3)");
probe!(
    SqlitePool,
    sqlx::sqlite::SqliteRow,
    ["?1", "?2", "TEXT"],
    "`IN (SELECT value FROM json_each($1))`",
    "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 3000000) SELECT count(*) FROM c"
);

fn refuse<R>(_: R) -> Result<()> {
    Err(sqlx::Error::RowNotFound)
}

/// Fills the table in one statement of the database's own dialect, uncounted.
macro_rules! fill {
    ($pool:expr) => {{
        let values: Vec<String> = (1..=ITEMS).map(|id| format!("({id})")).collect();
        let fill = format!("INSERT INTO items (id) VALUES {}", values.join(", "));
        sqlx::raw_sql("CREATE TABLE items (id BIGINT PRIMARY KEY)")
            .execute($pool)
            .await
            .expect("make the table");
        sqlx::raw_sql(sqlx::AssertSqlSafe(fill)).execute($pool).await.expect("fill the table");
    }};
}

/// Runs the case on an in-memory database.
pub(crate) fn on_sqlite<F: Future<Output = ()> + 'static>(case: fn(SqlitePool) -> F) {
    run(async move {
        // A single permanent connection: each connection to memory is a separate database.
        let one = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        let pool = one.connect("sqlite::memory:").await.expect("open a database in memory");
        fill!(&pool);
        here(|| case(pool));
    });
}

/// Runs the case on a separate database of the PostgreSQL server.
pub(crate) fn on_postgres<F: Future<Output = ()> + 'static>(case: fn(PgPool) -> F) {
    run(with_postgres(async move |pool: PgPool| {
        fill!(&pool);
        here(|| case(pool));
    }));
}

/// Runs the case on a separate database of the MySQL or MariaDB server.
pub(crate) fn on_mysql<F: Future<Output = ()> + 'static>(case: fn(MySqlPool) -> F) {
    run(with_mysql(async move |pool: MySqlPool| {
        fill!(&pool);
        here(|| case(pool));
    }));
}

/// Runs the case on this thread, because not every future of a test is `Send`.
fn here<F: Future<Output = ()> + 'static>(case: impl FnOnce() -> F) {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(case()));
}

fn run(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("start a runtime").block_on(case);
}
