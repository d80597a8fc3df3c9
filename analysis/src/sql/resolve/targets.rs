//! Columns that a statement assigns, and the tables that a DELETE names.

use sqlparser::ast;

use super::Resolver;
use crate::sql::dialect::Dialect;
use crate::sql::expr::{ColumnRef, Expr, PART};
use crate::sql::query::{ProblemKind, RelationId, Source};

impl Resolver<'_> {
    /// The name of an assigned column, checked against the target.
    pub(super) fn target_column(&mut self, name: &ast::ObjectName, target: RelationId) -> String {
        let parts: Vec<&ast::Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
        match (parts.as_slice(), self.dialect) {
            ([], _) => String::new(),
            ([only], _) => {
                let column = self.fold(only);
                let is_there = self.dialect == Dialect::MySql && self.is_joined_column(&column, target, only);
                if !is_there {
                    self.check_target(&column, target, only);
                }
                column
            }
            // PostgreSQL: `SET column.field = ..`; a column is never written with its table.
            ([column, field], Dialect::Postgres) => {
                let (span, field) = (self.bytes(field.span), self.fold(field));
                let column = self.target_column(&ast::ObjectName::from(vec![(*column).clone()]), target);
                self.fielded = true;
                let value =
                    Expr::Column(ColumnRef { relation: Some(target), name: column.clone(), span: None });
                self.check_field(&value, &field, span);
                column
            }
            // A field of a field.
            ([column, ..], Dialect::Postgres) => {
                self.fielded = true;
                self.target_column(&ast::ObjectName::from(vec![(*column).clone()]), target)
            }
            // MySQL: `SET table.column = ..`, for any table of the statement.
            ([qualifier @ .., last], Dialect::MySql) => {
                let qualifier: Vec<ast::Ident> = qualifier.iter().map(|part| (*part).clone()).collect();
                let column = self.fold(last);
                match (self.find_relation(&qualifier), qualifier.last()) {
                    (Some((_, relation)), _) => self.check_target(&column, relation, last),
                    (None, Some(of)) => {
                        let (name, span) = (self.fold(of), self.bytes(of.span));
                        self.problem(ProblemKind::UnknownTable { name, similar: None }, span);
                    }
                    (None, None) => {}
                }
                column
            }
            ([first, .., last], _) => {
                if self.dialect == Dialect::Sqlite {
                    let span = self.bytes(first.span);
                    let help = "leave out the table";
                    self.clause("SET names a column without its table", "", help, span);
                }
                self.fold(last)
            }
        }
    }

    /// The value of a part of a column, with the part before it.
    pub(super) fn assigned_part(&mut self, part: &ast::Expr, value: &ast::Expr, target: RelationId) -> Expr {
        let value = self.expr(value);
        let (root, chain) = match part {
            ast::Expr::CompoundFieldAccess { root, access_chain } => (&**root, access_chain.as_slice()),
            other => (other, &[][..]),
        };
        let (first, fields) = match root {
            ast::Expr::Identifier(only) => (only, &[][..]),
            ast::Expr::CompoundIdentifier(parts) if let Some((first, fields)) = parts.split_first() => {
                (first, fields)
            }
            other => {
                let parts = vec![self.expr(other), value];
                return Expr::Other { what: PART.to_owned(), parts };
            }
        };
        let column = Expr::Column(ColumnRef { relation: Some(target), name: self.fold(first), span: None });
        let fields: Vec<ast::AccessExpr> =
            fields.iter().map(|field| ast::AccessExpr::Dot(ast::Expr::Identifier(field.clone()))).collect();
        let of_column = self.access(column, &fields);
        let part = self.access(of_column, chain);
        Expr::Other { what: PART.to_owned(), parts: vec![part, value] }
    }

    /// MySQL: whether an assigned column is of a table that is joined to the first. If several have it, that is recorded.
    fn is_joined_column(&mut self, column: &str, target: RelationId, ident: &ast::Ident) -> bool {
        let Some(scope) = self.scopes.last() else { return false };
        let source = |id: &RelationId| &self.relations[id.0 as usize].source;
        // ON DUPLICATE KEY UPDATE assigns columns of the target only.
        if scope.relations.iter().any(|id| matches!(source(id), Source::Pseudo)) {
            return false;
        }
        // One column of both sides.
        if scope.merged.iter().any(|merged| merged.names.iter().any(|name| name == column)) {
            return true;
        }
        let joined: Vec<RelationId> = scope.relations.iter().copied().filter(|id| *id != target).collect();
        let owners = joined.iter().filter(|id| self.has_column(**id, column) == Some(true));
        let owners: Vec<String> = owners.map(|id| self.relations[id.0 as usize].alias.clone()).collect();
        if self.has_column(target, column) == Some(true) && !owners.is_empty() {
            let first = self.relations[target.0 as usize].alias.clone();
            let relations = std::iter::once(first).chain(owners).collect();
            let span = self.bytes(ident.span);
            self.problem(ProblemKind::AmbiguousColumn { column: column.to_owned(), relations }, span);
            return true;
        }
        joined.iter().any(|id| self.has_column(*id, column) != Some(false))
    }

    /// Records an assigned column that its table lacks.
    fn check_target(&mut self, column: &str, target: RelationId, ident: &ast::Ident) {
        if self.has_column(target, column) != Some(false) || self.is_system_column(target, column) {
            return;
        }
        let relation = &self.relations[target.0 as usize];
        let table = match &relation.source {
            Source::Table(name) => name.to_string(),
            _ => relation.alias.clone(),
        };
        let similar = self.similar_in(target, column);
        let span = self.bytes(ident.span);
        let kind = ProblemKind::UnknownColumn { column: column.to_owned(), table: Some(table), similar };
        self.problem(kind, span);
    }

    /// MySQL: the table that `DELETE t FROM ..` deletes from, by its alias.
    pub(super) fn deleted(&mut self, table: &ast::ObjectName) -> Option<RelationId> {
        let (_, name) = self.object_name(table);
        let scope = self.scopes.last()?;
        let found = scope.relations.iter().copied().find(|id| self.relations[id.0 as usize].alias == name);
        if found.is_none() {
            let span = self.span_of(table);
            self.problem(ProblemKind::UnknownTable { name, similar: None }, span);
        }
        found
    }
}

/// The part of a column that is assigned, and its value, if it is one of `PART(column[1]) OR value`.
pub(super) fn part_of(value: &ast::Expr) -> Option<(&ast::Expr, ast::Expr)> {
    let mut rights = Vec::new();
    let mut left = value;
    while let ast::Expr::BinaryOp { left: first, op: ast::BinaryOperator::Or, right } = left {
        rights.push(&**right);
        left = first;
    }
    let ast::Expr::Function(ast::Function { name, args: ast::FunctionArguments::List(list), .. }) = left
    else {
        return None;
    };
    let is_part = name.0.first()?.as_ident().is_some_and(|ident| ident.value == PART);
    let [ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(part))] = list.args.as_slice() else {
        return None;
    };
    let mut rights = rights.into_iter().rev().cloned();
    let first = rights.next().filter(|_| is_part)?;
    let value = rights.fold(first, |left, right| ast::Expr::BinaryOp {
        left: Box::new(left),
        op: ast::BinaryOperator::Or,
        right: Box::new(right),
    });
    Some((part, value))
}
