//! Statements that write.

use super::{BlockId, From, RelationId};
use crate::sql::expr::Expr;
use crate::sql::text::Span;

/// INSERT, UPDATE, DELETE or MERGE.
#[derive(Debug, Clone)]
pub struct Write {
    /// The target of the write.
    pub target: RelationId,
    /// For UPDATE and DELETE: the target joined to FROM or USING; for MERGE: the join of source and target.
    /// Empty for INSERT.
    pub from: Vec<From>,
    /// MySQL: whether a DELETE names its table apart from FROM, `DELETE t FROM t ..`, so that it is planned like a SELECT.
    pub is_joined: bool,
    /// The WHERE.
    pub filter: Option<Expr>,
    /// The columns set by UPDATE, or listed by INSERT, each with its value if one is given; for MERGE, those
    /// of all its updates.
    pub assignments: Vec<(String, Option<Expr>)>,
    /// The rows of an INSERT.
    pub source: Option<BlockId>,
    /// ON CONFLICT or ON DUPLICATE KEY UPDATE; `None` if a duplicate key is an error.
    pub conflict: Option<Conflict>,
    /// The WHEN clauses of a MERGE, in order; empty for other statements.
    pub whens: Vec<When>,
    /// The RETURNING list; `None` without one.
    pub returning: Option<Vec<Expr>>,
    /// The position of the keyword.
    pub span: Option<Span>,
}

impl Write {
    /// Whether it may add rows.
    pub fn inserts(&self) -> bool {
        self.from.is_empty() || self.whens.iter().any(|when| matches!(when.action, Action::Insert { .. }))
    }

    /// Whether it may delete rows.
    pub fn deletes(&self) -> bool {
        match self.whens.as_slice() {
            [] => !self.from.is_empty() && self.assignments.is_empty(),
            whens => whens.iter().any(|when| matches!(when.action, Action::Delete)),
        }
    }

    /// The values that it assigns, inserts by a WHEN clause or returns, and the conditions of these clauses and its ON CONFLICT.
    pub(super) fn values(&self) -> Vec<&Expr> {
        let updated = self.conflict.iter().flat_map(|conflict| &conflict.assignments);
        let mut all: Vec<&Expr> = self.assignments.iter().chain(updated).filter_map(of_assignment).collect();
        for when in &self.whens {
            all.extend(&when.condition);
            match &when.action {
                Action::Insert { values, .. } => all.extend(values),
                // Among the assignments of the statement.
                Action::Update(_) | Action::Delete | Action::Nothing => {}
            }
        }
        all.extend(self.conflict.iter().filter_map(|conflict| conflict.filter.as_ref()));
        all.extend(self.returning.iter().flatten());
        all
    }
}

fn of_assignment((_, value): &(String, Option<Expr>)) -> Option<&Expr> {
    value.as_ref()
}

/// A WHEN clause of a MERGE.
#[derive(Debug, Clone)]
pub struct When {
    /// The additional condition after AND.
    pub condition: Option<Expr>,
    /// What it does with the row.
    pub action: Action,
}

/// The action of a WHEN clause of a MERGE.
#[derive(Debug, Clone)]
pub enum Action {
    /// Inserts a row of the source.
    Insert {
        /// The columns listed; empty for all of them.
        columns: Vec<String>,
        /// Their values; empty for `DEFAULT VALUES`.
        values: Vec<Expr>,
    },
    /// Updates the row of the target: each column with its value.
    Update(Vec<(String, Option<Expr>)>),
    /// Deletes the row of the target.
    Delete,
    /// `DO NOTHING`.
    Nothing,
}

/// The ON CONFLICT or ON DUPLICATE KEY of an INSERT.
#[derive(Debug, Clone)]
pub struct Conflict {
    /// The columns of the conflict target; empty if none are named.
    pub columns: Vec<String>,
    /// The columns it sets; empty for DO NOTHING.
    pub assignments: Vec<(String, Option<Expr>)>,
    /// Its WHERE.
    pub filter: Option<Expr>,
}
