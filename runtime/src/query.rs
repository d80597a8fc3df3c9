//! [`Query`]: what `sql!` returns, sqlx's query with its executions counted.

use std::fmt::{self, Debug, Formatter};

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
#[cfg(feature = "cache")]
use sqlx::Executor as _;
use sqlx::database::HasStatementCache;
use sqlx::encode::Encode;
use sqlx::error::BoxDynError;
use sqlx::{Either, Execute, Result, Type};

use crate::counting::Counter;
use crate::driver::{self, ArgumentsOf, Database, Inner, IntoArguments};
use crate::map::Map;
use crate::site::Site;
use crate::target::{Target, run, run_rows};

/// A prepared query that returns rows: sqlx's [`Query`](sqlx::query::Query), counted.
///
/// Made by `sql!`. The methods have sqlx's names and signatures, and it can be passed to an executor's own
/// methods.
///
/// ```
/// use query_budget::sql;
/// use sqlx::{Result, SqlitePool};
///
/// async fn rename(db: &SqlitePool, id: i64, name: &str) -> Result<bool> {
///     let done = sql!("UPDATE events SET name = ?1 WHERE id = ?2", name, id).execute(db).await?;
///     Ok(done.rows_affected() == 1)
/// }
/// # let _ = rename;
/// ```
#[must_use = "query must be executed to affect database"]
pub struct Query<DB: Database> {
    pub(crate) inner: Inner<DB>,
    pub(crate) counter: Counter,
    #[cfg(feature = "cache")]
    pub(crate) site: &'static Site,
}

impl<DB: Database> Debug for Query<DB> {
    /// Shows its text, in a build that counts, but no bound values.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Query");
        if let Some(sql) = self.counter.sql() {
            shown.field("sql", &sql);
        }
        shown.finish_non_exhaustive()
    }
}

/// The query at `site`, without bound values.
#[doc(hidden)]
pub fn query<DB: Database>(site: &'static Site) -> Query<DB> {
    Query {
        inner: sqlx::query(site.sql),
        counter: Counter::new(site),
        #[cfg(feature = "cache")]
        site,
    }
}

impl<DB: Database> Query<DB> {
    /// The query at `site` with all its bound values.
    #[inline]
    pub(crate) fn with_arguments(
        site: &'static Site,
        arguments: Result<ArgumentsOf<DB>, BoxDynError>,
        counter: Counter,
    ) -> Self
    where
        ArgumentsOf<DB>: IntoArguments<DB>,
    {
        Self::with_text(site, site.sql, arguments, counter)
    }

    /// The tables that it touches, for a cache.
    #[cfg(feature = "cache")]
    pub(crate) fn tables(&self) -> &'static crate::cache::Tables {
        self.site.tables
    }

    /// No cache: nothing needs them.
    #[cfg(not(feature = "cache"))]
    #[inline]
    #[expect(clippy::unused_self, reason = "used with the feature `cache`")]
    pub(crate) fn tables(&self) {}

    /// Passes the arguments to a function that inspects them. An argument that cannot be encoded is shown by
    /// its error.
    #[cfg(feature = "cache")]
    pub(crate) fn with_shown_arguments<T>(&mut self, look: impl FnOnce(&dyn std::fmt::Debug) -> T) -> T
    where
        DB: HasStatementCache,
        ArgumentsOf<DB>: IntoArguments<DB> + std::fmt::Debug,
    {
        let arguments = self.inner.take_arguments();
        let is_persistent = Execute::persistent(&self.inner);
        let looked = look(&arguments);
        let arguments = arguments.map(Option::unwrap_or_default);
        let query = sqlx::__query_with_result(self.site.sql, arguments);
        self.inner = query.persistent(is_persistent);
        looked
    }

    /// A query with another text than its site, and the same placeholders.
    #[cfg_attr(
        not(feature = "cache"),
        expect(unused_variables, reason = "unused without the feature `cache`")
    )]
    #[inline]
    pub(crate) fn with_text(
        site: &'static Site,
        text: &'static str,
        arguments: Result<ArgumentsOf<DB>, BoxDynError>,
        counter: Counter,
    ) -> Self
    where
        ArgumentsOf<DB>: IntoArguments<DB>,
    {
        Query {
            inner: sqlx::__query_with_result(text, arguments),
            counter,
            #[cfg(feature = "cache")]
            site,
        }
    }

    /// Binds a value to the next placeholder.
    ///
    /// An error in encoding it is returned when the query is executed.
    pub fn bind<'t, T: Encode<'t, DB> + Type<DB>>(mut self, value: T) -> Self {
        let witness = self.counter.witness();
        self.inner = driver::bind(self.inner, witness.of(value));
        self.counter.bound(witness);
        self
    }

    /// Binds a value to the next placeholder, or returns an error at once if it cannot be encoded.
    ///
    /// # Errors
    ///
    /// If the value cannot be encoded, or one bound before could not.
    pub fn try_bind<'t, T: Encode<'t, DB> + Type<DB>>(&mut self, value: T) -> Result<(), BoxDynError> {
        let witness = self.counter.witness();
        driver::try_bind(&mut self.inner, witness.of(value))?;
        self.counter.bound(witness);
        Ok(())
    }
}

impl<DB: Database + HasStatementCache> Query<DB> {
    /// Whether the connection caches the prepared statement. It does by default.
    pub fn persistent(mut self, value: bool) -> Self {
        self.inner = self.inner.persistent(value);
        self
    }
}

impl<DB: Database> Query<DB>
where
    ArgumentsOf<DB>: IntoArguments<DB>,
{
    /// Maps each row to another type.
    pub fn map<F, O>(self, mut f: F) -> Map<DB, impl FnMut(DB::Row) -> Result<O> + Send>
    where
        F: FnMut(DB::Row) -> O + Send,
        O: Unpin,
    {
        self.try_map(move |row| Ok(f(row)))
    }

    /// Maps each row to another type, or to an error.
    pub fn try_map<F, O>(self, f: F) -> Map<DB, F>
    where
        F: FnMut(DB::Row) -> Result<O> + Send,
        O: Unpin,
    {
        Map::new(self, f)
    }

    /// Executes the query; returns the number of rows it affected.
    ///
    /// # Errors
    ///
    /// If the database or the connection fails.
    pub fn execute<'e, 'c: 'e, E>(self, executor: E) -> BoxFuture<'e, Result<DB::QueryResult>>
    where
        E: 'e + Target<'c, Database = DB>,
    {
        let (counter, tables) = (self.counter, self.tables());
        run(executor, tables, |executor| {
            counter.time(move || executor.execute(self), |done| done.is_ok().then_some(0))
        })
    }

    /// Executes the query; returns its rows as a stream.
    ///
    /// # Errors
    ///
    /// The stream yields an error if the database or the connection fails.
    pub fn fetch<'e, 'c: 'e, E>(self, executor: E) -> BoxStream<'e, Result<DB::Row>>
    where
        E: 'e + Target<'c, Database = DB>,
    {
        let (counter, tables) = (self.counter, self.tables());
        run_rows(executor, tables, |executor| counter.observe(move || executor.fetch(self)))
    }

    /// Executes a text of several statements, as SQLite takes it; returns the rows and the result of each as a stream.
    ///
    /// # Errors
    ///
    /// The stream yields an error if the database or the connection fails. The statements before it have run.
    pub fn fetch_many<'e, 'c: 'e, E>(
        self,
        executor: E,
    ) -> BoxStream<'e, Result<Either<DB::QueryResult, DB::Row>>>
    where
        E: 'e + Target<'c, Database = DB>,
    {
        let (counter, tables) = (self.counter, self.tables());
        run_rows(executor, tables, |executor| {
            counter.observe_some(move || executor.fetch_many(self), |item| matches!(item, Either::Right(_)))
        })
    }

    /// Executes the query; returns all its rows.
    ///
    /// # Errors
    ///
    /// If the database or the connection fails.
    pub fn fetch_all<'e, 'c: 'e, E>(self, executor: E) -> BoxFuture<'e, Result<Vec<DB::Row>>>
    where
        E: 'e + Target<'c, Database = DB>,
    {
        let (counter, tables) = (self.counter, self.tables());
        run(executor, tables, |executor| counter.time(move || executor.fetch_all(self), rows_of_all))
    }

    /// Executes the query; returns its first row.
    ///
    /// # Errors
    ///
    /// If the database or the connection fails; [`RowNotFound`](sqlx::Error::RowNotFound) if there is no row.
    pub fn fetch_one<'e, 'c: 'e, E>(self, executor: E) -> BoxFuture<'e, Result<DB::Row>>
    where
        E: 'e + Target<'c, Database = DB>,
    {
        let (counter, tables) = (self.counter, self.tables());
        let rows = |row: &Result<_>| match row {
            Ok(_) => Some(1),
            // The database executed the query successfully.
            Err(sqlx::Error::RowNotFound) => Some(0),
            Err(_) => None,
        };
        run(executor, tables, |executor| counter.time(move || executor.fetch_one(self), rows))
    }

    /// Executes the query; returns its first row, if there is one.
    ///
    /// # Errors
    ///
    /// If the database or the connection fails.
    pub fn fetch_optional<'e, 'c: 'e, E>(self, executor: E) -> BoxFuture<'e, Result<Option<DB::Row>>>
    where
        E: 'e + Target<'c, Database = DB>,
    {
        let (counter, tables) = (self.counter, self.tables());
        let rows = |row: &Result<Option<_>>| row.as_ref().ok().map(|row| usize::from(row.is_some()));
        run(executor, tables, |executor| counter.time(move || executor.fetch_optional(self), rows))
    }
}

/// The number of rows that `fetch_all` returned; `None` if it failed.
pub(crate) fn rows_of_all<O>(rows: &Result<Vec<O>>) -> Option<usize> {
    rows.as_ref().ok().map(Vec::len)
}

impl<DB: Database> Query<DB>
where
    ArgumentsOf<DB>: IntoArguments<DB>,
{
    /// The arguments, taken once for each execution, when the query is passed to a connection. This is where it counts, unless
    /// an argument could not be encoded, since then nothing is sent.
    #[inline]
    pub(crate) fn counted_arguments(&mut self) -> Result<Option<ArgumentsOf<DB>>, BoxDynError> {
        let arguments = self.inner.take_arguments();
        if let Ok(arguments) = &arguments {
            self.counter.executed::<DB>(arguments.as_ref());
        }
        arguments
    }

    /// Whether the connection caches the prepared statement.
    #[inline]
    pub(crate) fn is_persistent(&self) -> bool {
        // With a comment that changes every time, a cached statement would never be reused.
        #[cfg(feature = "trace-comments")]
        if crate::comment::are_on() {
            return false;
        }
        Execute::persistent(&self.inner)
    }
}

driver::execute!([DB: Database] Query<DB>, |query| query);
