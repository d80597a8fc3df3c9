//! The statement of a batch as the macro writes it, and the queries that it is for so many rows.

use std::fmt::Write;

use sqlx::database::HasStatementCache;
use sqlx::error::BoxDynError;
use sqlx::{Arguments, AssertSqlSafe, Database, IntoArguments};

use super::{Batch, Column};
use crate::counting::Counter;
use crate::query::Query;
use crate::site::Site;
use crate::values::Counted;

/// A statement for many rows.
#[derive(Debug)]
pub struct Statement {
    /// Its text where it has a placeholder for each value. Empty where each column is an array: the text is the site's.
    pub pieces: &'static [Piece],
    /// How many rows one statement takes.
    pub most_rows: usize,
    /// Whether the rows are written last to first.
    pub is_reversed: bool,
    /// Whether it writes.
    pub is_write: bool,
    /// Whether placeholders have numbers.
    pub is_numbered: bool,
}

/// A piece of a statement.
#[derive(Debug)]
pub enum Piece {
    /// Text as it stands.
    Text(&'static str),
    /// The value of a row in that column.
    Row(usize),
    /// A value that is shared by all rows.
    Shared(usize),
    /// The number of the row.
    Number,
    /// These for each row, with the text between.
    Each(&'static [Piece], &'static str),
}

/// Bytes of values in one statement: servers refuse packets that are too large, MySQL's from 4 MiB on.
const MOST_BYTES: usize = 3 * 1024 * 1024;
/// The same where one array holds a column; PostgreSQL takes a gigabyte.
const MOST_BYTES_OF_ARRAYS: usize = 64 * 1024 * 1024;

/// The statement at `site` for the rows whose values are `columns`.
///
/// An error in encoding one is given when the batch is executed.
pub fn batch<DB, G>(
    site: &'static Site,
    statement: &'static Statement,
    columns: &[&dyn Column<DB>],
    shared: &[&dyn Column<DB>],
) -> Batch<DB, G>
where
    DB: Database + HasStatementCache,
    DB::Arguments: IntoArguments<DB>,
{
    let rows = columns.first().map_or(0, |column| column.count());
    let mut queries = Vec::new();
    let mut start = 0;
    while start < rows {
        let end = end_of_chunk(statement, columns, start, rows);
        let chunk = Chunk { statement, columns, shared, start, end };
        queries.push((chunk.query(site), end - start));
        start = end;
    }
    Batch::new(queries, statement.is_write)
}

fn end_of_chunk<DB: Database>(
    statement: &Statement,
    columns: &[&dyn Column<DB>],
    start: usize,
    rows: usize,
) -> usize {
    let is_of_arrays = statement.pieces.is_empty();
    let mut left = if is_of_arrays { MOST_BYTES_OF_ARRAYS } else { MOST_BYTES };
    let most = start.saturating_add(statement.most_rows.max(1)).min(rows);
    for row in start..most {
        let size: usize = columns.iter().map(|column| column.size(row)).sum();
        match left.checked_sub(size) {
            Some(rest) => left = rest,
            // A row that is too large for a statement is the server's to refuse.
            None => return row.max(start + 1),
        }
    }
    most
}

struct Chunk<'a, DB> {
    statement: &'static Statement,
    columns: &'a [&'a dyn Column<DB>],
    shared: &'a [&'a dyn Column<DB>],
    start: usize,
    end: usize,
}

impl<DB> Chunk<'_, DB>
where
    DB: Database + HasStatementCache,
    DB::Arguments: IntoArguments<DB>,
{
    fn query(&self, site: &'static Site) -> Query<DB> {
        let mut arguments = DB::Arguments::default();
        let mut counted = Counted(Counter::new(site));
        if self.statement.pieces.is_empty() {
            let added = self.arrays(&mut arguments, &mut counted);
            return Query::with_arguments(site, added.map(|()| arguments), counted.0);
        }
        let mut text = Text { sql: String::new(), placeholders: 0, is_numbered: self.statement.is_numbered };
        let added = self.groups(&mut text, &mut arguments, &mut counted);
        // There are as many texts as there are numbers of rows, and a connection keeps but a few.
        Query::with_text(site, AssertSqlSafe(text.sql), added.map(|()| arguments), counted.0)
            .persistent(false)
    }

    fn arrays(&self, arguments: &mut DB::Arguments, counted: &mut Counted) -> Result<(), BoxDynError> {
        let rows = self.start..self.end;
        arguments.reserve(self.columns.len() + self.shared.len(), 0);
        self.columns.iter().try_for_each(|column| column.add(rows.clone(), arguments, counted))?;
        self.shared.iter().try_for_each(|value| value.add(0..1, arguments, counted))
    }

    fn groups(
        &self,
        text: &mut Text,
        arguments: &mut DB::Arguments,
        counted: &mut Counted,
    ) -> Result<(), BoxDynError> {
        for piece in self.statement.pieces {
            let Piece::Each(inside, between) = piece else {
                self.piece(piece, self.start, text, arguments, counted)?;
                continue;
            };
            for nth in 0..self.end - self.start {
                if nth > 0 {
                    text.sql.push_str(between);
                }
                let row = if self.statement.is_reversed { self.end - 1 - nth } else { self.start + nth };
                for piece in *inside {
                    self.piece(piece, row, text, arguments, counted)?;
                }
            }
        }
        Ok(())
    }

    fn piece(
        &self,
        piece: &Piece,
        row: usize,
        text: &mut Text,
        arguments: &mut DB::Arguments,
        counted: &mut Counted,
    ) -> Result<(), BoxDynError> {
        let (value, row) = match piece {
            Piece::Text(part) => {
                text.sql.push_str(part);
                return Ok(());
            }
            Piece::Number => return Ok(write!(text.sql, "{}", row - self.start)?),
            Piece::Row(at) => (self.columns.get(*at), row),
            Piece::Shared(at) => (self.shared.get(*at), 0),
            Piece::Each(..) => return Ok(()),
        };
        text.placeholder();
        value.map_or(Ok(()), |value| value.add(row..row + 1, arguments, counted))
    }
}

struct Text {
    sql: String,
    placeholders: usize,
    is_numbered: bool,
}

impl Text {
    fn placeholder(&mut self) {
        self.placeholders += 1;
        let _ = match self.is_numbered {
            true => write!(self.sql, "${}", self.placeholders),
            false => self.sql.write_char('?'),
        };
    }
}
