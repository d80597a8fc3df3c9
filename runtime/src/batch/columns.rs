//! The values of the rows, column by column.

use sqlx::error::BoxDynError;
use sqlx::{Encode, Type};

use crate::driver::{ArgumentsOf, Database};
use crate::values::Counted;

/// A database whose values are measured, so that statements stay below its limit.
pub trait Measured<'v>: Database {
    /// The size of a value once encoded, in bytes: exact on MySQL, approximate elsewhere.
    fn size_of<V: Encode<'v, Self>>(value: &V) -> usize {
        value.size_hint()
    }
}

/// The server closes the connection if a statement is larger than `max_allowed_packet`, and texts state the size of their pointer.
#[cfg(feature = "mysql")]
impl<'v> Measured<'v> for sqlx::MySql {
    fn size_of<V: Encode<'v, Self>>(value: &V) -> usize {
        let mut encoded = Vec::new();
        // The statement has the error.
        let _ = value.encode_by_ref(&mut encoded);
        encoded.len()
    }
}

#[cfg(feature = "postgres")]
impl Measured<'_> for sqlx::Postgres {}

#[cfg(feature = "sqlite")]
impl Measured<'_> for sqlx::Sqlite {}

/// The values of one placeholder, or one array, from all rows.
pub trait Column<DB: Database> {
    /// The number of rows.
    fn count(&self) -> usize;

    /// The size of the value in a row once encoded, in bytes.
    fn size(&self, row: usize) -> usize;

    /// Binds the values of some rows.
    ///
    /// # Errors
    ///
    /// If one of them cannot be encoded.
    fn add(
        &self,
        rows: std::ops::Range<usize>,
        arguments: &mut ArgumentsOf<DB>,
        counted: &mut Counted,
    ) -> Result<(), BoxDynError>;
}

/// A placeholder for each row.
pub struct Each<'v, V>(pub &'v [V]);

/// One array for all rows.
pub struct Whole<'v, V>(pub &'v [V]);

impl<'v, DB: Measured<'v>, V: Encode<'v, DB> + Type<DB>> Column<DB> for Each<'v, V> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn size(&self, row: usize) -> usize {
        self.0.get(row).map_or(0, DB::size_of)
    }

    fn add(
        &self,
        rows: std::ops::Range<usize>,
        arguments: &mut ArgumentsOf<DB>,
        counted: &mut Counted,
    ) -> Result<(), BoxDynError> {
        self.0
            .get(rows)
            .unwrap_or_default()
            .iter()
            .try_for_each(|value| counted.add::<DB, _>(arguments, value))
    }
}

impl<'v, DB: Measured<'v>, V: Encode<'v, DB>> Column<DB> for Whole<'v, V>
where
    &'v [V]: Encode<'v, DB> + Type<DB>,
{
    fn count(&self) -> usize {
        self.0.len()
    }

    fn size(&self, row: usize) -> usize {
        self.0.get(row).map_or(0, DB::size_of)
    }

    fn add(
        &self,
        rows: std::ops::Range<usize>,
        arguments: &mut ArgumentsOf<DB>,
        counted: &mut Counted,
    ) -> Result<(), BoxDynError> {
        counted.add::<DB, _>(arguments, self.0.get(rows).unwrap_or_default())
    }
}

/// Passes each row to `take`.
pub fn each<R: IntoIterator>(rows: R, take: impl FnMut(R::Item)) {
    rows.into_iter().for_each(take);
}
