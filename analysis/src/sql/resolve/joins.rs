//! Conditions of joins.

use sqlparser::ast;

use super::Resolver;
use super::scope::{Merged, Scope};
use crate::sql::dialect::Dialect;
use crate::sql::expr::{ColumnRef, Expr, Op};
use crate::sql::query::From;

impl Resolver<'_> {
    /// Runs something that sees the tables from position `first` on: JOIN binds tighter than the comma before its item of
    /// the FROM, but in SQLite. There it sees all but the table that an UPDATE writes to, as the FROM is one query.
    pub(super) fn within_item<T>(&mut self, first: usize, run: impl FnOnce(&mut Self) -> T) -> T {
        let is_sqlite = self.dialect == Dialect::Sqlite;
        let is_meant = |scope: &&mut Scope| first > 0 && (!is_sqlite || scope.written.is_some());
        let Some(scope) = self.scopes.last_mut().filter(is_meant) else { return run(self) };
        let first = if is_sqlite { 1 } else { first };
        let joined = scope.relations.split_off(first.min(scope.relations.len()));
        let before = std::mem::replace(&mut scope.relations, joined);
        let outer = std::mem::replace(&mut scope.out_of_reach, before);
        let result = run(self);
        if let Some(scope) = self.scopes.last_mut() {
            let joined = std::mem::take(&mut scope.relations);
            scope.relations = std::mem::replace(&mut scope.out_of_reach, outer);
            scope.relations.extend(joined);
        }
        result
    }

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

    /// SQLite: records an ON CONFLICT after a FROM: its ON is read as the condition of a join, unless another clause or
    /// condition ends the FROM.
    pub(super) fn check_place_of_conflict(&mut self, insert: &ast::Insert) {
        let is_there = matches!(insert.on, Some(ast::OnInsert::OnConflict(_)));
        let Some(query) = insert.source.as_ref().filter(|_| is_there && self.dialect == Dialect::Sqlite)
        else {
            return;
        };
        if let Some(last) = open_table(query) {
            let span = match last {
                ast::TableFactor::Table { name, .. } => self.span_of(name),
                _ => self.bytes(insert.insert_token.0.span),
            };
            self.clause(
                "ON CONFLICT after a FROM without WHERE",
                "SQLite reads the ON as a condition of this",
                "write `WHERE true` before ON CONFLICT",
                span,
            );
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

/// The last table of a query that ends in its FROM, and may have an ON after it.
fn open_table(query: &ast::Query) -> Option<&ast::TableFactor> {
    if query.order_by.is_some() || query.limit_clause.is_some() {
        return None;
    }
    let mut body = query.body.as_ref();
    while let ast::SetExpr::SetOperation { right, .. } = body {
        body = right;
    }
    let select = match body {
        ast::SetExpr::Select(select) => select,
        ast::SetExpr::Query(inner) => return open_table(inner),
        _ => return None,
    };
    let is_grouped = match &select.group_by {
        ast::GroupByExpr::All(_) => true,
        ast::GroupByExpr::Expressions(keys, _) => !keys.is_empty(),
    };
    if select.selection.is_some() || is_grouped || select.having.is_some() || !select.named_window.is_empty()
    {
        return None;
    }
    let last = select.from.last()?;
    let Some(join) = last.joins.last() else { return Some(&last.relation) };
    let has_condition = matches!(
        constraint_of(&join.join_operator),
        Some(ast::JoinConstraint::On(_) | ast::JoinConstraint::Using(_))
    );
    (!has_condition).then_some(&join.relation)
}

/// The condition of a join.
fn constraint_of(operator: &ast::JoinOperator) -> Option<&ast::JoinConstraint> {
    use ast::JoinOperator as J;
    match operator {
        J::Join(constraint)
        | J::Inner(constraint)
        | J::Left(constraint)
        | J::LeftOuter(constraint)
        | J::Right(constraint)
        | J::RightOuter(constraint)
        | J::FullOuter(constraint)
        | J::CrossJoin(constraint) => Some(constraint),
        _ => None,
    }
}
