//! Errors that the database would report for a statement.

use crate::sql::text::Span;

/// A name that is unknown or ambiguous; a list of the wrong length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The kind of error.
    pub kind: ProblemKind,
    /// Its position in the SQL.
    pub span: Option<Span>,
}

/// The kinds of error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    /// No such table or view.
    UnknownTable {
        /// The name as written.
        name: String,
        /// A table with a similar name.
        similar: Option<String>,
    },
    /// No such column.
    UnknownColumn {
        /// The column as written.
        column: String,
        /// The only table that it could belong to.
        table: Option<String>,
        /// A column with a similar name.
        similar: Option<String>,
    },
    /// No such field of a composite value.
    UnknownField {
        /// The field as written.
        field: String,
        /// The type or function that the value is of.
        of: String,
        /// A field with a similar name.
        similar: Option<String>,
    },
    /// Several relations have the column.
    AmbiguousColumn {
        /// The column as written.
        column: String,
        /// The aliases of the relations that have it.
        relations: Vec<String>,
    },
    /// A clause that the database refuses, by itself or in combination with others.
    Clause {
        /// What is wrong, as a sentence without a full stop.
        message: String,
        /// The label of its position.
        label: &'static str,
        /// What to write.
        help: String,
    },
    /// Syntax that only other databases have.
    Foreign {
        /// What is wrong, as a sentence without a full stop.
        message: String,
        /// What to write.
        help: String,
    },
    /// The number of values differs from the number of columns.
    ValuesCount {
        /// The target table.
        table: String,
        /// The number of values.
        values: usize,
        /// The columns, if their names are known.
        columns: Vec<String>,
        /// Whether the statement lists the columns; otherwise they are all columns of the table.
        listed: bool,
        /// The row of VALUES, counted from 1; `None` if there is only one, or a query provides them.
        row: Option<usize>,
    },
}
