//! Whether a Rust type fits a database type: what the expansions of the macros ask the compiler, and the
//! errors that result.

use std::borrow::Borrow;

use sqlx::{ColumnIndex, Database, Decode, Result, Row, Type};

use crate::values::Both;

/// Database types, as names for the compiler's messages: it only shortens the paths of public types.
#[expect(non_camel_case_types, reason = "the names are the database's")]
pub mod sql_type {
    macro_rules! types {
        ($($name:ident)*) => { $(
            #[doc = concat!("`", stringify!($name), "`.")]
            #[derive(Debug)]
            pub struct $name;
        )* };
    }

    types! {
        int2 int4 int8 float4 float8 numeric money oid text varchar bpchar char name bytea bool date time timetz
        timestamp timestamptz interval uuid json jsonb inet cidr macaddr macaddr8 bit varbit int4range int8range
        numrange tsrange tstzrange daterange citext hstore ltree lquery cube point line lseg path polygon circle
        jsonpath xml tsvector tsquery regclass
    }

    /// An array of them.
    #[derive(Debug)]
    pub struct array_of<T>(std::marker::PhantomData<T>);

    /// A type with another name.
    #[derive(Debug)]
    pub struct of_another_name;
}

/// A value for a parameter that takes `T`.
#[diagnostic::on_unimplemented(
    message = "a parameter of SQL type `{S}` takes `{T}`, not `{Self}`",
    label = "`{S}` takes `{T}`",
    note = "to pass another type that the database accepts, write `value as _`"
)]
pub trait Fits<T, S> {}

#[diagnostic::do_not_recommend]
impl<T, S> Fits<T, S> for T {}
#[diagnostic::do_not_recommend]
impl<T, S> Fits<T, S> for &T {}
#[diagnostic::do_not_recommend]
impl<T, S> Fits<T, S> for &&T {}
#[diagnostic::do_not_recommend]
impl<T, S> Fits<T, S> for Option<T> {}
#[diagnostic::do_not_recommend]
impl<T, S> Fits<T, S> for Option<&T> {}
#[diagnostic::do_not_recommend]
impl<T, S> Fits<T, S> for Option<&&T> {}

/// A value for a parameter that takes `&T`.
#[diagnostic::on_unimplemented(
    message = "a parameter of SQL type `{S}` takes `&{T}`, not `{Self}`",
    label = "`{S}` takes `&{T}`",
    note = "to pass another type that the database accepts, write `value as _`"
)]
pub trait FitsRef<T: ?Sized, S> {}

#[diagnostic::do_not_recommend]
impl<T: ?Sized, S, B: ?Sized + Borrow<T>> FitsRef<T, S> for &B {}
#[diagnostic::do_not_recommend]
impl<T: ?Sized, S, B: ?Sized + Borrow<T>> FitsRef<T, S> for Option<&B> {}
#[diagnostic::do_not_recommend]
impl<S> FitsRef<str, S> for String {}
#[diagnostic::do_not_recommend]
impl<S> FitsRef<str, S> for Option<String> {}
#[diagnostic::do_not_recommend]
impl<T, S> FitsRef<[T], S> for Vec<T> {}
#[diagnostic::do_not_recommend]
impl<T, S> FitsRef<[T], S> for Option<Vec<T>> {}

/// Checks that a value fits a parameter that takes `T`.
#[inline(always)]
pub fn fits<T, S, V: Fits<T, S> + ?Sized>(_: &V) {}

/// Checks that a value fits a parameter that takes `&T`.
#[inline(always)]
pub fn fits_ref<T: ?Sized, S, V: FitsRef<T, S> + ?Sized>(_: &V) {}

/// A column that is read as `T`.
#[diagnostic::on_unimplemented(
    message = "the column gives `{Self}`, which is not read as `{T}`",
    label = "the column gives `{Self}`",
    note = "read it as `{Self}`, or cast it in the SQL, or write `AS \"name: T\"` there to decode it as `T`"
)]
pub trait Reads<T> {}
#[diagnostic::do_not_recommend]
impl<C> Reads<C> for C {}
#[diagnostic::do_not_recommend]
impl<C> Reads<Option<C>> for C {}

/// Checks that a column of type `C` is read as `T`.
#[inline(always)]
pub fn reads<C: Reads<T>, T>() {}

/// The value of a column, counted from 0, that is known to have this type.
#[inline]
pub fn column<'r, T, R>(row: &'r R, column: usize) -> Result<T>
where
    T: Decode<'r, R::Database>,
    R: Row,
    usize: ColumnIndex<R>,
{
    row.try_get_unchecked(column)
}

/// The values of columns that are known to have these types, in a tuple.
pub trait Columns<'r, R: Row>: Sized {
    /// The number of columns.
    const COUNT: usize;

    /// Reads them, from the column `at`, counted from 0.
    ///
    /// # Errors
    ///
    /// If one of them cannot be decoded.
    fn read(row: &'r R, at: usize) -> Result<Self>;
}

impl<'r, R: Row, A: Columns<'r, R>, B: Columns<'r, R>> Columns<'r, R> for Both<A, B> {
    const COUNT: usize = A::COUNT + B::COUNT;

    #[inline]
    fn read(row: &'r R, at: usize) -> Result<Self> {
        Ok(Both(A::read(row, at)?, B::read(row, at + A::COUNT)?))
    }
}

macro_rules! tuple {
    ($($T:ident $at:tt),*) => {
        impl<'r, R: Row, $($T: Decode<'r, R::Database>),*> Columns<'r, R> for ($($T,)*)
        where
            usize: ColumnIndex<R>,
        {
            const COUNT: usize = [$($at),*].len();

            #[inline]
            fn read(row: &'r R, at: usize) -> Result<Self> {
                Ok(($(row.try_get_unchecked::<$T, _>(at + $at)?,)*))
            }
        }
    };
}

crate::macros::for_tuples!(tuple);

/// Reads rows as records, which are made from the values of all columns.
#[inline]
pub fn record<R: Row, C, O>(mut record: impl FnMut(C) -> O + Send) -> impl FnMut(R) -> Result<O> + Send
where
    C: for<'r> Columns<'r, R>,
{
    move |row| Ok(record(C::read(&row, 0)?))
}

/// The value of a column, counted from 0, if it has this type.
#[inline]
pub fn decoded<'r, T, R>(row: &'r R, column: usize) -> Result<T>
where
    T: Decode<'r, R::Database> + Type<R::Database>,
    R: Row,
    usize: ColumnIndex<R>,
{
    row.try_get(column)
}

/// The row type of a database.
pub type RowOf<DB> = <DB as Database>::Row;
