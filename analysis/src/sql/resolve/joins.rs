//! Conditions of joins.

use sqlparser::ast;

use super::Resolver;
use super::scope::Merged;
use crate::sql::expr::{ColumnRef, Expr, Op};
use crate::sql::query::From;

impl Resolver<'_> {
    /// The condition of a join; USING and NATURAL are written out.
    pub(super) fn join_condition(
        &mut self,
        constraint: &ast::JoinConstraint,
        left: &From,
        right: &From,
    ) -> Option<Expr> {
        match constraint {
            ast::JoinConstraint::On(condition) => Some(self.expr(condition)),
            ast::JoinConstraint::Using(columns) => {
                let names: Vec<String> = columns.iter().map(|column| self.object_name(column).1).collect();
                for (name, column) in names.iter().zip(columns) {
                    let span = self.span_of(column);
                    let _ = self.check_merged(name, left, span) || self.check_merged(name, right, span);
                }
                self.merge_columns(&names, left, right)
            }
            ast::JoinConstraint::Natural => {
                let names = self.common_columns(left, right);
                self.merge_columns(&names, left, right)
            }
            ast::JoinConstraint::None => None,
        }
    }

    /// Expands USING into equalities, and makes its columns available without a qualifier.
    fn merge_columns(&mut self, names: &[String], left: &From, right: &From) -> Option<Expr> {
        let equal = |name: &String| {
            let side = |from: &From| {
                let relations = from.relations();
                let certain = relations.iter().copied().find(|&id| self.has_column(id, name) == Some(true));
                let relation = certain.or_else(|| relations.first().copied());
                Box::new(Expr::Column(ColumnRef { relation, name: name.clone(), span: None }))
            };
            Expr::Binary { op: Op::Eq, left: side(left), right: side(right) }
        };
        let mut equalities: Vec<Expr> = names.iter().map(equal).collect();
        let relations = left.relations().into_iter().chain(right.relations()).collect();
        if let Some(scope) = self.scopes.last_mut() {
            scope.merged.push(Merged { names: names.to_vec(), relations });
        }
        match equalities.len() {
            0 => None,
            1 => equalities.pop(),
            _ => Some(Expr::And(equalities)),
        }
    }

    /// MySQL and MariaDB read `a RIGHT JOIN b USING (x)` as `b LEFT JOIN a USING (x)`: `x` is of `b`, and `*` begins with
    /// its columns.
    pub(super) fn put_right_first(
        &mut self,
        constraint: Option<&ast::JoinConstraint>,
        left: &From,
        right: &From,
    ) {
        let merges = matches!(constraint, Some(ast::JoinConstraint::Using(_) | ast::JoinConstraint::Natural));
        let (left, right) = (left.relations(), right.relations());
        let Some(scope) = self.scopes.last_mut().filter(|_| merges) else { return };
        let start = scope.relations.iter().position(|id| left.contains(id));
        if let Some(joined) = start.and_then(|start| scope.relations.get_mut(start..)) {
            joined.sort_by_key(|id| !right.contains(id));
        }
    }

    fn common_columns(&self, left: &From, right: &From) -> Vec<String> {
        let columns = |from: &From| -> Vec<String> {
            let relations = from.relations();
            let known = relations.iter().filter_map(|id| self.relations[id.0 as usize].columns.as_deref());
            known.flatten().map(|column| column.name.clone()).collect()
        };
        let right = columns(right);
        columns(left).into_iter().filter(|name| right.contains(name)).collect()
    }
}
