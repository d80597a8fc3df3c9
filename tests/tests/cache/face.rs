//! A common interface to three databases: a table, and the few queries that the cases need, each made as
//! `sql!` makes it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use query_budget::__private::batch::{Each, Piece, Statement, batch};
use query_budget::__private::{Site, Tables, query, query_scalar};
use query_budget::cache::{Cache, Cached, CachedPool, Transaction};
use query_budget::{Batch, EachRow, NoRows};
use query_budget_tests::{Scratch, with_mysql, with_postgres};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{Database, MySql, Pool, Postgres, Result, Row, Sqlite};

/// Long enough for a test.
pub(crate) const LONG: Duration = Duration::from_secs(600);

const fn reads(tables: &'static [&'static str]) -> Tables {
    Tables { reads: tables, writes: &[], reads_unknown: false, writes_unknown: false, schema: 1 }
}

const fn writes(tables: &'static [&'static str]) -> Tables {
    Tables { reads: &[], writes: tables, reads_unknown: false, writes_unknown: false, schema: 1 }
}

static READS: Tables = reads(&["items"]);
static WRITES: Tables = writes(&["items"]);
static WRITES_OTHER: Tables = writes(&["others"]);

const VALUES: Piece = Piece::Text("INSERT INTO items (id, n) VALUES ");
const EACH: Piece = Piece::Each(&[Piece::Text("("), Piece::Row(0), Piece::Text(", 7)")], ", ");

/// A batch of two rows in a statement, on a database whose first placeholder is this.
const fn rows(pieces: &'static [Piece], first: &str) -> Statement {
    let is_numbered = matches!(first.as_bytes(), b"$1");
    Statement { pieces, most_rows: 2, is_reversed: false, is_write: true, is_numbered }
}

/// A database with an empty table `items (id, n)`, and queries on it.
pub(crate) trait Face: Sized + 'static {
    type Db: Database;

    /// The number of rows.
    fn count(db: &CachedPool<Self::Db>, lives: Duration) -> impl Future<Output = Result<Arc<i64>>> + Send;
    /// The number of the item, and a text that is not examined, or NULL.
    fn item(
        db: &CachedPool<Self::Db>,
        id: i64,
        text: Option<&str>,
    ) -> impl Future<Output = Result<Arc<Option<i64>>>> + Send;
    /// All ids, with these tags.
    fn ids(
        db: &CachedPool<Self::Db>,
        tags: &[&'static str],
    ) -> impl Future<Output = Result<Arc<Vec<i64>>>> + Send;
    /// The number of rows, by a query whose tables are unknown.
    fn count_unknown(db: &CachedPool<Self::Db>) -> impl Future<Output = Result<Arc<i64>>> + Send;
    /// Takes a while, and returns 1.
    fn slow(db: &CachedPool<Self::Db>) -> impl Future<Output = Result<Arc<i64>>> + Send;
    /// The number of rows, with something done while the row is read.
    fn count_while(
        db: &CachedPool<Self::Db>,
        act: impl FnMut() + Send,
    ) -> impl Future<Output = Result<Arc<i64>>> + Send;
    /// A query that the database rejects.
    fn refused(db: &CachedPool<Self::Db>) -> impl Future<Output = Result<Arc<i64>>> + Send;
    fn insert(db: &CachedPool<Self::Db>, id: i64) -> impl Future<Output = Result<()>> + Send;
    fn insert_in(transaction: &mut Transaction<Self::Db>, id: i64)
    -> impl Future<Output = Result<()>> + Send;
    /// Inserts a row, and reads the rows that the statement returns as a stream.
    fn insert_returning(db: &CachedPool<Self::Db>, id: i64) -> impl Future<Output = Result<Vec<i64>>> + Send;
    /// Inserts rows as a batch, two in a statement.
    fn insert_batch(db: &CachedPool<Self::Db>, ids: &[i64]) -> impl Future<Output = Result<()>> + Send;
    fn insert_batch_in(
        transaction: &mut Transaction<Self::Db>,
        ids: &[i64],
    ) -> impl Future<Output = Result<Vec<i64>>> + Send;
    /// A write that the cache does not see.
    fn insert_by_connection(
        transaction: &mut Transaction<Self::Db>,
        id: i64,
    ) -> impl Future<Output = Result<()>> + Send;
    fn write_other(db: &CachedPool<Self::Db>) -> impl Future<Output = Result<()>> + Send;
    fn write_unknown(db: &CachedPool<Self::Db>) -> impl Future<Output = Result<()>> + Send;
    /// Another pool on a separate database, with one row.
    fn another(db: &CachedPool<Self::Db>) -> impl Future<Output = Option<CachedPool<Self::Db>>> + Send;
}

macro_rules! site {
    ($tables:expr, $($part:literal),+) => {
        Site::new(concat!($($part),+), 1, file!(), line!(), column!()).touching($tables)
    };
}

macro_rules! face {
    ($Face:ident, $Db:ty, [$first:literal, $second:literal], $slow:literal, $insert_returning:literal, $another:expr) => {
        pub(crate) struct $Face;

        impl Face for $Face {
            type Db = $Db;

            async fn count(db: &CachedPool<$Db>, lives: Duration) -> Result<Arc<i64>> {
                static SITE: Site = site!(&READS, "SELECT count(*) FROM items");
                query_scalar::<$Db, i64>(&SITE).cached(lives).fetch_one(db).await
            }

            async fn item(db: &CachedPool<$Db>, id: i64, text: Option<&str>) -> Result<Arc<Option<i64>>> {
                static SITE: Site = site!(
                    &READS,
                    "SELECT n FROM items WHERE id = ",
                    $first,
                    " AND coalesce(",
                    $second,
                    ", '') <> 'x'"
                );
                query_scalar::<$Db, i64>(&SITE).bind(id).bind(text).cached(LONG).fetch_optional(db).await
            }

            async fn ids(db: &CachedPool<$Db>, tags: &[&'static str]) -> Result<Arc<Vec<i64>>> {
                static SITE: Site = site!(&READS, "SELECT id FROM items ORDER BY id");
                let tags = tags.to_vec();
                query_scalar::<$Db, i64>(&SITE).cached(LONG).tagged(tags).fetch_all(db).await
            }

            async fn count_unknown(db: &CachedPool<$Db>) -> Result<Arc<i64>> {
                static SITE: Site =
                    Site::new("SELECT count(*) + 0 FROM items", 1, file!(), line!(), column!());
                query_scalar::<$Db, i64>(&SITE).cached(LONG).fetch_one(db).await
            }

            async fn slow(db: &CachedPool<$Db>) -> Result<Arc<i64>> {
                static SITE: Site = site!(&READS, $slow);
                query(&SITE).map(|_| 1).cached(LONG).fetch_one(db).await
            }

            async fn count_while(db: &CachedPool<$Db>, mut act: impl FnMut() + Send) -> Result<Arc<i64>> {
                static SITE: Site = site!(&READS, "SELECT count(*) FROM items");
                let query: Cached<$Db, _> = query(&SITE)
                    .try_map(move |row: <$Db as Database>::Row| {
                        act();
                        row.try_get::<i64, _>(0)
                    })
                    .cached(LONG);
                query.fetch_one(db).await
            }

            async fn refused(db: &CachedPool<$Db>) -> Result<Arc<i64>> {
                static SITE: Site = site!(&READS, "SELECT count(*) FROM no_such_table");
                query_scalar::<$Db, i64>(&SITE).cached(LONG).fetch_one(db).await
            }

            async fn insert(db: &CachedPool<$Db>, id: i64) -> Result<()> {
                static SITE: Site = site!(&WRITES, "INSERT INTO items (id, n) VALUES (", $first, ", 7)");
                query(&SITE).bind(id).execute(db).await.map(drop)
            }

            async fn insert_in(transaction: &mut Transaction<$Db>, id: i64) -> Result<()> {
                static SITE: Site = site!(&WRITES, "INSERT INTO items (id, n) VALUES (", $first, ", 7)");
                query(&SITE).bind(id).execute(transaction).await.map(drop)
            }

            async fn insert_returning(db: &CachedPool<$Db>, id: i64) -> Result<Vec<i64>> {
                static SITE: Site = site!(&WRITES, $insert_returning);
                query_scalar::<$Db, i64>(&SITE).bind(id).fetch(db).try_collect().await
            }

            async fn insert_batch(db: &CachedPool<$Db>, ids: &[i64]) -> Result<()> {
                static SITE: Site =
                    Site::for_rows("INSERT INTO items", "INSERT INTO items (id, n) VALUES ", 1)
                        .touching(&WRITES);
                static ROWS: Statement = rows(&[VALUES, EACH], $first);
                let rows: Batch<$Db, NoRows> = batch(&SITE, &ROWS, &[&Each(ids)], &[]);
                rows.execute(db).await.map(drop)
            }

            async fn insert_batch_in(transaction: &mut Transaction<$Db>, ids: &[i64]) -> Result<Vec<i64>> {
                static SITE: Site =
                    Site::for_rows("INSERT INTO items", "INSERT INTO items (id, n) VALUES ", 1)
                        .touching(&WRITES);
                static ROWS: Statement = rows(&[VALUES, EACH, Piece::Text(" RETURNING id")], $first);
                let rows: Batch<$Db, EachRow> = batch(&SITE, &ROWS, &[&Each(ids)], &[]);
                rows.try_map(|row: <$Db as Database>::Row| row.try_get(0)).fetch_all(transaction).await
            }

            async fn insert_by_connection(transaction: &mut Transaction<$Db>, id: i64) -> Result<()> {
                static SITE: Site =
                    site!(&WRITES_OTHER, "INSERT INTO items (id, n) VALUES (", $first, ", 7)");
                query(&SITE).bind(id).execute(transaction.connection()).await.map(drop)
            }

            async fn write_other(db: &CachedPool<$Db>) -> Result<()> {
                static SITE: Site = site!(&WRITES_OTHER, "UPDATE items SET n = n");
                query(&SITE).execute(db).await.map(drop)
            }

            async fn write_unknown(db: &CachedPool<$Db>) -> Result<()> {
                static SITE: Site = Site::new("UPDATE items SET n = n + 0", 1, file!(), line!(), column!());
                query(&SITE).execute(db).await.map(drop)
            }

            async fn another(db: &CachedPool<$Db>) -> Option<CachedPool<$Db>> {
                let pool: Option<Pool<$Db>> = $another.await;
                Some(db.cache().over(pool?))
            }
        }
    };
}

face!(
    OnPostgres,
    Postgres,
    ["$1", "$2"],
    "SELECT 1 FROM pg_sleep(0.3)",
    "INSERT INTO items (id, n) VALUES ($1, 7) RETURNING id",
    async { None }
);
face!(
    OnMySql,
    MySql,
    ["?", "?"],
    "SELECT SLEEP(0.3)",
    "INSERT INTO items (id, n) VALUES (?, 7) RETURNING id",
    async { None }
);
face!(
    OnSqlite,
    Sqlite,
    ["?1", "?2"],
    "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 1000000) SELECT count(*) FROM c",
    "INSERT INTO items (id, n) VALUES (?1, 7) RETURNING id",
    async {
        let pool = in_memory().await;
        sqlx::raw_sql("INSERT INTO items VALUES (1, 1)").execute(&pool).await.unwrap();
        Some(pool)
    }
);

const TABLE: &str = "CREATE TABLE items (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)";

async fn in_memory() -> Pool<Sqlite> {
    on_url("sqlite::memory:").await
}

async fn on_url(url: &str) -> Pool<Sqlite> {
    let pool = SqlitePoolOptions::new().max_connections(1).connect(url).await.unwrap();
    sqlx::raw_sql(TABLE).execute(&pool).await.unwrap();
    pool
}

fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(test);
}

pub(crate) fn on_sqlite<F: Future<Output = ()> + Send + 'static>(case: impl FnOnce(CachedPool<Sqlite>) -> F) {
    // In a file: a cancelled write may close its connection, and a database in memory would go with it.
    let scratch = Scratch::new();
    let url = format!("sqlite://{}?mode=rwc", scratch.path().join("items.db").display());
    block_on(async { case(Cache::in_memory("test").over(on_url(&url).await)).await });
}

pub(crate) fn on_postgres<F: Future<Output = ()> + Send + 'static>(
    case: impl FnOnce(CachedPool<Postgres>) -> F + Send + 'static,
) {
    block_on(with_postgres(|pool| async move {
        sqlx::raw_sql(TABLE).execute(&pool).await.unwrap();
        case(Cache::in_memory("test").over(pool)).await;
    }));
}

pub(crate) fn on_mysql<F: Future<Output = ()> + Send + 'static>(
    case: impl FnOnce(CachedPool<MySql>) -> F + Send + 'static,
) {
    block_on(with_mysql(|pool| async move {
        sqlx::raw_sql(TABLE).execute(&pool).await.unwrap();
        case(Cache::in_memory("test").over(pool)).await;
    }));
}
