//! What differs between the versions of sqlx, for 0.9. `sqlx_08.rs` has the same names.

use sqlx::database::HasStatementCache;
use sqlx::error::BoxDynError;
use sqlx::{Arguments as _, AssertSqlSafe, Encode, SqlSafeStr, SqlStr, Type};
pub(crate) use sqlx::{Database, IntoArguments};

/// The values of a query as they are sent: they borrow nothing.
pub(crate) type ArgumentsOf<DB> = <DB as Database>::Arguments;

/// Where values are encoded.
#[cfg(any(debug_assertions, feature = "count"))]
pub(crate) type BufferOf<'q, DB> = <DB as Buffers<'q>>::Buffer;

/// Gives the buffer of a database the lifetime that it has in other versions.
#[cfg(any(debug_assertions, feature = "count"))]
pub(crate) trait Buffers<'q>: Database {
    /// The buffer.
    type Buffer;
}

#[cfg(any(debug_assertions, feature = "count"))]
impl<DB: Database> Buffers<'_> for DB {
    type Buffer = DB::ArgumentBuffer;
}

/// A query of sqlx.
pub(crate) type Inner<DB> = sqlx::query::Query<'static, DB, ArgumentsOf<DB>>;

/// A text that was put together at run time.
#[cfg(any(
    feature = "mysql",
    feature = "postgres",
    all(
        debug_assertions,
        feature = "sqlite",
        feature = "tracing",
        any(feature = "stats", feature = "metrics")
    )
))]
pub(crate) fn built(text: &str) -> AssertSqlSafe<&str> {
    AssertSqlSafe(text)
}

/// The text of a query, with the trace in a comment after it.
#[inline]
pub(crate) fn commented(text: SqlStr) -> SqlStr {
    #[cfg(feature = "trace-comments")]
    if let Some(commented) = crate::comment::commented(text.as_str()) {
        return AssertSqlSafe(commented).into_sql_str();
    }
    text
}

/// Encodes a value.
#[inline]
pub(crate) fn add<'t, DB, T>(arguments: &mut ArgumentsOf<DB>, value: T) -> Result<(), BoxDynError>
where
    DB: Database,
    T: Encode<'t, DB> + Type<DB>,
{
    arguments.add(value)
}

/// Binds a value to the next placeholder; keeps an error for the execution.
#[inline]
pub(crate) fn bind<'t, DB, T>(query: Inner<DB>, value: T) -> Inner<DB>
where
    DB: Database,
    T: Encode<'t, DB> + Type<DB>,
{
    query.bind(value)
}

/// Binds a value to the next placeholder.
pub(crate) fn try_bind<'t, DB, T>(query: &mut Inner<DB>, value: T) -> Result<(), BoxDynError>
where
    DB: Database,
    T: Encode<'t, DB> + Type<DB>,
{
    query.try_bind(value)
}

/// The values encoded so far, for a database that stores them as bytes.
#[cfg(any(debug_assertions, feature = "count"))]
pub(crate) fn bytes<DB: Database>(buffer: &DB::ArgumentBuffer) -> Option<&[u8]> {
    let buffer: &dyn std::any::Any = buffer;
    #[cfg(feature = "postgres")]
    if let Some(buffer) = buffer.downcast_ref::<<sqlx::Postgres as Database>::ArgumentBuffer>() {
        return Some(buffer);
    }
    #[cfg(feature = "mysql")]
    if let Some(buffer) = buffer.downcast_ref::<<sqlx::MySql as Database>::ArgumentBuffer>() {
        return Some(buffer);
    }
    let _ = buffer;
    None
}

/// The query of a text that was put together at run time, which is not cached.
pub(crate) fn with_text<DB>(
    text: &mut String,
    arguments: Result<Option<ArgumentsOf<DB>>, BoxDynError>,
) -> Inner<DB>
where
    DB: Database + HasStatementCache,
    ArgumentsOf<DB>: IntoArguments<DB>,
{
    let arguments = arguments.map(Option::unwrap_or_default);
    let text = commented(AssertSqlSafe(std::mem::take(text)).into_sql_str());
    sqlx::__query_with_result(text, arguments).persistent(false)
}

/// Lets the methods of an executor take a query, as `$base` of which it is passed.
macro_rules! execute {
    ([$($generics:tt)*] $Query:ty, |$query:ident| $base:expr) => {
        impl<$($generics)*> sqlx::Execute<'_, DB> for $Query
        where
            DB::Arguments: IntoArguments<DB>,
        {
            #[inline]
            fn sql(self) -> sqlx::SqlStr {
                let $query = self;
                driver::commented(sqlx::Execute::sql($base.inner))
            }

            #[inline]
            fn statement(&self) -> Option<&DB::Statement> {
                None
            }

            #[inline]
            fn take_arguments(&mut self) -> Result<Option<DB::Arguments>, sqlx::error::BoxDynError> {
                let $query = self;
                $base.counted_arguments()
            }

            #[inline]
            fn persistent(&self) -> bool {
                let $query = self;
                $base.is_persistent()
            }
        }
    };
}

pub(crate) use execute;
