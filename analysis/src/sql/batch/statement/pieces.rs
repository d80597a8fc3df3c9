//! Splits text into pieces at its values, and joins pieces to text.

use std::fmt::Write;
use std::ops::Range;

use super::{Maker, Piece, Replacement, Statement};
use crate::sql::Dialect;

impl Maker<'_> {
    /// The text of a range with its replacements, as pieces. Values passed as arrays stay text, since their
    /// numbers stay.
    pub(super) fn cut(
        &self,
        range: Range<usize>,
        replacements: &[Replacement],
        is_of_arrays: bool,
    ) -> Option<Vec<Piece>> {
        let mut all: Vec<Replacement> = replacements.to_vec();
        for (at, number) in self.text.parameters().filter(|_| !is_of_arrays) {
            let span = self.text.span(at, at)?;
            let covers = |(other, _): &Replacement| other.start <= span.start && span.end <= other.end;
            if range.start <= span.start && span.end <= range.end && !replacements.iter().any(covers) {
                let number = number.checked_sub(1)?;
                let value = match number.checked_sub(self.row) {
                    Some(shared) => Piece::Shared(shared),
                    None => Piece::Row(number),
                };
                all.push((span, vec![value]));
            }
        }
        all.sort_by_key(|(span, _)| (span.start, span.end));
        let mut pieces = Vec::new();
        let mut at = range.start;
        for (span, replacement) in all {
            push(&mut pieces, Piece::Text(self.text.sql.get(at..span.start)?.to_owned()));
            replacement.into_iter().for_each(|piece| push(&mut pieces, piece));
            at = span.end;
        }
        push(&mut pieces, Piece::Text(self.text.sql.get(at..range.end)?.to_owned()));
        Some(pieces)
    }
}

/// Appends a piece, merging adjacent text.
fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    match (pieces.last_mut(), piece) {
        (_, Piece::Text(text)) if text.is_empty() => {}
        (Some(Piece::Text(last)), Piece::Text(text)) => last.push_str(&text),
        (_, piece) => pieces.push(piece),
    }
}

/// How many placeholders there are per row, and how many in total outside of rows.
pub(super) fn values(pieces: &[Piece]) -> (usize, usize) {
    let is_value = |piece: &&Piece| matches!(piece, Piece::Row(_) | Piece::Shared(_));
    let each = pieces.iter().filter_map(|piece| match piece {
        Piece::Each(inside, _) => Some(inside.iter().filter(is_value).count()),
        _ => None,
    });
    (each.sum(), pieces.iter().filter(is_value).count())
}

impl Statement {
    /// The text for a number of rows.
    pub fn text_for(&self, rows: usize, dialect: Dialect) -> String {
        let mut text = String::new();
        let mut count = 0;
        for piece in &self.pieces {
            match piece {
                Piece::Each(inside, between) => {
                    for row in 1..=rows {
                        if row > 1 {
                            text.push_str(between);
                        }
                        inside.iter().for_each(|piece| write(&mut text, piece, row, &mut count, dialect));
                    }
                }
                piece => write(&mut text, piece, 0, &mut count, dialect),
            }
        }
        text
    }
}

fn write(text: &mut String, piece: &Piece, row: usize, count: &mut usize, dialect: Dialect) {
    // Writing to a string cannot fail.
    let _ = match piece {
        Piece::Text(part) => text.write_str(part),
        Piece::Number => write!(text, "{row}"),
        Piece::Row(_) | Piece::Shared(_) => {
            *count += 1;
            match dialect {
                Dialect::Postgres => write!(text, "${count}"),
                Dialect::MySql | Dialect::Sqlite => text.write_str("?"),
            }
        }
        Piece::Each(..) => Ok(()),
    };
}
