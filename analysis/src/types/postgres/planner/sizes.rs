//! How many rows the planner expects of what is no table.

use super::super::plan::Reading;
use super::tree::{Guess, Tree};
use crate::sql::expr::{Expr, Literal};
use crate::sql::query::{BlockId, Body};

/// How many elements an array of unknown length is expected to have.
pub(super) const OF_UNKNOWN_ARRAY: f64 = 10.0;

/// How many rows `unnest` is expected to return for some arrays.
pub(super) fn rows_of_arrays(reading: &Reading<'_>, arrays: &[Expr], guess: Guess) -> f64 {
    if arrays.iter().all(|array| reading.is_null(array)) {
        return 1.0;
    }
    let is_parameter = |array: &Expr| matches!(array.without_casts(), Expr::Parameter(_));
    if arrays.iter().all(is_parameter) { OF_UNKNOWN_ARRAY } else { guess.rows }
}

/// How many rows a query expression is expected to return; `None` if nothing tells.
pub(super) fn rows_of(reading: &Reading<'_>, id: BlockId, guess: Guess) -> Option<f64> {
    if !reading.may_estimate() {
        return None;
    }
    let block = reading.query.block(id);
    if matches!(&block.limit, Some(Expr::Literal(Literal::Number(limit))) if limit == "1")
        || block.filters().iter().any(|filter| reading.is_never_true(filter, 0))
    {
        return Some(1.0);
    }
    let (from, is_grouped) = match &block.body {
        Body::Values(rows) => return Some(f64::from(u32::try_from(rows.len()).ok()?)),
        Body::Set { .. } | Body::Unknown => return None,
        Body::Write(write) => match write.source {
            Some(source) => return reading.deeper(|| rows_of(reading, source, guess))?,
            None => (true, false),
        },
        Body::Select(select) if select.aggregates && select.group_by.is_empty() => return Some(1.0),
        Body::Select(select) if select.set_returning => return None,
        Body::Select(select) => {
            (!select.from.is_empty(), !select.group_by.is_empty() || select.distinct.is_some())
        }
    };
    if !from {
        return Some(1.0);
    }
    let rows = reading.deeper(|| Tree::new(reading, id, guess))??.all_rows(reading)?;
    // Groups are fewer than rows.
    (!is_grouped || rows <= 1.0).then_some(rows)
}
