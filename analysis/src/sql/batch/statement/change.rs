//! UPDATE and DELETE by key.

use super::{MOST_ROWS, Maker, Parts, Piece, Refusal, Replacement, not_for_rows};
use crate::sql::Dialect;
use crate::sql::query::Write;

/// The maximum number of rows in a statement that searches all rows for each value, whose cost is quadratic.
const MOST_CASES: usize = 500;

impl Maker<'_> {
    pub(super) fn change(&self, write: &Write) -> Result<Parts, Refusal> {
        let sets = self.sets(write);
        if self.root.limit.is_some() || !self.root.order_by.is_empty() {
            return Err(Refusal::new(
                "the LIMIT of this statement would be one for all rows together",
                "leave it out: a key says which rows are written",
            ));
        }
        let filter = write.filter.as_ref().filter(|filter| self.has_row(filter));
        if filter.is_none() {
            return Err(Refusal::new(
                "no condition of this statement names a value of a row",
                "write which row of the table is meant: `WHERE id = $1`",
            ));
        }
        let gives = self.gives(write);
        let is_postgres = self.dialect == Dialect::Postgres;
        let keys = self.keys();
        let (replacements, most_rows, is_of_arrays) = match keys {
            // A list suits deletes, and updates that set the same value in all rows.
            Ok(keys) if !sets && (keys.len() == 1 && self.unfolds() || !is_postgres) => {
                (self.listed(&keys)?, MOST_ROWS, is_postgres)
            }
            Ok(_) | Err(_) if is_postgres => (self.joined(write, sets)?, MOST_ROWS, self.unfolds()),
            Ok(keys) => (self.cases(write, &keys)?, MOST_CASES, false),
            Err(refusal) => return Err(refusal),
        };
        // The first matching case wins, so the last row is written first.
        let is_reversed = !is_postgres && sets;
        Ok(Parts { replacements, most_rows, is_reversed, is_of_arrays, gives })
    }

    /// Whether the statement assigns values of a row.
    fn sets(&self, write: &Write) -> bool {
        write.assignments.iter().any(|(_, value)| value.as_ref().is_some_and(|value| self.has_row(value)))
    }

    /// `UPDATE t SET a = batch.v2 FROM (..) AS batch WHERE id = batch.v1`: of several rows with the same key,
    /// the last wins.
    fn joined(&self, write: &Write, sets: bool) -> Result<Vec<Replacement>, Refusal> {
        let filter = self.word("WHERE").ok_or_else(not_for_rows)?;
        let last = self.last_token().ok_or_else(not_for_rows)?;
        let mut replacements = self.by_row(0, last);
        let start = self.text.span(filter, filter).ok_or_else(not_for_rows)?.start;
        let from: usize = write.from.iter().map(|item| item.relations().len()).sum();
        let word = match (from, write.assignments.is_empty()) {
            (2.., _) => ", ",
            (_, true) => "USING ",
            (_, false) => "FROM ",
        };
        let mut pieces = vec![Piece::Text(word.to_owned())];
        let rows = self.rows()?;
        if sets {
            let super::Names { alias, values, number } = &self.names;
            let keys = self.in_filter(filter);
            let keys: Vec<&str> = keys.iter().filter_map(|at| values.get(*at)).map(String::as_str).collect();
            let keys = keys.join(", ");
            let values = values.join(", ");
            pieces.push(Piece::Text(format!("(SELECT DISTINCT ON ({keys}) {values} FROM ")));
            pieces.extend(rows);
            pieces.push(Piece::Text(format!(" ORDER BY {keys}, {number} DESC) AS {alias} ")));
        } else {
            pieces.extend(rows);
            pieces.push(Piece::Text(" ".to_owned()));
        }
        replacements.push((start..start, pieces));
        Ok(replacements)
    }

    /// The values of a row after WHERE, counted from 0.
    fn in_filter(&self, filter: usize) -> Vec<usize> {
        let mut keys: Vec<usize> = self
            .text
            .parameters()
            .filter(|(at, number)| *at > filter && *number <= self.row)
            .filter_map(|(_, number)| number.checked_sub(1))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// `SET a = CASE WHEN id = ? THEN ? .. END WHERE id IN (?, ..)`: all databases support it, and
    /// comparisons keep the types and collations of the statement for one row.
    fn cases(&self, write: &Write, keys: &[super::keys::Key]) -> Result<Vec<Replacement>, Refusal> {
        let from: usize = write.from.iter().map(|item| item.relations().len()).sum();
        if from > 1 {
            return Err(not_for_rows());
        }
        let mut replacements = self.listed(keys)?;
        let filter = self.word("WHERE").ok_or_else(not_for_rows)?;
        for (at, number) in self.text.parameters().filter(|(at, number)| *at < filter && *number <= self.row)
        {
            let mut group = Vec::new();
            for (nth, key) in keys.iter().enumerate() {
                let word = if nth == 0 { "WHEN" } else { "AND" };
                group.push(Piece::Text(format!("{word} {} = ", key.column)));
                group.push(Piece::Row(key.number - 1));
                group.push(Piece::Text(" ".to_owned()));
            }
            group.extend([Piece::Text("THEN ".to_owned()), Piece::Row(number - 1)]);
            let span = self.text.span(at, at).ok_or_else(not_for_rows)?;
            let case =
                [Piece::Text("CASE ".to_owned()), Piece::Each(group, " "), Piece::Text(" END".to_owned())];
            replacements.push((span, case.into()));
        }
        Ok(replacements)
    }
}
