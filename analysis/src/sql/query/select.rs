//! SELECT.

use super::From;
use crate::sql::expr::Expr;
use crate::sql::text::Span;

/// A SELECT.
#[derive(Debug, Clone, Default)]
pub struct Select {
    /// Its FROM, one tree for each list element.
    pub from: Vec<From>,
    /// Its WHERE.
    pub filter: Option<Expr>,
    /// Its SELECT list.
    pub projection: Vec<Expr>,
    /// The position of `*` or `t.*`, if there is one.
    pub star: Option<Span>,
    /// DISTINCT: empty if plain, the expressions of `DISTINCT ON (..)` otherwise.
    pub distinct: Option<Vec<Expr>>,
    /// Its GROUP BY.
    pub group_by: Vec<Expr>,
    /// Whether it groups by several sets: ROLLUP, CUBE, GROUPING SETS.
    pub grouping_sets: bool,
    /// Whether it calls an aggregate, so that without GROUP BY it returns one row.
    pub aggregates: bool,
    /// Whether its SELECT list calls a set-returning function.
    pub set_returning: bool,
    /// Its HAVING.
    pub having: Option<Expr>,
}

impl Select {
    /// Whether it is `SELECT DISTINCT`, without ON.
    pub fn is_distinct(&self) -> bool {
        self.distinct.as_ref().is_some_and(Vec::is_empty)
    }
}
