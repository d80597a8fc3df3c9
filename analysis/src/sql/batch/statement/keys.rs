//! Conditions that compare a column with a value of a row: the keys by which rows are read, changed and
//! deleted.

use std::ops::Range;

use super::{Maker, Piece, Refusal, Replacement, not_for_rows};
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Op};

/// `column = $1`.
pub(super) struct Key {
    /// The number of the parameter, counted from 1.
    pub(super) number: usize,
    /// The column as written.
    pub(super) column: String,
    /// The range of the whole condition.
    pub(super) whole: Range<usize>,
    /// The range of `= $1`, with its cast.
    pub(super) value: Range<usize>,
}

impl Maker<'_> {
    /// The keys, in the order of the text; an error if a value of a row occurs in another condition.
    pub(super) fn keys(&self) -> Result<Vec<Key>, Refusal> {
        let mut keys = Vec::new();
        for condition in self.root.filters() {
            match self.key(condition) {
                Some(key) => keys.push(key),
                None if self.has_row(condition) => return Err(no_key()),
                None => {}
            }
        }
        keys.sort_by_key(|key| key.whole.start);
        if keys.is_empty() { Err(no_key()) } else { Ok(keys) }
    }

    fn key(&self, condition: &Expr) -> Option<Key> {
        let Expr::Binary { op: Op::Eq, left, right } = condition else { return None };
        let (Expr::Column(_), Expr::Parameter(number)) = (&**left, right.without_casts()) else {
            return None;
        };
        if *number > self.row {
            return None;
        }
        let at = self.text.only(*number)?;
        let equals = at.checked_sub(1).filter(|equals| self.text.text(*equals) == "=")?;
        let mut first = equals.checked_sub(1)?;
        while first >= 2 && self.text.text(first - 1) == "." {
            first -= 2;
        }
        let last = self.text.cast(at).map_or(at, |(_, end)| end);
        Some(Key {
            number: *number,
            column: self.text.sql.get(self.text.span(first, equals - 1)?)?.to_owned(),
            whole: self.text.span(first, last)?,
            value: self.text.span(equals, last)?,
        })
    }

    /// The keys as a list: `= ANY($1::int8[])` if a single array suffices, `IN (?, ?)`,
    /// `(a, b) IN ((?, ?), (?, ?))`.
    pub(super) fn listed(&self, keys: &[Key]) -> Result<Vec<Replacement>, Refusal> {
        let text = |text: &str| Piece::Text(text.to_owned());
        let [first, rest @ ..] = keys else { return Err(not_for_rows()) };
        if rest.is_empty() {
            let list = match self.dialect {
                Dialect::Postgres => {
                    let ty =
                        self.type_of(first.number - 1).ok_or_else(|| super::untyped(first.number - 1))?;
                    vec![text(&format!("= ANY(${}::{}[])", first.number, ty.name))]
                }
                Dialect::MySql | Dialect::Sqlite => {
                    vec![text("IN ("), Piece::Each(vec![Piece::Row(first.number - 1)], ", "), text(")")]
                }
            };
            return Ok(vec![(first.value.clone(), list)]);
        }
        let columns: Vec<&str> = keys.iter().map(|key| key.column.as_str()).collect();
        let mut group = vec![text("(")];
        for (at, key) in keys.iter().enumerate() {
            if at > 0 {
                group.push(text(", "));
            }
            group.push(Piece::Row(key.number - 1));
        }
        group.push(text(")"));
        // SQLite compares row values with a query, not with a list.
        let open = if self.dialect == Dialect::Sqlite { "VALUES " } else { "" };
        let list =
            vec![text(&format!("({}) IN ({open}", columns.join(", "))), Piece::Each(group, ", "), text(")")];
        let mut replacements = vec![(first.whole.clone(), list)];
        replacements.extend(rest.iter().map(|key| (key.whole.clone(), vec![text("1 = 1")])));
        Ok(replacements)
    }
}

fn no_key() -> Refusal {
    Refusal::new(
        "the rows of this statement are not found by a key of each row",
        "write `WHERE column = $1` with a value of the row, and every other condition with AND",
    )
}
