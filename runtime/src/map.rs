//! [`Map`]: a counted query whose rows are mapped by a closure, on which the other mapped queries are built.

use std::fmt::{self, Debug, Formatter};

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
#[cfg(feature = "cache")]
use sqlx::Executor as _;
use sqlx::database::HasStatementCache;
use sqlx::{Either, Result};

use crate::driver::{self, ArgumentsOf, Database, IntoArguments};
use crate::mapped::{FetchOne, FetchOptional};
use crate::query::{Query, rows_of_all};
use crate::target::{Target, run};

/// A query that maps its rows to a Rust type: sqlx's [`Map`](sqlx::query::Map), counted.
///
/// Made by [`Query::map`] and [`Query::try_map`], and by `sql!` for a query with columns.
///
/// ```
/// use query_budget::sql_as;
/// use sqlx::{Result, SqlitePool};
/// # #[derive(sqlx::FromRow)]
/// struct Event {
///     id: i64,
///     name: String,
/// }
///
/// async fn titles(db: &SqlitePool, user: i64) -> Result<Vec<String>> {
///     sql_as!(Event, "SELECT id, name FROM events WHERE user_id = ?1 ORDER BY id LIMIT 20", user)
///         .map(|event| format!("{} ({})", event.name, event.id))
///         .fetch_all(db)
///         .await
/// }
/// # let _ = titles;
/// ```
#[must_use = "query must be executed to affect database"]
pub struct Map<DB: Database, F> {
    pub(crate) query: Query<DB>,
    mapper: F,
}

impl<DB: Database, F> Debug for Map<DB, F> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("query", &self.query).finish_non_exhaustive()
    }
}

impl<DB: Database, F> Map<DB, F> {
    pub(crate) fn new(query: Query<DB>, mapper: F) -> Self {
        Self { query, mapper }
    }
}

impl<DB: Database + HasStatementCache, F> Map<DB, F> {
    /// Whether the connection caches the prepared statement. It does by default.
    pub fn persistent(mut self, value: bool) -> Self {
        self.query = self.query.persistent(value);
        self
    }
}

impl<DB, F, O> Map<DB, F>
where
    DB: Database,
    ArgumentsOf<DB>: IntoArguments<DB>,
    F: FnMut(DB::Row) -> Result<O> + Send,
    O: Send + Unpin,
{
    /// Maps the result of mapping each row.
    pub fn map<G, P>(self, mut g: G) -> Map<DB, impl FnMut(DB::Row) -> Result<P> + Send>
    where
        G: FnMut(O) -> P + Send,
        P: Unpin,
    {
        self.try_map(move |value| Ok(g(value)))
    }

    /// Maps the result of mapping each row, or returns an error.
    pub fn try_map<G, P>(self, mut g: G) -> Map<DB, impl FnMut(DB::Row) -> Result<P> + Send>
    where
        G: FnMut(O) -> Result<P> + Send,
        P: Unpin,
    {
        let mut f = self.mapper;
        Map::new(self.query, move |row| f(row).and_then(&mut g))
    }

    /// Executes the query; returns its rows as a stream.
    ///
    /// # Errors
    ///
    /// The stream yields an error if the database or the connection fails, or if a row cannot be mapped.
    pub fn fetch<'e, 'c: 'e, E>(self, executor: E) -> BoxStream<'e, Result<O>>
    where
        E: 'e + Target<'c, Database = DB>,
        DB: 'e,
        F: 'e,
        O: 'e,
    {
        let mut mapper = self.mapper;
        self.query.fetch(executor).map(move |row| mapper(row?)).boxed()
    }

    /// Executes a text of several statements, as SQLite takes it; returns the rows and the result of each as a stream.
    ///
    /// # Errors
    ///
    /// The stream yields an error if the database or the connection fails, or if a row cannot be mapped. The
    /// statements before it have run.
    pub fn fetch_many<'e, 'c: 'e, E>(self, executor: E) -> BoxStream<'e, Result<Either<DB::QueryResult, O>>>
    where
        E: 'e + Target<'c, Database = DB>,
        DB: 'e,
        F: 'e,
        O: 'e,
    {
        let mut mapper = self.mapper;
        let items = self.query.fetch_many(executor);
        let mapped = items.map(move |item| match item? {
            Either::Left(result) => Ok(Either::Left(result)),
            Either::Right(row) => mapper(row).map(Either::Right),
        });
        mapped.boxed()
    }

    /// Executes the query; returns all its rows.
    ///
    /// # Errors
    ///
    /// If the database, the connection or the mapping fails.
    pub fn fetch_all<'e, 'c: 'e, E>(self, executor: E) -> BoxFuture<'e, Result<Vec<O>>>
    where
        E: 'e + Target<'c, Database = DB>,
        DB: 'e,
        F: 'e,
        O: 'e,
    {
        let Self { query, mut mapper } = self;
        let (counter, tables) = (query.counter, query.tables());
        run(executor, tables, |executor| {
            let rows = counter.begin(move || executor.fetch(query));
            let all = async move {
                let mut seen = counter.row_count();
                let rows = rows.map(move |row| {
                    let row = row?;
                    seen.saw_one();
                    mapper(row)
                });
                rows.try_collect().await
            };
            counter.time_alone(all, rows_of_all)
        })
    }

    /// Executes the query; returns its first row.
    ///
    /// # Errors
    ///
    /// If the database, the connection or the mapping fails; [`RowNotFound`](sqlx::Error::RowNotFound) if there is no row.
    pub fn fetch_one<'e, 'c: 'e, E>(self, executor: E) -> FetchOne<'e, DB::Row, F>
    where
        E: 'e + Target<'c, Database = DB>,
        DB: 'e,
        F: 'e,
        O: 'e,
    {
        self.fetch_optional(executor).or_not_found()
    }

    /// Executes the query; returns its first row, if there is one.
    ///
    /// # Errors
    ///
    /// If the database, the connection or the mapping fails.
    pub fn fetch_optional<'e, 'c: 'e, E>(self, executor: E) -> FetchOptional<'e, DB::Row, F>
    where
        E: 'e + Target<'c, Database = DB>,
        DB: 'e,
        F: 'e,
        O: 'e,
    {
        let Self { query, mapper } = self;
        FetchOptional::new(query.fetch_optional(executor), mapper)
    }
}

driver::execute!([DB: Database, F: Send] Map<DB, F>, |map| map.query);
