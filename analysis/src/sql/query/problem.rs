//! What the database would refuse in a statement.

use crate::sql::text::Span;

/// A name that does not exist, or exists more than once; a list of the wrong length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// Where it stands in the SQL.
    pub span: Option<Span>,
}

/// What is wrong with a name or a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    /// No such table or view.
    UnknownTable {
        /// The name as written.
        name: String,
        /// A table with a name like it.
        similar: Option<String>,
    },
    /// No such column.
    UnknownColumn {
        /// The column as written.
        column: String,
        /// The only table it could be of, by its name.
        table: Option<String>,
        /// A column with a name like it.
        similar: Option<String>,
    },
    /// The column is in several of the relations.
    AmbiguousColumn {
        /// The column as written.
        column: String,
        /// The relations that have it, by alias.
        relations: Vec<String>,
    },
    /// More or fewer values than columns that take them.
    ValuesCount {
        /// The table that is written to.
        table: String,
        /// How many values there are.
        values: usize,
        /// The columns, as far as their names are known.
        columns: Vec<String>,
        /// Whether the columns are written in the statement: else they are all that the table has.
        listed: bool,
        /// Which row of VALUES it is, counted from 1; `None` where there is but one, or a query gives them.
        row: Option<usize>,
    },
}
