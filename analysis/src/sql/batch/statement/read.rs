//! SELECT by key.

use super::{Gives, MOST_ROWS, Maker, Parts, Piece, Refusal, not_for_rows};
use crate::sql::Dialect;
use crate::sql::expr::Expr;
use crate::sql::query::Body;

impl Maker<'_> {
    pub(super) fn read(&self) -> Result<Parts, Refusal> {
        let is_postgres = self.dialect == Dialect::Postgres;
        if !self.is_of_each()
            && let Ok(keys) = self.keys()
            && (!is_postgres || keys.len() == 1 && self.unfolds())
        {
            return Ok(self.parts(self.listed(&keys)?, is_postgres));
        }
        if !is_postgres {
            return Err(match self.keys() {
                Err(refusal) if !self.is_of_each() => refusal,
                _ => Refusal::new(
                    "a LIMIT, an aggregate or DISTINCT of this SELECT is about the rows of one key",
                    "select the rows themselves, or group by the key: `GROUP BY key` with `sql!`",
                ),
            });
        }
        let last = self.last_token().ok_or_else(not_for_rows)?;
        let mut replacements = self.by_row(0, last);
        let start = self.text.span(0, 0).ok_or_else(not_for_rows)?.start;
        let end = self.text.span(0, last).ok_or_else(not_for_rows)?.end;
        let one = self.names.alias.replace("batch", "one");
        if self.text.mentions(&one) {
            return Err(not_for_rows());
        }
        let mut before = vec![Piece::Text(format!("SELECT {one}.* FROM "))];
        before.extend(self.rows()?);
        before.push(Piece::Text(" CROSS JOIN LATERAL (".to_owned()));
        replacements.push((start..start, before));
        let order = format!(") AS {one} ORDER BY {}.{}", self.names.alias, self.names.number);
        replacements.push((end..end, vec![Piece::Text(order)]));
        Ok(self.parts(replacements, self.unfolds()))
    }

    fn parts(&self, replacements: Vec<super::Replacement>, is_of_arrays: bool) -> Parts {
        Parts { replacements, most_rows: MOST_ROWS, is_reversed: false, is_of_arrays, gives: Gives::Some }
    }

    /// Whether the result depends on all rows of a key together.
    fn is_of_each(&self) -> bool {
        let Body::Select(select) = &self.root.body else { return true };
        let window = |e: &Expr| e.any(|e| matches!(e, Expr::Call(call) if call.window));
        select.aggregates
            || !select.group_by.is_empty()
            || select.distinct.is_some()
            || select.having.is_some()
            || self.root.limit.is_some()
            || self.root.offset.is_some()
            || select.projection.iter().any(window)
            || select.projection.iter().any(|value| self.has_row(value))
    }
}
