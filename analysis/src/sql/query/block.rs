//! A block: one SELECT, VALUES, set operation or write of a statement.

use super::{BlockId, Body, From, OrderKey, Output, Role};
use crate::sql::expr::Expr;
use crate::sql::text::Span;

/// A query expression: what is read, from where, under which conditions.
#[derive(Debug, Clone)]
pub struct Block {
    /// The enclosing block.
    pub parent: Option<BlockId>,
    /// What it is used for.
    pub role: Role,
    /// Whether an expression in it refers to a column of an enclosing block.
    pub correlated: bool,
    /// What produces its rows.
    pub body: Body,
    /// The keys of its ORDER BY, in order; empty if it has none.
    pub order_by: Vec<OrderKey>,
    /// The number of rows of LIMIT or FETCH FIRST; `None` without one.
    pub limit: Option<Expr>,
    /// The number of rows that OFFSET skips; `None` without one.
    pub offset: Option<Expr>,
    /// The position of LIMIT; with `offset_span`, for messages.
    pub limit_span: Option<Span>,
    /// Whether it locks its rows (`FOR UPDATE`).
    pub locks: bool,
    /// MySQL and MariaDB: whether it computes, anywhere in it, what each row has to get anew (`RAND()`), or assigns to a
    /// variable.
    pub is_volatile: bool,
    /// MySQL and MariaDB: whether the query that reads it takes in its tables, rather than its rows from a temporary
    /// table.
    pub is_merged: bool,
    /// Its columns; `None` if unknown.
    pub outputs: Option<Vec<Output>>,
}

impl Block {
    /// Its FROM, one tree for each list element.
    pub fn from(&self) -> &[From] {
        match &self.body {
            Body::Select(select) => &select.from,
            Body::Write(write) => &write.from,
            Body::Set { .. } | Body::Values(_) | Body::Unknown => &[],
        }
    }

    /// The conjuncts of its WHERE.
    pub fn filters(&self) -> &[Expr] {
        let filter = match &self.body {
            Body::Select(select) => select.filter.as_ref(),
            Body::Write(write) => write.filter.as_ref(),
            Body::Set { .. } | Body::Values(_) | Body::Unknown => None,
        };
        filter.map_or(&[], Expr::conjuncts)
    }

    /// The conjuncts of its WHERE and of its joins.
    pub fn conditions(&self) -> Vec<&Expr> {
        let mut conditions: Vec<&Expr> = self.filters().iter().collect();
        for item in self.from() {
            item.conditions(&mut conditions);
        }
        conditions
    }
    /// All expressions that are directly in it: those of its subqueries are in other blocks.
    pub(crate) fn expressions(&self) -> Vec<&Expr> {
        let mut all = self.conditions();
        match &self.body {
            Body::Select(select) => {
                all.extend(&select.projection);
                all.extend(select.distinct.iter().flatten().chain(&select.group_by).chain(&select.having));
            }
            Body::Values(rows) => all.extend(rows.iter().flatten()),
            Body::Write(write) => all.extend(write.values()),
            Body::Set { .. } | Body::Unknown => {}
        }
        all.extend(self.order_by.iter().map(|key| &key.expr));
        all.extend(self.limit.iter().chain(&self.offset));
        all
    }
}
