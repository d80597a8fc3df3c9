//! The values of the rows, column by column.

use sqlx::error::BoxDynError;
use sqlx::{Database, Encode, Type};

use crate::values::Counted;

/// The values of one placeholder, or one array, from all rows.
pub trait Column<DB: Database> {
    /// The number of rows.
    fn count(&self) -> usize;

    /// The approximate size of the value in a row once encoded, in bytes.
    fn size(&self, row: usize) -> usize;

    /// Binds the values of some rows.
    ///
    /// # Errors
    ///
    /// If one of them cannot be encoded.
    fn add(
        &self,
        rows: std::ops::Range<usize>,
        arguments: &mut DB::Arguments,
        counted: &mut Counted,
    ) -> Result<(), BoxDynError>;
}

/// A placeholder for each row.
pub struct Each<'v, V>(pub &'v [V]);

/// One array for all rows.
pub struct Whole<'v, V>(pub &'v [V]);

impl<'v, DB: Database, V: Encode<'v, DB> + Type<DB>> Column<DB> for Each<'v, V> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn size(&self, row: usize) -> usize {
        self.0.get(row).map_or(0, Encode::<'v, DB>::size_hint)
    }

    fn add(
        &self,
        rows: std::ops::Range<usize>,
        arguments: &mut DB::Arguments,
        counted: &mut Counted,
    ) -> Result<(), BoxDynError> {
        self.0
            .get(rows)
            .unwrap_or_default()
            .iter()
            .try_for_each(|value| counted.add::<DB, _>(arguments, value))
    }
}

impl<'v, DB: Database, V: Encode<'v, DB>> Column<DB> for Whole<'v, V>
where
    &'v [V]: Encode<'v, DB> + Type<DB>,
{
    fn count(&self) -> usize {
        self.0.len()
    }

    fn size(&self, row: usize) -> usize {
        self.0.get(row).map_or(0, Encode::<'v, DB>::size_hint)
    }

    fn add(
        &self,
        rows: std::ops::Range<usize>,
        arguments: &mut DB::Arguments,
        counted: &mut Counted,
    ) -> Result<(), BoxDynError> {
        counted.add::<DB, _>(arguments, self.0.get(rows).unwrap_or_default())
    }
}

/// Passes each row to `take`.
pub fn each<R: IntoIterator>(rows: R, take: impl FnMut(R::Item)) {
    rows.into_iter().for_each(take);
}
