//! What a statement that writes does.

use super::{BlockId, From, RelationId};
use crate::sql::expr::Expr;
use crate::sql::text::Span;

/// INSERT, UPDATE, DELETE or MERGE.
#[derive(Debug, Clone)]
pub struct Write {
    /// What is written to.
    pub target: RelationId,
    /// For UPDATE and DELETE: the target joined to FROM or USING; for MERGE: the join of source and target. Empty for
    /// INSERT.
    pub from: Vec<From>,
    /// The WHERE.
    pub filter: Option<Expr>,
    /// The columns set by UPDATE, or named by INSERT, each with its value where one is written; for MERGE those of all
    /// its updates.
    pub assignments: Vec<(String, Option<Expr>)>,
    /// The rows of an INSERT.
    pub source: Option<BlockId>,
    /// ON CONFLICT.
    pub conflict: Option<Conflict>,
    /// The WHEN clauses of a MERGE, in their order; empty for any other statement.
    pub whens: Vec<When>,
    /// What RETURNING gives; `None` without it.
    pub returning: Option<Vec<Expr>>,
    /// Where the keyword stands.
    pub span: Option<Span>,
}

impl Write {
    /// Whether it may add rows.
    pub fn inserts(&self) -> bool {
        self.from.is_empty() || self.whens.iter().any(|when| matches!(when.action, Action::Insert { .. }))
    }

    /// Whether it may take rows away.
    pub fn deletes(&self) -> bool {
        match self.whens.as_slice() {
            [] => !self.from.is_empty() && self.assignments.is_empty(),
            whens => whens.iter().any(|when| matches!(when.action, Action::Delete)),
        }
    }
}

/// A WHEN clause of a MERGE.
#[derive(Debug, Clone)]
pub struct When {
    /// What has to hold besides that the rows match, or do not.
    pub condition: Option<Expr>,
    /// What is done.
    pub action: Action,
}

/// What a WHEN clause of a MERGE does.
#[derive(Debug, Clone)]
pub enum Action {
    /// Adds a row of the source.
    Insert {
        /// The columns that are named; empty for all of them.
        columns: Vec<String>,
        /// Their values; empty for `DEFAULT VALUES`.
        values: Vec<Expr>,
    },
    /// Changes the row of the target: each column with its value.
    Update(Vec<(String, Option<Expr>)>),
    /// Takes the row of the target away.
    Delete,
    /// `DO NOTHING`.
    Nothing,
}

/// The ON CONFLICT or ON DUPLICATE KEY of an INSERT.
#[derive(Debug, Clone)]
pub struct Conflict {
    /// The columns of the target; empty when none are named.
    pub columns: Vec<String>,
    /// The columns it sets; empty for DO NOTHING.
    pub assignments: Vec<(String, Option<Expr>)>,
    /// Its WHERE.
    pub filter: Option<Expr>,
}
