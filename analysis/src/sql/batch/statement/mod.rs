//! Turns a statement for one row into one for many rows, which `sql_batch!` runs.
//!
//! The first parameters belong to a row, the others are shared by all rows. On PostgreSQL the rows are passed
//! as arrays, so that the text is the same for any number of rows; elsewhere, and for columns that are arrays
//! themselves, there is a group of placeholders for each row.

mod change;
mod insert;
mod keys;
mod pieces;
mod read;

use std::ops::Range;

use super::most_parameters;
use super::tokens::Text;
use crate::schema::Schema;
use crate::sql::expr::Expr;
use crate::sql::query::{Block, Body, Kind, Query, Write};
use crate::sql::{Dialect, resolve};

/// A statement for many rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its text, in the order of writing and binding.
    pub pieces: Vec<Piece>,
    /// Whether each parameter of a row is one array, `$1` and so on, followed by the shared ones, so that one
    /// text serves any number of rows. Otherwise each value has a placeholder of its own.
    pub is_of_arrays: bool,
    /// The maximum number of rows per statement.
    pub most_rows: usize,
    /// Whether the rows are written in reverse, so that of several with the same key the last wins.
    pub is_reversed: bool,
    /// What it returns.
    pub gives: Gives,
}

/// A piece of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Literal text.
    Text(String),
    /// A value of a row, counted from 0.
    Row(usize),
    /// A value shared by all rows, counted from 0.
    Shared(usize),
    /// The number of the row.
    Number,
    /// Pieces repeated for each row, and their separator.
    Each(Vec<Piece>, &'static str),
}

/// What a statement for many rows returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// No rows.
    Nothing,
    /// One row for each input row, in the same order.
    OneEach,
    /// Some rows, in no particular order.
    Some,
}

/// The type of a parameter, as written in a cast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowType {
    /// The name in SQL, without `[]`.
    pub name: String,
    /// Whether it is an array, which UNNEST would flatten.
    pub is_array: bool,
}

/// Why a statement cannot process many rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The obstacle, as the message of a finding.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl Refusal {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Refusal {
        Refusal { message: message.into(), help: help.into() }
    }
}

/// Turns a statement whose first `row` parameters are values of a row into one for many rows; `types` are the
/// known types of its parameters.
///
/// # Errors
///
/// If no equivalent statement for many rows is known.
pub fn statement(
    sql: &str,
    query: &Query,
    dialect: Dialect,
    schema: Option<&Schema>,
    row: usize,
    types: &[Option<RowType>],
) -> Result<Statement, Refusal> {
    let text = Text::new(sql, dialect).ok_or_else(|| {
        let help = "write one statement with numbered placeholders: `$1`, `?1`, or `?`";
        Refusal::new("the placeholders of this statement have names, or it is several statements", help)
    })?;
    let root = query.root.map(|root| query.block(root)).ok_or_else(not_for_rows)?;
    if let Some(number) = (1..=row).find(|number| text.parameters().all(|(_, other)| other != *number)) {
        let message = format!("value {number} of a row is bound to no placeholder");
        return Err(Refusal::new(
            message,
            "give a row as many values as the statement has placeholders for it",
        ));
    }
    let maker = Maker { names: Names::of(&text, query, row), text, query, root, dialect, row, types };
    let parts = match (&root.body, query.kind) {
        _ if maker.writes_inside() => return Err(not_for_rows()),
        (Body::Write(write), Kind::Insert) => maker.insert(write)?,
        (Body::Write(write), Kind::Update | Kind::Delete) => maker.change(write)?,
        (Body::Select(_) | Body::Set { .. }, Kind::Select) => maker.read()?,
        _ => return Err(not_for_rows()),
    };
    let statement = maker.finished(parts)?;
    let again = resolve(&statement.text_for(2, dialect), dialect, schema);
    let is_sound = again.is_ok_and(|again| again.kind == query.kind && again.problems.is_empty());
    if is_sound { Ok(statement) } else { Err(not_for_rows()) }
}

fn not_for_rows() -> Refusal {
    Refusal::new(
        "this statement is not known to have a form for many rows",
        "write an INSERT of one row of VALUES, an UPDATE or DELETE by key, or a SELECT by key; or write the statement for many rows yourself with `sql!`",
    )
}

/// A range of the text, and the pieces that replace it.
type Replacement = (Range<usize>, Vec<Piece>);

/// What one form of rewrite contributes to a statement.
struct Parts {
    replacements: Vec<Replacement>,
    /// The maximum number of rows per statement, if limited by more than the number of parameters.
    most_rows: usize,
    is_reversed: bool,
    is_of_arrays: bool,
    gives: Gives,
}

/// The maximum number of rows per statement if nothing else limits it: enough to make the round trip
/// negligible.
const MOST_ROWS: usize = 65_535;

struct Maker<'a> {
    names: Names,
    text: Text<'a>,
    query: &'a Query,
    root: &'a Block,
    dialect: Dialect,
    /// How many parameters are values of a row.
    row: usize,
    types: &'a [Option<RowType>],
}

impl Maker<'_> {
    fn writes_inside(&self) -> bool {
        let writes = self.query.blocks.iter().filter(|block| matches!(block.body, Body::Write(_))).count();
        writes > usize::from(matches!(self.root.body, Body::Write(_)))
    }

    /// The type of a value of a row: that of its cast, else that of the schema.
    fn type_of(&self, at: usize) -> Option<RowType> {
        let cast = self.text.parameters().filter(|(_, number)| *number == at + 1);
        if let Some((ty, _)) = cast.into_iter().find_map(|(token, _)| self.text.cast(token)) {
            return Some(RowType { name: ty.to_owned(), is_array: false });
        }
        self.types.get(at)?.clone()
    }

    /// Whether all values of a row can be array elements.
    fn unfolds(&self) -> bool {
        (0..self.row).all(|at| self.type_of(at).is_some_and(|ty| !ty.is_array))
    }

    /// The rows as a relation with the row number as its last column: from arrays, or from a group of values
    /// per row.
    fn rows(&self) -> Result<Vec<Piece>, Refusal> {
        let Names { alias, values, number } = &self.names;
        let named = format!("{alias} ({}, {number})", values.join(", "));
        let types = (0..self.row).map(|at| self.type_of(at));
        if self.unfolds() {
            let arrays: Vec<String> =
                types.zip(1..).filter_map(|(ty, n)| Some(format!("${n}::{}[]", ty?.name))).collect();
            return Ok(vec![Piece::Text(format!(
                "UNNEST({}) WITH ORDINALITY AS {named}",
                arrays.join(", ")
            ))]);
        }
        let mut group = vec![Piece::Text("(".to_owned())];
        for (at, ty) in types.enumerate() {
            let cast = match ty {
                Some(ty) => format!("::{}, ", ty.name),
                None if self.query.kind == Kind::Insert => ", ".to_owned(),
                None => return Err(untyped(at)),
            };
            group.extend([Piece::Row(at), Piece::Text(cast)]);
        }
        group.extend([Piece::Number, Piece::Text(")".to_owned())]);
        Ok(vec![
            Piece::Text("(VALUES ".to_owned()),
            Piece::Each(group, ", "),
            Piece::Text(format!(") AS {named}")),
        ])
    }

    /// Replaces each value of a row between two tokens by `batch.v1` and so on.
    fn by_row(&self, first: usize, last: usize) -> Vec<Replacement> {
        let inside = |at: usize| (first..=last).contains(&at);
        let of_row = self.text.parameters().filter(|(at, number)| inside(*at) && *number <= self.row);
        of_row
            .filter_map(|(at, number)| {
                Some((self.text.span(at, at)?, vec![Piece::Text(self.names.value(number))]))
            })
            .collect()
    }

    fn finished(&self, parts: Parts) -> Result<Statement, Refusal> {
        let whole = 0..self.text.sql.len();
        let pieces = self.cut(whole, &parts.replacements, parts.is_of_arrays).ok_or_else(not_for_rows)?;
        let (each, once) = pieces::values(&pieces);
        let most = most_parameters(self.dialect).saturating_sub(once) / each.max(1);
        let most_rows = if each == 0 { parts.most_rows } else { most.min(parts.most_rows) };
        // Text outside the groups occurs once, so it cannot refer to a row.
        let is_whole = pieces.iter().all(|piece| !matches!(piece, Piece::Row(_) | Piece::Number));
        if most_rows == 0 || !is_whole {
            return Err(not_for_rows());
        }
        let Parts { is_reversed, is_of_arrays, gives, .. } = parts;
        Ok(Statement { pieces, is_of_arrays, most_rows, is_reversed, gives })
    }

    /// The position of a word outside of parentheses.
    fn word(&self, word: &str) -> Option<usize> {
        self.text.outside(word, 0)
    }

    fn last_token(&self) -> Option<usize> {
        self.text.tokens.len().checked_sub(1)
    }

    /// What a write returns; an INSERT that may skip a row returns nothing for it.
    fn gives(&self, write: &Write) -> Gives {
        let ignores = (0..4).any(|at| self.text.is_word(at, "IGNORE"));
        match (&write.returning, &write.conflict) {
            (None, _) => Gives::Nothing,
            _ if self.query.kind != Kind::Insert || ignores => Gives::Some,
            (_, Some(conflict)) if conflict.assignments.is_empty() || conflict.filter.is_some() => {
                Gives::Some
            }
            _ => Gives::OneEach,
        }
    }

    /// Whether an expression contains a value of a row.
    fn has_row(&self, expr: &Expr) -> bool {
        expr.any(|part| matches!(part, Expr::Parameter(number) if *number <= self.row))
    }
}

/// The refusal for a value of unknown type.
fn untyped(at: usize) -> Refusal {
    Refusal::new(
        format!("the type of parameter ${} is not known, and the rows are read by their types", at + 1),
        format!("cast it in the SQL: `${}::<type>`", at + 1),
    )
}

/// Names for the rows and their columns that neither the statement nor its tables use.
struct Names {
    alias: String,
    values: Vec<String>,
    number: String,
}

impl Names {
    fn of(text: &Text<'_>, query: &Query, row: usize) -> Names {
        let mut mark = String::new();
        loop {
            let names = Names {
                alias: format!("batch{mark}"),
                values: (1..=row).map(|number| format!("v{number}{mark}")).collect(),
                number: format!("nth{mark}"),
            };
            let all = || names.values.iter().chain([&names.alias, &names.number]);
            let columns = || {
                query
                    .relations
                    .iter()
                    .filter_map(|relation| relation.columns.as_ref())
                    .flat_map(|it| it.iter())
            };
            let is_taken =
                |name: &String| text.mentions(name) || columns().any(|column| column.name == *name);
            if !all().any(is_taken) {
                return names;
            }
            mark.push('_');
        }
    }

    /// A value of the row, by its parameter's number, counted from 1.
    fn value(&self, number: usize) -> String {
        let name = number.checked_sub(1).and_then(|at| self.values.get(at));
        format!("{}.{}", self.alias, name.map_or("", String::as_str))
    }
}

#[cfg(test)]
mod tests;
