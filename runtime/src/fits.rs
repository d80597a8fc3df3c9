//! Whether a Rust type fits a database type: what the expansions of the macros ask the compiler, and the
//! errors that result.

use sqlx::{ColumnIndex, Database, Decode, Result, Row, Type};

use crate::values::Both;

/// A value for a parameter that takes `T`. The expansions say what does not fit, with a trait for each parameter.
pub trait Fits<T> {}

impl<T> Fits<T> for T {}
impl<T> Fits<T> for &T {}
impl<T> Fits<T> for &&T {}
impl<T> Fits<T> for Option<T> {}
impl<T> Fits<T> for Option<&T> {}
impl<T> Fits<T> for Option<&&T> {}

/// A value for a parameter that takes `&T`: whatever is coerced to it, as in an assignment. `Way` is found by the compiler,
/// and keeps the implementations apart.
pub trait FitsRef<T: ?Sized, Way> {}

impl<T: ?Sized, Way, B: ?Sized + CoercedTo<T, Way>> FitsRef<T, Way> for &B {}
impl<T: ?Sized, Way, B: ?Sized + CoercedTo<T, Way>> FitsRef<T, Way> for Option<&B> {}
impl FitsRef<str, Owned> for String {}
impl FitsRef<str, Owned> for Option<String> {}
impl<T> FitsRef<[T], Owned> for Vec<T> {}
impl<T> FitsRef<[T], Owned> for Option<Vec<T>> {}

/// What a reference to it is coerced to.
pub trait CoercedTo<T: ?Sized, Way> {}

/// The value that owns it.
#[derive(Debug)]
pub struct Owned;
/// The type itself.
#[derive(Debug)]
pub struct Same;
/// An array as a slice.
#[derive(Debug)]
pub struct Unsized;
/// What it derefs to, coerced that way.
#[derive(Debug)]
pub struct Deref<Way>(std::marker::PhantomData<Way>);

impl<T: ?Sized> CoercedTo<T, Same> for T {}
impl<T, const N: usize> CoercedTo<[T], Unsized> for [T; N] {}
impl<T: ?Sized, Way, P: ?Sized + std::ops::Deref<Target: CoercedTo<T, Way>>> CoercedTo<T, Deref<Way>> for P {}

/// A column that is read as `T`.
#[diagnostic::on_unimplemented(
    message = "the column has the Rust type `{Self}`, which is not read as `{T}`",
    label = "the column has the Rust type `{Self}`",
    note = "read it as `{Self}`, or cast it in the SQL to a type that is read as `{T}`",
    note = "a type of yours that implements `sqlx::Type` is read with `AS \"name: _\"` in the SQL"
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
