//! INSERT of one row of VALUES.

use super::{Gives, MOST_ROWS, Maker, Parts, Piece, Refusal, Replacement, not_for_rows};
use crate::sql::Dialect;
use crate::sql::query::{Body, Write};
use crate::sql::quote::quote_if_needed;

/// The inserted row, as token positions.
struct Row {
    /// The position of `VALUES` or `VALUE`.
    word: usize,
    open: usize,
    close: usize,
}

impl Maker<'_> {
    pub(super) fn insert(&self, write: &Write) -> Result<Parts, Refusal> {
        let row = self.written_row(write)?;
        let gives = self.gives(write);
        let behind = self.behind(write, &row)?;
        let has_default = (row.open..row.close).any(|at| self.text.is_word(at, "DEFAULT"));
        if self.dialect == Dialect::Postgres && !has_default {
            return self.selected(&row, behind, gives).ok_or_else(not_for_rows)?;
        }
        let span = self.text.span(row.open, row.close).ok_or_else(not_for_rows)?;
        let group = self.cut(span.clone(), &[], false).ok_or_else(not_for_rows)?;
        let mut replacements = behind;
        replacements.push((span, vec![Piece::Each(group, ", ")]));
        Ok(Parts { replacements, most_rows: MOST_ROWS, is_reversed: false, is_of_arrays: false, gives })
    }

    fn written_row(&self, write: &Write) -> Result<Row, Refusal> {
        let rows = write.source.map(|source| &self.query.block(source).body);
        let one_row = || {
            Refusal::new(
                "this INSERT does not have exactly one row of VALUES",
                "write the row once, `VALUES ($1, $2)`; it is repeated for each row of the input",
            )
        };
        let Some(Body::Values(rows)) = rows else { return Err(one_row()) };
        let word = self.word("VALUES").or_else(|| self.word("VALUE")).ok_or_else(not_for_rows)?;
        let close = self.text.closing(word + 1).ok_or_else(not_for_rows)?;
        if rows.len() != 1 || self.text.text(word + 1) != "(" || self.text.text(close + 1) == "," {
            return Err(one_row());
        }
        Ok(Row { word, open: word + 1, close })
    }

    /// `VALUES ($1, lower($2))` becomes
    /// `SELECT batch.v1, lower(batch.v2) FROM UNNEST(..) .. ORDER BY batch.nth`: rows are written and
    /// returned one by one, in the order of the sort.
    fn selected(
        &self,
        row: &Row,
        mut replacements: Vec<Replacement>,
        gives: Gives,
    ) -> Option<Result<Parts, Refusal>> {
        let is_of_arrays = self.unfolds();
        let inside = self.text.span(row.open, row.open)?.end..self.text.span(row.close, row.close)?.start;
        let values = self.cut(inside, &self.by_row(row.open, row.close), is_of_arrays)?;
        let rows = match self.rows() {
            Ok(rows) => rows,
            Err(refusal) => return Some(Err(refusal)),
        };
        let mut pieces = vec![Piece::Text("SELECT ".to_owned())];
        pieces.extend(values);
        pieces.push(Piece::Text(" FROM ".to_owned()));
        pieces.extend(rows);
        pieces.push(Piece::Text(format!(" ORDER BY {}.{}", self.names.alias, self.names.number)));
        replacements.push((self.text.span(row.word, row.close)?, pieces));
        Some(Ok(Parts { replacements, most_rows: MOST_ROWS, is_reversed: false, is_of_arrays, gives }))
    }

    /// After the rows, a value of a row is referred to by the proposed row.
    fn behind(&self, write: &Write, row: &Row) -> Result<Vec<Replacement>, Refusal> {
        let outside = self
            .text
            .parameters()
            .filter(|(at, number)| *number <= self.row && !(row.open..row.close).contains(at));
        outside.map(|(at, number)| self.proposed(write, row, at, number)).collect()
    }

    fn proposed(&self, write: &Write, row: &Row, at: usize, number: usize) -> Result<Replacement, Refusal> {
        let pieces = self.text.pieces(row.open, row.close);
        let is_it = |piece: &std::ops::Range<usize>| {
            piece.len() == 1
                && self.text.parameters().any(|(token, other)| token == piece.start && other == number)
        };
        let column = pieces.iter().position(is_it).and_then(|at| write.assignments.get(at));
        let refusal = || {
            let (proposed, clause) = match self.dialect {
                Dialect::MySql => ("VALUES(column)", "ON DUPLICATE KEY UPDATE"),
                Dialect::Postgres | Dialect::Sqlite => ("EXCLUDED.column", "ON CONFLICT"),
            };
            Refusal::new(
                format!(
                    "value {number} of a row is used outside of VALUES, where it belongs to no single row"
                ),
                format!("name the row that was proposed in {clause}: `{proposed}`"),
            )
        };
        let (name, _) = column.filter(|_| at > row.close).ok_or_else(refusal)?;
        let name = quote_if_needed(name, self.dialect);
        let text = match self.dialect {
            Dialect::MySql => format!("VALUES({name})"),
            Dialect::Postgres | Dialect::Sqlite => format!("EXCLUDED.{name}"),
        };
        Ok((self.text.span(at, at).ok_or_else(refusal)?, vec![Piece::Text(text)]))
    }
}
