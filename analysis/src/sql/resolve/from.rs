//! FROM: tables, views, functions, derived tables and joins.

use std::sync::Arc;

use sqlparser::ast;

use super::Resolver;
use crate::sql::dialect::Dialect;
use crate::sql::expr::Expr;
use crate::sql::query::{
    Asked, BlockId, From, JoinKind, Output, Relation, RelationColumn, RelationId, Role, Source,
};
use crate::sql::rewrite::clauses::VERSIONS;

impl Resolver<'_> {
    /// Resolves a FROM list into the innermost scope.
    pub(super) fn relation_list(&mut self, list: &[ast::TableWithJoins]) -> Vec<From> {
        list.iter().map(|item| self.joined_relations(item)).collect()
    }

    fn joined_relations(&mut self, item: &ast::TableWithJoins) -> From {
        let first = self.scopes.last().map_or(0, |scope| scope.relations.len());
        let mut left = self.factor(&item.relation);
        let mut before = &item.relation;
        for join in &item.joins {
            self.check_full(before, join);
            before = &join.relation;
            let right = self.factor(&join.relation);
            let (kind, constraint) = join_kind(&join.join_operator, self.dialect);
            self.check_join(&join.join_operator, constraint);
            let on = constraint.and_then(|constraint| {
                self.within_item(first, |resolver| resolver.join_condition(constraint, &left, &right))
            });
            if kind == JoinKind::Right && self.dialect == Dialect::MySql {
                self.put_right_first(constraint, &left, &right);
            }
            left = From::Join { kind, left: Box::new(left), right: Box::new(right), on };
        }
        left
    }

    pub(super) fn factor(&mut self, factor: &ast::TableFactor) -> From {
        use ast::TableFactor;
        self.check_factor(factor);
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                with_ordinality: false,
                index_hints,
                sample,
                partitions,
                ..
            } => {
                let relation = self.named_relation(name, alias.as_ref());
                self.check_sample(sample.is_some(), self.relations[relation.0 as usize].span);
                if partitions.iter().any(|partition| partition.value == VERSIONS) {
                    self.asked.push((relation, Asked::Versions));
                }
                if let Some(sample) = sample.as_ref().and_then(|sample| self.sample(sample)) {
                    self.asked.push((relation, sample));
                }
                for hint in index_hints {
                    self.check_hint(hint, relation);
                }
                self.asked.extend(
                    index_hints.iter().filter_map(|hint| Some((relation, super::asked::asked(hint)?))),
                );
                From::Relation(relation)
            }
            TableFactor::Table { name, alias, args, with_ordinality, .. } => {
                let args = args.as_ref().map_or(&[][..], |args| &args.args);
                From::Relation(self.function_relation(name, args, alias.as_ref(), *with_ordinality))
            }
            TableFactor::Function { name, args, alias, with_ordinality, .. } => {
                From::Relation(self.function_relation(name, args, alias.as_ref(), *with_ordinality))
            }
            TableFactor::UNNEST { alias, array_exprs, with_ordinality, .. } => {
                let args: Vec<Expr> = array_exprs.iter().map(|array| self.expr(array)).collect();
                let source = Source::Function("unnest".to_owned(), args);
                From::Relation(self.function_columns(
                    "unnest",
                    source,
                    alias.as_ref(),
                    *with_ordinality,
                    None,
                ))
            }
            TableFactor::TableFunction { expr, alias } => {
                let expr = self.expr(expr);
                let source = Source::Function("table".to_owned(), vec![expr]);
                From::Relation(self.function_columns("table", source, alias.as_ref(), false, None))
            }
            TableFactor::Derived { lateral, subquery, alias, .. } => {
                if alias.is_none() && self.dialect == Dialect::MySql {
                    let help = "write a name after its closing parenthesis";
                    self.clause(
                        "a derived table without an alias",
                        "",
                        help,
                        self.span_of(subquery.as_ref()),
                    );
                }
                From::Relation(self.derived(*lateral, subquery, alias.as_ref()))
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let first = self.scopes.last().map_or(0, |scope| scope.relations.len());
                let inner = self.joined_relations(table_with_joins);
                if let Some(alias) = alias {
                    // `(a JOIN b) AS j`: the parts are only reachable by the alias. Which columns it has is
                    // not modelled.
                    self.hide_behind(alias, first);
                }
                inner
            }
            TableFactor::XmlTable { row_expression, passing, columns, alias, .. } => {
                From::Relation(self.xml_table(row_expression, passing, columns, alias.as_ref()))
            }
            other => {
                self.unchecked = Some("a table expression of another database");
                let alias = factor_alias(other);
                let name = alias.map_or_else(String::new, |alias| self.fold(&alias.name));
                From::Relation(self.opaque_relation(name))
            }
        }
    }

    /// A table, view or common table expression by name.
    fn named_relation(&mut self, name: &ast::ObjectName, alias: Option<&ast::TableAlias>) -> RelationId {
        let (schema, table) = self.object_name(name);
        alias.into_iter().for_each(|alias| self.check_alias(&alias.name, true));
        let span = self.span_of(name);
        let block = self.block_of_scope();
        let goes_by = alias.map_or_else(|| table.clone(), |alias| self.fold(&alias.name));
        if self.is_no_table(name) {
            return self.opaque_relation(goes_by);
        }
        let cte = schema
            .is_none()
            .then(|| self.ctes.resolved.iter().rev().find(|(name, _)| *name == table).map(|(_, id)| *id));
        let (source, columns) = match cte.flatten() {
            Some(id) => {
                self.use_cte(id);
                self.check_returning(id, &table, span);
                (Source::Cte(id), self.block_columns(id))
            }
            None if schema.is_none() && self.ctes.following.contains(&table) => (Source::Unknown, None),
            None => self.stored(schema.as_deref(), &table, span),
        };
        let columns = renamed(columns, alias.map(|alias| self.alias_columns(alias)));
        self.add_relation(Relation {
            block,
            alias: goes_by,
            source,
            columns,
            lateral: false,
            inlined: None,
            span,
        })
    }

    fn use_cte(&mut self, id: BlockId) {
        let inside = self.scopes.iter().any(|scope| scope.block == id)
            || self.block_of_scope() == id
            || self.ancestors(self.block_of_scope()).contains(&id);
        if let Role::Cte { uses, recursive, .. } = &mut self.block_mut(id).role {
            if inside {
                *recursive = true;
            } else {
                *uses += 1;
            }
        }
    }

    fn ancestors(&self, mut id: BlockId) -> Vec<BlockId> {
        let mut ancestors = Vec::new();
        while let Some(parent) = self.blocks.get(id.0 as usize).and_then(|block| block.parent) {
            ancestors.push(parent);
            id = parent;
        }
        ancestors
    }

    fn derived(&mut self, lateral: bool, query: &ast::Query, alias: Option<&ast::TableAlias>) -> RelationId {
        let block = self.block_of_scope();
        // Only a LATERAL item sees the preceding items.
        let hidden = (!lateral)
            .then(|| self.scopes.last_mut().map(|scope| std::mem::take(&mut scope.relations)))
            .flatten();
        let inner = self.query(query, Role::Derived, Some(block));
        if let (Some(hidden), Some(scope)) = (hidden, self.scopes.last_mut()) {
            scope.relations = hidden;
        }
        let names = alias.map(|alias| self.alias_columns(alias));
        if let (Some(alias), Some(names)) = (alias, &names) {
            let name = self.fold(&alias.name);
            self.count_renamed(&name, names, inner, self.bytes(alias.name.span));
        }
        let columns = renamed(self.block_columns(inner), names);
        let span = alias.and_then(|alias| self.bytes(alias.name.span));
        let alias = alias.map_or_else(String::new, |alias| self.fold(&alias.name));
        self.add_relation(Relation {
            block,
            alias,
            source: Source::Derived(inner),
            columns,
            lateral,
            inlined: None,
            span,
        })
    }

    pub(super) fn opaque_relation(&mut self, alias: String) -> RelationId {
        let block = self.block_of_scope();
        let relation = Relation {
            block,
            alias,
            source: Source::Unknown,
            columns: None,
            lateral: false,
            inlined: None,
            span: None,
        };
        self.add_relation(relation)
    }

    /// Makes the relations of an aliased join unreachable by their own names.
    fn hide_behind(&mut self, alias: &ast::TableAlias, first: usize) {
        let name = self.fold(&alias.name);
        self.opaque_relation(name);
        if let Some(scope) = self.scopes.last_mut() {
            let alias = scope.relations.pop();
            scope.relations.truncate(first);
            scope.relations.extend(alias);
        }
    }

    /// Schema and name of an object, folded; a database name in front is ignored.
    pub(super) fn object_name(&self, name: &ast::ObjectName) -> (Option<String>, String) {
        let mut parts = name.0.iter().rev().filter_map(|part| part.as_ident()).map(|ident| self.fold(ident));
        let last = parts.next().unwrap_or_default();
        (parts.next(), last)
    }

    pub(super) fn alias_columns(&self, alias: &ast::TableAlias) -> Vec<String> {
        alias.columns.iter().map(|column| self.fold(&column.name)).collect()
    }

    /// The block whose FROM is being resolved.
    pub(super) fn block_of_scope(&self) -> BlockId {
        self.current_block().unwrap_or(BlockId(0))
    }

    /// The columns of a block as those of a relation.
    pub(super) fn block_columns(&self, id: BlockId) -> Option<Arc<[RelationColumn]>> {
        let outputs = self.blocks[id.0 as usize].outputs.as_ref()?;
        let fold = |name: &str| match self.dialect {
            Dialect::Postgres => name.to_owned(),
            Dialect::MySql | Dialect::Sqlite => name.to_lowercase(),
        };
        let column = |output: &Output| {
            let name = fold(&output.name);
            let spelling = (name != output.name).then(|| output.name.clone());
            RelationColumn { name, spelling, ty: output.ty.clone() }
        };
        Some(outputs.iter().map(column).collect())
    }
}

/// `AS t(a, b)` renames the first columns; if the columns are unknown, they stay unknown.
fn renamed(
    columns: Option<Arc<[RelationColumn]>>,
    names: Option<Vec<String>>,
) -> Option<Arc<[RelationColumn]>> {
    let Some(names) = names.filter(|names| !names.is_empty()) else { return columns };
    let (columns, mut names) = (columns?, names.into_iter());
    let renamed = |column: &RelationColumn| match names.next() {
        Some(name) => RelationColumn::new(name, column.ty.clone()),
        None => column.clone(),
    };
    Some(columns.iter().map(renamed).collect())
}

fn factor_alias(factor: &ast::TableFactor) -> Option<&ast::TableAlias> {
    use ast::TableFactor;
    match factor {
        TableFactor::JsonTable { alias, .. }
        | TableFactor::OpenJsonTable { alias, .. }
        | TableFactor::Pivot { alias, .. }
        | TableFactor::Unpivot { alias, .. }
        | TableFactor::MatchRecognize { alias, .. }
        | TableFactor::SemanticView { alias, .. } => alias.as_ref(),
        _ => None,
    }
}

fn join_kind(operator: &ast::JoinOperator, dialect: Dialect) -> (JoinKind, Option<&ast::JoinConstraint>) {
    use ast::JoinOperator as J;
    match operator {
        J::Join(c) | J::Inner(c) => (JoinKind::Inner, Some(c)),
        J::StraightJoin(c) => (JoinKind::Straight, Some(c)),
        J::CrossJoin(c) if dialect == Dialect::Sqlite => (JoinKind::Straight, Some(c)),
        J::Left(c) | J::LeftOuter(c) => (JoinKind::Left, Some(c)),
        J::Right(c) | J::RightOuter(c) => (JoinKind::Right, Some(c)),
        J::FullOuter(c) => (JoinKind::Full, Some(c)),
        J::CrossJoin(c) => (JoinKind::Cross, Some(c)),
        J::Semi(c) | J::LeftSemi(c) | J::RightSemi(c) | J::Anti(c) | J::LeftAnti(c) | J::RightAnti(c) => {
            (JoinKind::Inner, Some(c))
        }
        J::AsOf { constraint, .. } => (JoinKind::Inner, Some(constraint)),
        J::CrossApply | J::OuterApply | J::ArrayJoin | J::LeftArrayJoin | J::InnerArrayJoin => {
            (JoinKind::Cross, None)
        }
    }
}
