//! What differs between the versions of sqlx, for 0.8. `sqlx_09.rs` has the same names.
//!
//! Values and texts may borrow here. Those of `sql!` borrow nothing, as in 0.9, so that a query can outlive them.

use sqlx::database::HasStatementCache;
use sqlx::error::BoxDynError;
use sqlx::{Encode, Execute, Type};

/// A database of sqlx. PostgreSQL, MySQL and SQLite are.
pub trait Database:
    for<'q> sqlx::Database<Arguments<'q>: sqlx::IntoArguments<'q, Self>> + HasStatementCache
{
    /// Encodes a value, which may borrow, into values that do not.
    #[doc(hidden)]
    fn add_value<'t, T: Encode<'t, Self> + Type<Self>>(
        arguments: &mut ArgumentsOf<Self>,
        value: T,
    ) -> Result<(), BoxDynError>;

    /// The values encoded so far, if they are stored as bytes.
    #[doc(hidden)]
    fn bytes<'b>(buffer: &'b Self::ArgumentBuffer<'_>) -> Option<&'b [u8]>;

    /// The values as those of a query whose text is borrowed.
    #[doc(hidden)]
    fn shortened<'q>(arguments: ArgumentsOf<Self>) -> Self::Arguments<'q>;
}

/// What can be passed as the values of a query: [`Database`] says so here for those of any lifetime.
pub trait IntoArguments<DB> {}

impl<DB, A> IntoArguments<DB> for A {}

/// The values of a query as they are sent: they borrow nothing.
pub(crate) type ArgumentsOf<DB> = <DB as sqlx::Database>::Arguments<'static>;

/// Where values are encoded.
pub(crate) type BufferOf<'q, DB> = <DB as sqlx::Database>::ArgumentBuffer<'q>;

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
pub(crate) fn built(text: &str) -> &str {
    text
}

/// Encodes a value.
#[inline]
pub(crate) fn add<'t, DB, T>(arguments: &mut ArgumentsOf<DB>, value: T) -> Result<(), BoxDynError>
where
    DB: Database,
    T: Encode<'t, DB> + Type<DB>,
{
    DB::add_value(arguments, value)
}

/// Binds a value to the next placeholder; keeps an error for the execution.
pub(crate) fn bind<'t, DB, T>(mut query: Inner<DB>, value: T) -> Inner<DB>
where
    DB: Database,
    T: Encode<'t, DB> + Type<DB>,
{
    let arguments = query.take_arguments().map(Option::unwrap_or_default).and_then(|mut arguments| {
        add::<DB, T>(&mut arguments, value)?;
        Ok(arguments)
    });
    let is_persistent = Execute::persistent(&query);
    sqlx::__query_with_result(query.sql(), arguments).persistent(is_persistent)
}

/// Binds a value to the next placeholder.
pub(crate) fn try_bind<'t, DB, T>(query: &mut Inner<DB>, value: T) -> Result<(), BoxDynError>
where
    DB: Database,
    T: Encode<'t, DB> + Type<DB>,
{
    let mut arguments = query.take_arguments()?.unwrap_or_default();
    let added = add::<DB, T>(&mut arguments, value);
    let is_persistent = Execute::persistent(query);
    *query = sqlx::__query_with_result(query.sql(), Ok(arguments)).persistent(is_persistent);
    added
}

/// The values encoded so far, for a database that stores them as bytes.
#[cfg(any(debug_assertions, feature = "count"))]
pub(crate) fn bytes<'b, DB: Database>(buffer: &'b DB::ArgumentBuffer<'_>) -> Option<&'b [u8]> {
    DB::bytes(buffer)
}

/// Databases whose values are encoded as bytes at once, of whatever lifetime they are.
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod of_bytes {
    use std::marker::PhantomData;

    use sqlx::encode::IsNull;
    use sqlx::{Arguments, Encode, Type};

    use super::{ArgumentsOf, BoxDynError, BufferOf, Database};

    macro_rules! of_bytes {
        ($DB:ty) => {
            impl<'t, T: Encode<'t, $DB>> Encode<'_, $DB> for Lent<'t, T> {
                fn encode(self, buffer: &mut BufferOf<'_, $DB>) -> Result<IsNull, BoxDynError> {
                    self.0.encode(buffer)
                }

                fn encode_by_ref(&self, buffer: &mut BufferOf<'_, $DB>) -> Result<IsNull, BoxDynError> {
                    self.0.encode_by_ref(buffer)
                }

                fn produces(&self) -> Option<<$DB as sqlx::Database>::TypeInfo> {
                    self.0.produces()
                }

                fn size_hint(&self) -> usize {
                    self.0.size_hint()
                }
            }

            impl<T: Type<$DB>> Type<$DB> for Lent<'_, T> {
                fn type_info() -> <$DB as sqlx::Database>::TypeInfo {
                    T::type_info()
                }
            }

            impl Database for $DB {
                #[inline]
                fn add_value<'t, T: Encode<'t, Self> + Type<Self>>(
                    arguments: &mut ArgumentsOf<Self>,
                    value: T,
                ) -> Result<(), BoxDynError> {
                    arguments.add(Lent(value, PhantomData))
                }

                fn bytes<'b>(buffer: &'b BufferOf<'_, Self>) -> Option<&'b [u8]> {
                    Some(buffer)
                }

                fn shortened<'q>(arguments: ArgumentsOf<Self>) -> Self::Arguments<'q> {
                    arguments
                }
            }
        };
    }

    /// A value with a lifetime that sqlx does not ask for, because nothing of the value is kept.
    struct Lent<'t, T>(T, PhantomData<&'t ()>);

    #[cfg(feature = "mysql")]
    of_bytes!(sqlx::MySql);
    #[cfg(feature = "postgres")]
    of_bytes!(sqlx::Postgres);
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use sqlx::encode::IsNull;
    use sqlx::sqlite::SqliteArgumentValue as Value;
    use sqlx::{Arguments, Encode, Sqlite, Type};

    use super::{ArgumentsOf, BoxDynError, BufferOf, Database};

    /// A value that borrows nothing.
    struct Owned(Value<'static>);

    impl Encode<'_, Sqlite> for Owned {
        fn encode_by_ref(&self, buffer: &mut BufferOf<'_, Sqlite>) -> Result<IsNull, BoxDynError> {
            buffer.push(self.0.clone());
            Ok(IsNull::No)
        }

        fn encode(self, buffer: &mut BufferOf<'_, Sqlite>) -> Result<IsNull, BoxDynError> {
            buffer.push(self.0);
            Ok(IsNull::No)
        }
    }

    impl Type<Sqlite> for Owned {
        fn type_info() -> <Sqlite as sqlx::Database>::TypeInfo {
            <str as Type<Sqlite>>::type_info()
        }
    }

    impl Database for Sqlite {
        fn add_value<'t, T: Encode<'t, Self> + Type<Self>>(
            arguments: &mut ArgumentsOf<Self>,
            value: T,
        ) -> Result<(), BoxDynError> {
            let mut values = Vec::new();
            if value.encode(&mut values)?.is_null() {
                values.push(Value::Null);
            }
            values.into_iter().try_for_each(|value| {
                arguments.add(Owned(match value {
                    Value::Null => Value::Null,
                    Value::Text(text) => Value::Text(text.into_owned().into()),
                    Value::Blob(blob) => Value::Blob(blob.into_owned().into()),
                    Value::Double(number) => Value::Double(number),
                    Value::Int(number) => Value::Int(number),
                    Value::Int64(number) => Value::Int64(number),
                }))
            })
        }

        fn bytes<'b>(_: &'b BufferOf<'_, Self>) -> Option<&'b [u8]> {
            None
        }

        fn shortened<'q>(arguments: ArgumentsOf<Self>) -> Self::Arguments<'q> {
            arguments
        }
    }
}

/// The query of a text that was put together at run time, which is not cached.
#[expect(clippy::ptr_arg, reason = "0.9 takes the text away, and callers do not tell the versions apart")]
pub(crate) fn with_text<'q, DB: Database>(
    text: &'q mut String,
    arguments: Result<Option<ArgumentsOf<DB>>, BoxDynError>,
) -> sqlx::query::Query<'q, DB, DB::Arguments<'q>> {
    sqlx::__query_with_result(text, arguments.map(|it| DB::shortened(it.unwrap_or_default())))
        .persistent(false)
}

/// Lets the methods of an executor take a query, as `$base` of which it is passed.
macro_rules! execute {
    ([$($generics:tt)*] $Query:ty, |$query:ident| $base:expr) => {
        impl<$($generics)*> sqlx::Execute<'static, DB> for $Query
        where
            ArgumentsOf<DB>: IntoArguments<DB>,
        {
            #[inline]
            fn sql(&self) -> &'static str {
                let $query = self;
                sqlx::Execute::sql(&$base.inner)
            }

            #[inline]
            fn statement(&self) -> Option<&DB::Statement<'static>> {
                None
            }

            #[inline]
            fn take_arguments(&mut self) -> Result<Option<ArgumentsOf<DB>>, sqlx::error::BoxDynError> {
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
