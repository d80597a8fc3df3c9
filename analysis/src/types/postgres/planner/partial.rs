//! Partial indexes that the planner may use: what they cost is not followed, so that the plan is not known.

use super::super::plan::Reading;
use super::estimate::{Filter, Leaf};
use super::tree::Tree;
use crate::schema::prepared::{self, Predicate};
use crate::sql::expr::{ColumnRef, Expr, Test};
use crate::sql::predicates;
use crate::sql::query::RelationId;

impl Tree<'_> {
    /// Whether the conditions on a relation imply the predicate of one of its partial indexes. A join by a column demands
    /// that it is not NULL.
    pub(super) fn may_use_partial_index(&self, reading: &Reading<'_>) -> bool {
        self.leaves.iter().enumerate().any(|(at, leaf)| self.has_partial_index(reading, at, leaf))
    }

    fn has_partial_index(&self, reading: &Reading<'_>, at: usize, leaf: &Leaf<'_>) -> bool {
        let Some(table) = leaf.table.filter(|_| !leaf.is_dead) else { return false };
        if table.indexes.iter().all(|index| index.predicate.is_none()) {
            return false;
        }
        let clauses = self.clauses.iter().chain(self.outer.iter().flat_map(|join| &join.on));
        let joined = clauses.filter_map(|clause| clause.equal.as_ref()).flatten().filter(|(of, _)| *of == at);
        let fixed = leaf.filters.iter().filter_map(|filter| match filter {
            Filter::Derived(column) => Some(column),
            Filter::Written(_) => None,
        });
        let present: Vec<Expr> =
            joined.map(|(_, column)| column).chain(fixed).map(|name| is_not_null(leaf.id, name)).collect();
        let written = leaf.filters.iter().filter_map(|filter| match filter {
            Filter::Written(condition) => Some(*condition),
            Filter::Derived(_) => None,
        });
        let conditions: Vec<&Expr> = written.chain(&present).collect();
        prepared::indexes(reading.schema, table).iter().any(|index| match &index.predicate {
            Predicate::None => false,
            Predicate::Known(predicate) => predicates::implied(predicate, &conditions, leaf.id),
            Predicate::NotUnderstood => true,
        })
    }
}

fn is_not_null(of: RelationId, name: &str) -> Expr {
    let column = ColumnRef { relation: Some(of), name: name.to_owned(), span: None };
    Expr::Is { expr: Box::new(Expr::Column(column)), test: Test::Null, negated: true }
}
