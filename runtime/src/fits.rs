//! Whether a Rust type fits a database type: what the expansions of the macros ask the compiler, and the
//! errors that result.

use sqlx::{ColumnIndex, Database, Decode, Result, Row, Type};

use crate::values::Both;

/// A value for a parameter that takes `T`. The expansions say what does not fit, with a trait for each parameter.
///
/// `Bound` is the value's own type, known to the compiler only where the value fits: it then has nothing more to say of one
/// that does not.
pub trait Fits<T, Bound> {
    /// The value.
    fn bound(&self) -> &Bound;
}

macro_rules! fits {
    ($($Value:ty),*) => {
        $(impl<'a, 'b, T> Fits<T, $Value> for $Value {
            #[inline(always)]
            fn bound(&self) -> &$Value {
                self
            }
        })*
    };
}

fits!(T, &'a T, &'a &'b T, Option<T>, Option<&'a T>, Option<&'a &'b T>);

/// A value for a parameter that takes `&T`: whatever is coerced to it, as in an assignment. `Way` is found by the compiler,
/// and keeps the implementations apart.
pub trait FitsRef<T: ?Sized, Way, Bound> {
    /// The value.
    fn bound(&self) -> &Bound;
}

macro_rules! fits_ref {
    ($($Value:ty),*) => {
        $(impl<'b, T: ?Sized, Way, B: ?Sized + CoercedTo<T, Way, $Value, Bound>, Bound> FitsRef<T, Way, Bound> for $Value {
            #[inline(always)]
            fn bound(&self) -> &Bound {
                B::bound(self)
            }
        })*
    };
}

fits_ref!(&'b B, Option<&'b B>);

macro_rules! owned {
    ($([$($generics:tt)*] $Value:ty: $To:ty),*) => {
        $(impl $($generics)* FitsRef<$To, Owned, $Value> for $Value {
            #[inline(always)]
            fn bound(&self) -> &$Value {
                self
            }
        })*
    };
}

owned!([] String: str, [] Option<String>: str, [<T>] Vec<T>: [T], [<T>] Option<Vec<T>>: [T]);

/// What a reference to it is coerced to; `Value` has the reference in it.
pub trait CoercedTo<T: ?Sized, Way, Value, Bound> {
    /// The value.
    fn bound(value: &Value) -> &Bound;
}

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

impl<T: ?Sized, Value> CoercedTo<T, Same, Value, Value> for T {
    #[inline(always)]
    fn bound(value: &Value) -> &Value {
        value
    }
}

impl<T, Value, const N: usize> CoercedTo<[T], Unsized, Value, Value> for [T; N] {
    #[inline(always)]
    fn bound(value: &Value) -> &Value {
        value
    }
}

impl<T: ?Sized, Way, Value, Bound, P> CoercedTo<T, Deref<Way>, Value, Bound> for P
where
    P: ?Sized + std::ops::Deref<Target: CoercedTo<T, Way, Value, Bound>>,
{
    #[inline(always)]
    fn bound(value: &Value) -> &Bound {
        P::Target::bound(value)
    }
}

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

/// The type of column `N`, counted from 1, whose value is converted for a field of type `T`.
///
/// A macro has a trait of its own for a field that may be of another type, which names the column.
#[diagnostic::on_unimplemented(
    message = "column {N} is read as `{Self}`, which does not fit its field of type `{T}`",
    label = "column {N} is read as `{Self}`",
    note = "give the field the type `{Self}`, or name another one in the SQL, `AS \"name: T\"`"
)]
pub trait Converts<const N: usize, T> {
    /// The value of the field.
    fn converted(self) -> T;
}

#[diagnostic::do_not_recommend]
impl<const N: usize, C: Into<T>, T> Converts<N, T> for C {
    #[inline(always)]
    fn converted(self) -> T {
        self.into()
    }
}

/// The value of a column, counted from 0, that is known to have the type `C`, converted for its field.
#[inline]
pub fn converted<'r, C, const N: usize, T, R>(row: &'r R, column: usize) -> Result<T>
where
    C: Decode<'r, R::Database> + Converts<N, T>,
    R: Row,
    usize: ColumnIndex<R>,
{
    row.try_get_unchecked::<C, _>(column).map(C::converted)
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
