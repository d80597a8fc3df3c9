//! [`Query`]: what `sql!` returns, sqlx's query with its executions counted.

use futures_util::stream::BoxStream;
use sqlx::database::HasStatementCache;
use sqlx::encode::Encode;
use sqlx::error::BoxDynError;
use sqlx::{AssertSqlSafe, Database, Execute, Executor, IntoArguments, Result, SqlStr, Type};

use crate::counting::Counter;
use crate::map::Map;
use crate::site::Site;

/// A query as a prepared statement, which gives rows: sqlx's [`Query`](sqlx::query::Query), counted.
///
/// Made by `sql!`. The methods have sqlx's names and signatures, and it can be handed to an executor's own methods.
#[must_use = "query must be executed to affect database"]
pub struct Query<DB: Database> {
    inner: sqlx::query::Query<'static, DB, DB::Arguments>,
    pub(crate) counter: Counter,
}

/// The query at `site`, nothing bound yet.
#[doc(hidden)]
pub fn query<DB: Database>(site: &'static Site) -> Query<DB> {
    Query { inner: sqlx::query(site.sql), counter: Counter::new(site) }
}

impl<DB: Database> Query<DB> {
    /// The query at `site` with all that is bound to it.
    #[inline]
    pub(crate) fn with_arguments(
        site: &'static Site,
        arguments: Result<DB::Arguments, BoxDynError>,
        counter: Counter,
    ) -> Self
    where
        DB::Arguments: IntoArguments<DB>,
    {
        Query { inner: sqlx::__query_with_result(site.sql, arguments), counter }
    }

    /// A query with a text that depends on how many values there are, all of them placeholders.
    pub(crate) fn with_text(
        text: String,
        arguments: Result<DB::Arguments, BoxDynError>,
        counter: Counter,
    ) -> Self
    where
        DB::Arguments: IntoArguments<DB>,
    {
        Query { inner: sqlx::__query_with_result(AssertSqlSafe(text), arguments), counter }
    }

    /// Binds a value to the next placeholder.
    ///
    /// An error in encoding it is given when the query is executed.
    pub fn bind<'t, T: Encode<'t, DB> + Type<DB>>(mut self, value: T) -> Self {
        let witness = self.counter.witness();
        self.inner = self.inner.bind(witness.of(value));
        self.counter.bound(witness);
        self
    }

    /// Binds a value to the next placeholder, or says at once why it cannot be encoded.
    ///
    /// # Errors
    ///
    /// The value cannot be encoded, or one bound before could not.
    pub fn try_bind<'t, T: Encode<'t, DB> + Type<DB>>(&mut self, value: T) -> Result<(), BoxDynError> {
        let witness = self.counter.witness();
        self.inner.try_bind(witness.of(value))?;
        self.counter.bound(witness);
        Ok(())
    }
}

impl<DB: Database + HasStatementCache> Query<DB> {
    /// Whether the connection keeps the prepared statement for the next time. It does unless told otherwise.
    pub fn persistent(mut self, value: bool) -> Self {
        self.inner = self.inner.persistent(value);
        self
    }
}

impl<DB: Database> Query<DB>
where
    DB::Arguments: IntoArguments<DB>,
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

    /// Executes the query; gives the number of rows it affected.
    ///
    /// # Errors
    ///
    /// What the database or the connection to it reports.
    pub fn execute<'e, 'c: 'e, E>(self, executor: E) -> impl Future<Output = Result<DB::QueryResult>>
    where
        E: 'e + Executor<'c, Database = DB>,
    {
        self.counter.time(async move { executor.execute(self).await }, |_| 0)
    }

    /// Executes the query; gives its rows as they come.
    pub fn fetch<'e, 'c: 'e, E>(self, executor: E) -> BoxStream<'e, Result<DB::Row>>
    where
        E: 'e + Executor<'c, Database = DB>,
    {
        self.counter.observe(move || executor.fetch(self))
    }

    /// Executes the query; gives all its rows.
    ///
    /// # Errors
    ///
    /// What the database or the connection to it reports.
    pub fn fetch_all<'e, 'c: 'e, E>(self, executor: E) -> impl Future<Output = Result<Vec<DB::Row>>>
    where
        E: 'e + Executor<'c, Database = DB>,
    {
        self.counter.time(async move { executor.fetch_all(self).await }, rows_of_all)
    }

    /// Executes the query; gives its first row.
    ///
    /// # Errors
    ///
    /// What the database or the connection to it reports; [`RowNotFound`](sqlx::Error::RowNotFound) when there is no row.
    pub fn fetch_one<'e, 'c: 'e, E>(self, executor: E) -> impl Future<Output = Result<DB::Row>>
    where
        E: 'e + Executor<'c, Database = DB>,
    {
        self.counter.time(async move { executor.fetch_one(self).await }, |row| usize::from(row.is_ok()))
    }

    /// Executes the query; gives its first row, if there is one.
    ///
    /// # Errors
    ///
    /// What the database or the connection to it reports.
    pub fn fetch_optional<'e, 'c: 'e, E>(self, executor: E) -> impl Future<Output = Result<Option<DB::Row>>>
    where
        E: 'e + Executor<'c, Database = DB>,
    {
        let rows = |row: &Result<Option<_>>| usize::from(matches!(row, Ok(Some(_))));
        self.counter.time(async move { executor.fetch_optional(self).await }, rows)
    }
}

/// Number of rows that `fetch_all` gave.
pub(crate) fn rows_of_all<O>(rows: &Result<Vec<O>>) -> usize {
    rows.as_ref().map_or(0, Vec::len)
}

impl<'q, DB: Database> Execute<'q, DB> for Query<DB>
where
    DB::Arguments: IntoArguments<DB>,
{
    #[inline]
    fn sql(self) -> SqlStr {
        self.inner.sql()
    }

    #[inline]
    fn statement(&self) -> Option<&DB::Statement> {
        self.inner.statement()
    }

    /// Called once for each execution, when the query is handed to a connection: this is where it counts, unless an
    /// argument could not be encoded, for then nothing is sent.
    #[inline]
    fn take_arguments(&mut self) -> Result<Option<DB::Arguments>, BoxDynError> {
        let arguments = self.inner.take_arguments()?;
        self.counter.executed::<DB>(arguments.as_ref());
        Ok(arguments)
    }

    #[inline]
    fn persistent(&self) -> bool {
        Execute::persistent(&self.inner)
    }
}
