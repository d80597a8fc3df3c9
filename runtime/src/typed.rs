//! [`QueryAs`] and [`QueryScalar`]: what `sql_as!` and `sql_scalar!` return, counted queries whose rows become values.

use std::convert::identity;
use std::fmt::{self, Debug, Formatter};
use std::marker::PhantomData;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use sqlx::database::HasStatementCache;
use sqlx::encode::Encode;
use sqlx::error::BoxDynError;
use sqlx::{Either, FromRow, Result, Type};

use crate::driver::{self, ArgumentsOf, Database, IntoArguments};
use crate::map::Map;
use crate::mapped::{FetchOne, FetchOptional};
use crate::query::Query;
use crate::site::Site;
use crate::target::Target;

/// What reads a row.
type Reading<DB, O> = fn(<DB as sqlx::Database>::Row) -> Result<O>;

/// The two differ in the type that a row is decoded as, and in what is taken from it.
macro_rules! typed_query {
    ($(#[$doc:meta])* $Query:ident, $query:ident, $of:ident, |$O:ident| $Row:ty, $value:expr) => {
        $(#[$doc])*
        #[must_use = "query must be executed to affect database"]
        pub struct $Query<DB: Database, $O> {
            query: Query<DB>,
            output: PhantomData<fn() -> $O>,
        }

        impl<DB: Database, $O> Debug for $Query<DB, $O> {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($Query)).field("query", &self.query).finish()
            }
        }

        /// The query at `site`, without bound values.
        #[doc(hidden)]
        pub fn $query<DB, $O>(site: &'static Site) -> $Query<DB, $O>
        where
            DB: Database,
            $Row: for<'r> FromRow<'r, DB::Row>,
        {
            $of(crate::query::query(site))
        }

        /// The query with its rows decoded this way.
        #[doc(hidden)]
        #[inline]
        pub fn $of<DB, $O>(query: Query<DB>) -> $Query<DB, $O>
        where
            DB: Database,
            $Row: for<'r> FromRow<'r, DB::Row>,
        {
            $Query { query, output: PhantomData }
        }

        impl<DB: Database, $O> $Query<DB, $O> {
            /// Binds a value to the next placeholder.
            ///
            /// An error in encoding it is returned when the query is executed.
            pub fn bind<'t, T: Encode<'t, DB> + Type<DB>>(mut self, value: T) -> Self {
                self.query = self.query.bind(value);
                self
            }

            /// Binds a value to the next placeholder, or returns an error at once if it cannot be encoded.
            ///
            /// # Errors
            ///
            /// If the value cannot be encoded, or one bound before could not.
            pub fn try_bind<'t, T: Encode<'t, DB> + Type<DB>>(&mut self, value: T) -> Result<(), BoxDynError> {
                self.query.try_bind(value)
            }
        }

        impl<DB: Database + HasStatementCache, $O> $Query<DB, $O> {
            /// Whether the connection caches the prepared statement. It does by default.
            pub fn persistent(mut self, value: bool) -> Self {
                self.query = self.query.persistent(value);
                self
            }
        }

        impl<DB, $O> $Query<DB, $O>
        where
            DB: Database,
            ArgumentsOf<DB>: IntoArguments<DB>,
            $O: Send + Unpin,
            $Row: for<'r> FromRow<'r, DB::Row>,
        {
            pub(crate) fn mapped(self) -> Map<DB, impl FnMut(DB::Row) -> Result<$O> + Send> {
                self.query.try_map(|row| <$Row>::from_row(&row).map($value))
            }

            /// The same, with a mapper whose type has a name.
            fn read_by_function(self) -> Map<DB, Reading<DB, $O>> {
                self.query.try_map(|row| <$Row>::from_row(&row).map($value))
            }

            /// Executes the query; returns its rows as a stream.
            ///
            /// # Errors
            ///
            /// The stream yields an error if the database or the connection fails, or if a row does not fit the type.
            pub fn fetch<'e, 'c: 'e, E>(self, executor: E) -> BoxStream<'e, Result<$O>>
            where
                E: 'e + Target<'c, Database = DB>,
                DB: 'e,
                $O: 'e,
            {
                self.mapped().fetch(executor)
            }

            /// Executes a text of several statements, as SQLite takes it; returns the rows and the result of each as a stream.
            ///
            /// # Errors
            ///
            /// The stream yields an error if the database or the connection fails, or if a row does not fit
            /// the type. The statements before it have run.
            pub fn fetch_many<'e, 'c: 'e, E>(
                self,
                executor: E,
            ) -> BoxStream<'e, Result<Either<DB::QueryResult, $O>>>
            where
                E: 'e + Target<'c, Database = DB>,
                DB: 'e,
                $O: 'e,
            {
                self.mapped().fetch_many(executor)
            }

            /// Executes the query; returns all its rows.
            ///
            /// # Errors
            ///
            /// If the database or the connection fails, or a row does not fit the type.
            pub fn fetch_all<'e, 'c: 'e, E>(self, executor: E) -> BoxFuture<'e, Result<Vec<$O>>>
            where
                E: 'e + Target<'c, Database = DB>,
                DB: 'e,
                $O: 'e,
            {
                self.mapped().fetch_all(executor)
            }

            /// Executes the query; returns its first row.
            ///
            /// # Errors
            ///
            /// If the database or the connection fails, or a row does not fit the type;
            /// [`RowNotFound`](sqlx::Error::RowNotFound) if there is no row.
            pub fn fetch_one<'e, 'c: 'e, E>(self, executor: E) -> FetchOne<'e, DB::Row, Reading<DB, $O>>
            where
                E: 'e + Target<'c, Database = DB>,
                DB: 'e,
                $O: 'e,
            {
                self.read_by_function().fetch_one(executor)
            }

            /// Executes the query; returns its first row, if there is one.
            ///
            /// # Errors
            ///
            /// If the database or the connection fails, or a row does not fit the type.
            pub fn fetch_optional<'e, 'c: 'e, E>(self, executor: E) -> FetchOptional<'e, DB::Row, Reading<DB, $O>>
            where
                E: 'e + Target<'c, Database = DB>,
                DB: 'e,
                $O: 'e,
            {
                self.read_by_function().fetch_optional(executor)
            }
        }

        driver::execute!([DB: Database, $O: Send] $Query<DB, $O>, |typed| typed.query);
    };
}

typed_query! {
    /// A query that makes each row a value of `O` by [`FromRow`]: sqlx's [`QueryAs`](sqlx::query::QueryAs), counted.
    ///
    /// Made by `sql_from_row!`, and by `sql_as!` without a snapshot of the schema. The methods have sqlx's names and
    /// signatures.
    ///
    /// ```
    /// use query_budget::sql_from_row;
    /// use sqlx::{FromRow, Result, SqlitePool};
    ///
    /// #[derive(FromRow)]
    /// struct Event {
    ///     id: i64,
    ///     #[sqlx(rename = "name")]
    ///     title: String,
    /// }
    ///
    /// async fn title(db: &SqlitePool, id: i64) -> Result<Option<String>> {
    ///     let event = sql_from_row!(Event, "SELECT id, name FROM events WHERE id = ?1", id).fetch_optional(db).await?;
    ///     Ok(event.map(|event| format!("{} ({})", event.title, event.id)))
    /// }
    /// # let _ = title;
    /// ```
    QueryAs, query_as, read_as, |O| O, identity
}

typed_query! {
    /// A query whose first column is read: sqlx's [`QueryScalar`](sqlx::query::QueryScalar), counted.
    ///
    /// Made by `sql_scalar!`. The methods have sqlx's names and signatures.
    ///
    /// ```
    /// use query_budget::sql_scalar;
    /// use sqlx::{Result, SqlitePool};
    ///
    /// async fn of_user(db: &SqlitePool, user: i64) -> Result<i64> {
    ///     sql_scalar!(i64, "SELECT count(*) FROM events WHERE user_id = ?1", user).fetch_one(db).await
    /// }
    /// # let _ = of_user;
    /// ```
    QueryScalar, query_scalar, read_scalar, |O| (O,), |(value,)| value
}
