//! [`Batch`]: what `sql_batch!` returns, one statement for many rows.

mod chunk;
mod columns;
mod started;
mod statement;

use std::collections::HashMap;
use std::fmt::{self, Debug, Formatter};
use std::hash::Hash;
use std::marker::PhantomData;
use std::ops::DerefMut;

use futures_util::future::BoxFuture;
use sqlx::database::HasStatementCache;
use sqlx::{Error, Executor, Result};

pub use columns::{Column, Each, Whole, each};
pub use statement::{Piece, Statement, batch};

use crate::driver::{ArgumentsOf, Database, IntoArguments};
use crate::target::{BatchTarget, run_batch};
use chunk::ChunkQuery;
use started::Starting;

/// A statement for many rows, made by [`sql_batch!`](crate::sql_batch): one query for each chunk of rows,
/// none if there are no rows.
///
/// A chunk holds as many rows as the database accepts in one statement. If there are several chunks that
/// write, they run in one transaction (inside a transaction, in a savepoint): the batch is written as a whole
/// or not at all. The values are encoded when the batch is made, so that it borrows nothing.
///
/// ```
/// use query_budget::{sql_batch, sql_batch_scalar};
/// # use sqlx::{Result, SqlitePool};
///
/// struct Log {
///     event_id: i64,
///     output: String,
/// }
///
/// async fn store(db: &SqlitePool, logs: &[Log], now: i64) -> Result<Vec<i64>> {
///     sql_batch_scalar!(
///         i64,
///         "INSERT INTO logs (event_id, output, status, started_at) VALUES (?1, ?2, 'succeeded', ?3) RETURNING id",
///         logs => |log| (log.event_id, &log.output),
///         now
///     )
///     .fetch_all(db)
///     .await
/// }
///
/// async fn forget(db: &SqlitePool, ids: &[i64]) -> Result<u64> {
///     Ok(sql_batch!("DELETE FROM logs WHERE id = ?1", ids => |id| id).execute(db).await?.rows_affected())
/// }
///
/// # let run = async {
/// # let db = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
/// # sqlx::raw_sql("CREATE TABLE logs (id INTEGER PRIMARY KEY, event_id INTEGER NOT NULL, status TEXT NOT NULL,
/// #     started_at INTEGER NOT NULL, output TEXT NOT NULL)").execute(&db).await?;
/// let logs: Vec<Log> = (0..1_000).map(|at| Log { event_id: at, output: format!("log {at}") }).collect();
/// let ids = store(&db, &logs, 7).await?;
/// assert_eq!(ids, (1..=1_000).collect::<Vec<i64>>());
/// assert_eq!(forget(&db, &ids[..10]).await?, 10);
/// # Ok::<_, sqlx::Error>(())
/// # };
/// # sqlx::__rt::test_block_on(run).unwrap();
/// ```
///
/// `G` says which rows are returned: [`EachRow`], [`SomeRows`], [`Selected`] or [`NoRows`].
#[must_use = "a batch must be executed to affect the database"]
pub struct Batch<DB: Database, G, F = NoRows> {
    queries: Vec<ChunkQuery<DB>>,
    is_write: bool,
    gives: PhantomData<fn() -> G>,
    read: F,
}

/// The statement returns one row for each input row, in the same order: INSERT with RETURNING.
#[derive(Debug)]
pub struct EachRow(());

/// The statement returns the rows that it wrote, possibly fewer than the input rows, and in no particular
/// order: `ON CONFLICT DO NOTHING`, `INSERT IGNORE`, `DO UPDATE .. WHERE`; UPDATE and DELETE with RETURNING.
#[derive(Debug)]
pub struct SomeRows(());

/// The statement is a SELECT: all rows of all keys.
#[derive(Debug)]
pub struct Selected(());

/// The statement returns nothing.
#[derive(Debug)]
pub struct NoRows(());

/// All rows of the result are returned.
#[diagnostic::on_unimplemented(
    message = "this batch does not return one row per input row",
    label = "rows may be missing, and the others have no order",
    note = "`ON CONFLICT DO NOTHING`, `INSERT IGNORE`, UPDATE and DELETE return nothing for a row that they leave alone: read those that were written with `fetch_some`"
)]
pub trait ReturnsAll {
    /// Whether there is one for each input row.
    #[doc(hidden)]
    const IS_EACH: bool;
}

impl ReturnsAll for EachRow {
    const IS_EACH: bool = true;
}

impl ReturnsAll for Selected {
    const IS_EACH: bool = false;
}

impl<DB: Database, G, F> Batch<DB, G, F> {
    /// The number of statements.
    #[must_use]
    pub fn statements(&self) -> usize {
        self.queries.len()
    }
}

impl<DB: Database, G> Batch<DB, G> {
    fn new(queries: Vec<ChunkQuery<DB>>, is_write: bool) -> Self {
        Self { queries, is_write, gives: PhantomData, read: NoRows(()) }
    }

    /// Decodes each returned row by `read`.
    pub fn try_map<O, F: FnMut(DB::Row) -> Result<O> + Send>(self, read: F) -> Batch<DB, G, F> {
        let Self { queries, is_write, gives, .. } = self;
        Batch { queries, is_write, gives, read }
    }
}

impl<DB, G, F> Batch<DB, G, F>
where
    DB: Database + HasStatementCache,
    ArgumentsOf<DB>: IntoArguments<DB>,
    for<'x> &'x mut DB::Connection: Executor<'x, Database = DB>,
{
    /// Writes the rows; returns the number of affected rows. `db` is a pool, a connection or a transaction, or the
    /// equivalent in `cache`, which invalidates what the batch has written.
    ///
    /// # Errors
    ///
    /// If the database or the connection fails, in which case nothing is written; or if a value cannot be
    /// encoded.
    pub fn execute<'e, 'c: 'e, A>(self, db: A) -> BoxFuture<'e, Result<DB::QueryResult>>
    where
        A: BatchTarget<'c, Database = DB> + Send + 'e,
        DB: 'e,
    {
        let Self { queries, is_write, .. } = self;
        let Some(tables) = queries.first().map(|chunk| chunk.query.tables()) else {
            return Box::pin(async { Ok(DB::QueryResult::default()) });
        };
        let in_transaction = is_write && queries.len() > 1;
        run_batch(db, tables, |db| execute_all(queries, Starting::of(db, in_transaction)))
    }
}

impl<DB, G, F, O> Batch<DB, G, F>
where
    DB: Database + HasStatementCache,
    ArgumentsOf<DB>: IntoArguments<DB>,
    for<'x> &'x mut DB::Connection: Executor<'x, Database = DB>,
    F: FnMut(DB::Row) -> Result<O> + Send,
    O: Send + Unpin,
{
    /// All returned rows: for an INSERT one for each input row, in the same order; for a SELECT those of all
    /// keys, in the order of the query within each chunk.
    ///
    /// # Errors
    ///
    /// If the database, the connection or the decoding of a row fails, in which case nothing is written. If
    /// an INSERT returns more or fewer rows than its input has, as with a trigger that skips some, rows cannot
    /// be assigned to inputs: that is an error too. Read such rows with [`fetch_some`](Self::fetch_some).
    pub fn fetch_all<'e, 'c: 'e, A>(self, db: A) -> BoxFuture<'e, Result<Vec<O>>>
    where
        A: BatchTarget<'c, Database = DB> + Send + 'e,
        G: ReturnsAll,
        DB: 'e,
        F: 'e,
        O: 'e,
    {
        self.collect(db, G::IS_EACH)
    }

    /// The returned rows, possibly fewer than the input rows, and in no particular order.
    ///
    /// # Errors
    ///
    /// If the database, the connection or the decoding of a row fails, in which case nothing is written.
    pub fn fetch_some<'e, 'c: 'e, A>(self, db: A) -> BoxFuture<'e, Result<Vec<O>>>
    where
        A: BatchTarget<'c, Database = DB> + Send + 'e,
        DB: 'e,
        F: 'e,
        O: 'e,
    {
        self.collect(db, false)
    }

    /// The returned rows by key; for rows with the same key, the last one.
    ///
    /// # Errors
    ///
    /// The same as [`fetch_some`](Self::fetch_some).
    pub fn fetch_map<'e, 'c: 'e, A, K>(
        self,
        db: A,
        mut key: impl FnMut(&O) -> K + Send + 'e,
    ) -> BoxFuture<'e, Result<HashMap<K, O>>>
    where
        A: BatchTarget<'c, Database = DB> + Send + 'e,
        K: Eq + Hash + Send + 'e,
        DB: 'e,
        F: 'e,
        O: 'e,
    {
        let rows = self.collect(db, false);
        Box::pin(async move { Ok(rows.await?.into_iter().map(|row| (key(&row), row)).collect()) })
    }

    /// The returned rows, grouped by key, in the order in which they arrived.
    ///
    /// # Errors
    ///
    /// The same as [`fetch_some`](Self::fetch_some).
    pub fn fetch_groups<'e, 'c: 'e, A, K>(
        self,
        db: A,
        mut key: impl FnMut(&O) -> K + Send + 'e,
    ) -> BoxFuture<'e, Result<HashMap<K, Vec<O>>>>
    where
        A: BatchTarget<'c, Database = DB> + Send + 'e,
        K: Eq + Hash + Send + 'e,
        DB: 'e,
        F: 'e,
        O: 'e,
    {
        let rows = self.collect(db, false);
        Box::pin(async move {
            let mut groups: HashMap<K, Vec<O>> = HashMap::new();
            for row in rows.await? {
                groups.entry(key(&row)).or_default().push(row);
            }
            Ok(groups)
        })
    }

    fn collect<'e, 'c: 'e, A>(self, db: A, is_each: bool) -> BoxFuture<'e, Result<Vec<O>>>
    where
        A: BatchTarget<'c, Database = DB> + Send + 'e,
        DB: 'e,
        F: 'e,
        O: 'e,
    {
        let Self { queries, is_write, read, .. } = self;
        let Some(tables) = queries.first().map(|chunk| chunk.query.tables()) else {
            return Box::pin(async { Ok(Vec::new()) });
        };
        let in_transaction = is_write && queries.len() > 1;
        run_batch(db, tables, |db| fetch_all(queries, Starting::of(db, in_transaction), read, is_each))
    }
}

fn execute_all<'e, 'c: 'e, DB, C>(
    queries: Vec<ChunkQuery<DB>>,
    starting: Starting<'c, DB, C>,
) -> BoxFuture<'e, Result<DB::QueryResult>>
where
    DB: Database + HasStatementCache,
    ArgumentsOf<DB>: IntoArguments<DB>,
    for<'x> &'x mut DB::Connection: Executor<'x, Database = DB>,
    C: DerefMut<Target = DB::Connection> + Send + 'e,
{
    Box::pin(async move {
        let mut started = starting.started().await?;
        let mut result = DB::QueryResult::default();
        let mut ended = Ok(());
        for query in queries {
            match query.execute(started.connection()).await {
                Ok(of_chunk) => result.extend([of_chunk]),
                Err(error) => {
                    ended = Err(error);
                    break;
                }
            }
        }
        started.end(ended).await.map(|()| result)
    })
}

fn fetch_all<'e, 'c: 'e, DB, C, F, O>(
    queries: Vec<ChunkQuery<DB>>,
    starting: Starting<'c, DB, C>,
    mut read: F,
    is_each: bool,
) -> BoxFuture<'e, Result<Vec<O>>>
where
    DB: Database + HasStatementCache,
    ArgumentsOf<DB>: IntoArguments<DB>,
    for<'x> &'x mut DB::Connection: Executor<'x, Database = DB>,
    C: DerefMut<Target = DB::Connection> + Send + 'e,
    F: FnMut(DB::Row) -> Result<O> + Send + 'e,
    O: Send + 'e,
{
    Box::pin(async move {
        let mut started = starting.started().await?;
        let mut rows = Vec::new();
        let mut ended = Ok(());
        for query in queries {
            let given = query.rows;
            let before = rows.len();
            let of_chunk = query.fetch_all(started.connection()).await;
            let read = of_chunk.and_then(|of_chunk| {
                of_chunk.into_iter().try_for_each(|row| read(row).map(|row| rows.push(row)))
            });
            ended = read.and_then(|()| match rows.len() - before {
                found if is_each && found != given => Err(not_each(given, found)),
                _ => Ok(()),
            });
            if ended.is_err() {
                break;
            }
        }
        started.end(ended).await.map(|()| rows)
    })
}

/// The error if rows cannot be assigned to inputs because of their number.
fn not_each(given: usize, found: usize) -> Error {
    Error::Protocol(format!(
        "an INSERT of {given} rows returned {found}: a trigger or a rule keeps rows back, so it is not known which row belongs to which input"
    ))
}

impl<DB: Database, G, F> Debug for Batch<DB, G, F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rows: usize = self.queries.iter().map(|query| query.rows).sum();
        f.debug_struct("Batch").field("statements", &self.queries.len()).field("rows", &rows).finish()
    }
}
