//! SELECT.

use super::{Block, Body, From};
use crate::sql::expr::Expr;
use crate::sql::functions;
use crate::sql::text::Span;

/// The clauses of one SELECT, without ORDER BY and LIMIT, which its block has.
#[derive(Debug, Clone, Default)]
pub struct Select {
    /// Its FROM, one tree for each list element.
    pub from: Vec<From>,
    /// Its WHERE.
    pub filter: Option<Expr>,
    /// Its SELECT list.
    pub projection: Vec<Expr>,
    /// The name of each of them; empty for a `*` whose columns are unknown.
    pub names: Vec<String>,
    /// The position of `*` or `t.*`, if there is one.
    pub star: Option<Span>,
    /// DISTINCT: empty if plain, the expressions of `DISTINCT ON (..)` otherwise.
    pub distinct: Option<Vec<Expr>>,
    /// The expressions of GROUP BY; empty if it has none.
    pub group_by: Vec<Expr>,
    /// Whether it groups by several sets: ROLLUP, CUBE, GROUPING SETS.
    pub grouping_sets: bool,
    /// Whether it calls an aggregate, so that without GROUP BY it returns one row.
    pub aggregates: bool,
    /// Whether its SELECT list calls a set-returning function.
    pub set_returning: bool,
    /// The condition of HAVING, on groups; `None` without one.
    pub having: Option<Expr>,
}

impl Select {
    /// Whether it is `SELECT DISTINCT`, without ON.
    pub fn is_distinct(&self) -> bool {
        self.distinct.as_ref().is_some_and(Vec::is_empty)
    }
}

impl Block {
    /// MySQL and MariaDB: whether a derived table, view or CTE of this query is merged into the one that reads it. It is not if
    /// it makes other rows of those of its tables, or has no table at all.
    pub(in crate::sql) fn can_be_merged(&self) -> bool {
        let Body::Select(select) = &self.body else { return false };
        let is_windowed = |expr: &Expr| expr.any(|e| matches!(e, Expr::Call(call) if call.window));
        let keys = || self.order_by.iter().map(|key| &key.expr);
        let is_aggregate = |expr: &Expr| {
            expr.any(
                |e| matches!(e, Expr::Call(call) if functions::is_aggregate(&call.name, call.args.len())),
            )
        };
        !self.is_volatile
            && !select.from.is_empty()
            && self.limit.is_none()
            && select.distinct.is_none()
            && !select.aggregates
            && select.having.is_none()
            && select.group_by.is_empty()
            && !select.projection.iter().chain(keys()).any(is_windowed)
            && !keys().any(is_aggregate)
    }
}
