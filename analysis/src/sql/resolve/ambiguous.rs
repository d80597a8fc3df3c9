//! Names of ORDER BY, GROUP BY and DISTINCT ON that several columns of the result have.

use sqlparser::ast;

use super::Resolver;
use crate::sql::dialect::Dialect;
use crate::sql::expr::Expr;
use crate::sql::query::{ProblemKind, Source};

impl Resolver<'_> {
    /// PostgreSQL: records a name that two columns of the result have which are not the same.
    pub(super) fn check_output_name(&mut self, key: &ast::Expr, clause: &'static str) {
        let mut bare = key;
        while let ast::Expr::Nested(inner) = bare {
            bare = inner;
        }
        let (Dialect::Postgres, ast::Expr::Identifier(ident)) = (self.dialect, bare) else { return };
        let Some(scope) = self.scopes.last() else { return };
        let name = self.fold(ident);
        if scope.merged.iter().any(|merged| merged.names.contains(&name)) {
            return;
        }
        let mut named = scope.outputs.iter().filter(|output| self.is_named(output, &name));
        let Some(first) = named.next() else { return };
        // The columns of a set operation are all different. Of other expressions it is not known.
        let is_other = |other: &Expr| match (first.expr.as_column(), other.as_column()) {
            _ if scope.outputs_only => true,
            (Some(one), Some(other)) => one.relation.is_some() && other.relation.is_some() && one != other,
            _ => false,
        };
        let Some(other) = named.find(|other| is_other(&other.expr)) else { return };
        let relation = |expr: &Expr| {
            let column = expr.as_column().filter(|column| column.name == name && !scope.outputs_only)?;
            self.relations.get(column.relation?.0 as usize).map(|relation| relation.alias.clone())
        };
        let relations = [relation(&first.expr), relation(&other.expr)].into_iter().collect();
        let span = self.bytes(ident.span);
        if let Some(relations) = relations {
            return self.problem(ProblemKind::AmbiguousColumn { column: name, relations }, span);
        }
        let message = format!("{clause} names `{name}`, and two columns of the result have this name");
        self.clause(message, "ambiguous", "give one of them another name", span);
    }

    /// SQLite: records a name of ORDER BY that several tables have. Columns of the result go by names that `AS` or `*` gives
    /// them, and not by those of the columns that they show.
    pub(super) fn check_order_names(&mut self, query: &ast::Query, keys: &[ast::OrderByExpr]) {
        let ast::SetExpr::Select(select) = query.body.as_ref() else { return };
        if self.dialect != Dialect::Sqlite || self.scopes.last().is_none_or(|scope| scope.has_star) {
            return;
        }
        for key in keys {
            let ast::Expr::Identifier(ident) = &key.expr else { continue };
            let is_alias = select.projection.iter().any(|item| {
                matches!(item, ast::SelectItem::ExprWithAlias { alias, .. }
                    if alias.value.eq_ignore_ascii_case(&ident.value))
            });
            let Some(scope) = self.scopes.last().filter(|_| !is_alias) else { continue };
            let name = self.fold(ident);
            let is_merged = scope.merged.iter().any(|merged| merged.names.contains(&name));
            // Where no column of the result shows it, the name is looked up among the tables.
            if is_merged || !scope.outputs.iter().any(|output| self.is_named(output, &name)) {
                continue;
            }
            let has = |id: &&crate::sql::query::RelationId| self.has_column(**id, &name) == Some(true);
            let tables = scope.relations.iter().filter(has).map(|id| &self.relations[id.0 as usize]);
            let tables = tables.filter(|relation| !matches!(relation.source, Source::Pseudo));
            let relations: Vec<String> = tables.map(|relation| relation.alias.clone()).collect();
            if relations.len() > 1 {
                let span = self.bytes(ident.span);
                self.problem(ProblemKind::AmbiguousColumn { column: name, relations }, span);
            }
        }
    }
}
