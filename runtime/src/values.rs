//! The values of a query as a macro passes them: all at once, with their number and size known before the
//! first is encoded.

use sqlx::error::BoxDynError;
use sqlx::{Arguments as _, Encode, Type};

use crate::counting::Counter;
use crate::driver::{self, ArgumentsOf, Database, IntoArguments};
use crate::query::Query;
use crate::site::Site;

/// A value that a query on `DB` can bind.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be bound to a query on `{DB}`",
    label = "`{DB}` has no type for `{Self}`",
    note = "convert an integer, `value as i64` or `i64::try_from(value)?`, and collect an iterator, `&value.collect::<Vec<_>>()`",
    note = "for a type that implements `Serialize`, write `sqlx::types::Json(value) as _`; for another of yours, derive `sqlx::Type`",
    note = "only PostgreSQL binds a list, as an array: elsewhere, write a placeholder for each of its values"
)]
pub trait Value<'t, DB: Database>: Encode<'t, DB> + Type<DB> {}

#[diagnostic::do_not_recommend]
impl<'t, DB: Database, T: Encode<'t, DB> + Type<DB>> Value<'t, DB> for T {}

/// References to the values of a query, in a tuple.
pub trait Values<'t, DB: Database> {
    /// The number of values.
    const COUNT: usize;

    /// Their approximate size once encoded, in bytes.
    fn size(&self) -> usize;

    /// Encodes them, stopping at the first error.
    ///
    /// # Errors
    ///
    /// If one of them cannot be encoded.
    fn add_to(self, arguments: &mut ArgumentsOf<DB>, counter: &mut Counted) -> Result<(), BoxDynError>;
}

/// The counter of a query whose values are being bound.
pub struct Counted(pub(crate) Counter);

impl Counted {
    #[inline]
    pub(crate) fn add<'t, DB: Database, T: Encode<'t, DB> + Type<DB>>(
        &mut self,
        arguments: &mut ArgumentsOf<DB>,
        value: T,
    ) -> Result<(), BoxDynError> {
        let witness = self.0.witness();
        driver::add::<DB, _>(arguments, witness.of(value))?;
        self.0.bound(witness);
        Ok(())
    }
}

/// The query at `site` with these values bound.
///
/// An error in encoding one is returned when the query is executed. The type of the values has no name, as the compiler
/// would point there for a value that cannot be bound, and not at the value.
#[inline]
pub fn query_of<'t, DB>(site: &'static Site, values: impl Values<'t, DB>) -> Query<DB>
where
    DB: Database,
    ArgumentsOf<DB>: IntoArguments<DB>,
{
    bound(site, values)
}

#[inline]
fn bound<'t, DB, V>(site: &'static Site, values: V) -> Query<DB>
where
    DB: Database,
    ArgumentsOf<DB>: IntoArguments<DB>,
    V: Values<'t, DB>,
{
    let mut counted = Counted(Counter::new(site));
    let mut arguments = ArgumentsOf::<DB>::default();
    if V::COUNT > 0 {
        arguments.reserve(V::COUNT, values.size());
    }
    let added = values.add_to(&mut arguments, &mut counted);
    Query::with_arguments(site, added.map(|()| arguments), counted.0)
}

impl<DB: Database> Values<'_, DB> for () {
    const COUNT: usize = 0;

    #[inline]
    fn size(&self) -> usize {
        0
    }

    #[inline]
    fn add_to(self, _: &mut ArgumentsOf<DB>, _: &mut Counted) -> Result<(), BoxDynError> {
        Ok(())
    }
}

/// Two tuples of values, one after the other: a query may have more than the longest tuple here.
pub struct Both<A, B>(pub A, pub B);

impl<'t, DB: Database, A: Values<'t, DB>, B: Values<'t, DB>> Values<'t, DB> for Both<A, B> {
    const COUNT: usize = A::COUNT + B::COUNT;

    #[inline]
    fn size(&self) -> usize {
        self.0.size() + self.1.size()
    }

    #[inline]
    fn add_to(self, arguments: &mut ArgumentsOf<DB>, counter: &mut Counted) -> Result<(), BoxDynError> {
        self.0.add_to(arguments, counter)?;
        self.1.add_to(arguments, counter)
    }
}

macro_rules! tuple {
    ($($T:ident $at:tt),*) => {
        impl<'t, DB: Database, $($T: Value<'t, DB>),*> Values<'t, DB> for ($(&$T,)*) {
            const COUNT: usize = [$($at),*].len();

            #[inline]
            fn size(&self) -> usize {
                0 $(+ Encode::<'t, DB>::size_hint(self.$at))*
            }

            #[inline]
            fn add_to(self, arguments: &mut ArgumentsOf<DB>, counter: &mut Counted) -> Result<(), BoxDynError> {
                $(counter.add::<DB, _>(arguments, self.$at)?;)*
                Ok(())
            }
        }
    };
}

crate::macros::for_tuples!(tuple);
