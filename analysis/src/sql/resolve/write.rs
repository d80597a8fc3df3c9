//! INSERT, UPDATE and DELETE, and what they share with MERGE.

use std::collections::HashSet;

use sqlparser::ast;

use super::Resolver;
use super::scope::Scope;
use super::targets::part_of;
use crate::sql::dialect::Dialect;
use crate::sql::expr::Expr;
use crate::sql::query::{BlockId, Body, Conflict, From, Relation, RelationId, Role, Source, Write};
use crate::sql::rewrite::EXPRESSION;

impl Resolver<'_> {
    pub(super) fn insert(&mut self, insert: &ast::Insert, id: BlockId) {
        self.scopes.push(Scope::new(id));
        let ast::TableObject::TableName(table) = &insert.table else {
            self.unchecked = Some("an INSERT into something else than a table");
            return;
        };
        self.check_insert(insert);
        let target = self.target(table, insert.table_alias.as_ref().map(|alias| &alias.alias));
        self.check_view(target, insert.returning.is_some());
        self.check_place_of_conflict(insert);
        let source = insert.source.as_ref().map(|query| {
            // The rows cannot see the target, but in MySQL values can see what their row has so far.
            if self.dialect == Dialect::MySql && matches!(query.body.as_ref(), ast::SetExpr::Values(_)) {
                return self.query(query, Role::Source, Some(id));
            }
            let hidden = std::mem::take(&mut self.scopes);
            let source = self.query(query, Role::Source, Some(id));
            self.scopes = hidden;
            source
        });
        let mut assignments: Vec<(String, Option<Expr>)> = Vec::new();
        let mut whole = HashSet::new();
        for column in &insert.columns {
            let name = self.target_column(column, target);
            if self.dialect != Dialect::Sqlite {
                self.check_repeated(&name, &whole, self.span_of(column), target);
                whole.insert(name.clone());
            }
            assignments.push((name, None));
        }
        let named: Vec<String> = assignments.iter().map(|(column, _)| column.clone()).collect();
        if let (Some(query), Some(block)) = (&insert.source, source) {
            self.count_values(query, block, &named, target);
        }
        assignments.extend(self.assignments(&insert.assignments, target));
        // MySQL has no name for the proposed row but the one that the statement gives.
        self.pseudo_relation(if self.dialect == Dialect::MySql { "" } else { "excluded" }, target);
        if let Some(alias) = &insert.insert_alias {
            let (_, name) = self.object_name(&alias.row_alias);
            self.pseudo_relation(&name, target);
            let columns: Vec<String> =
                alias.col_aliases.iter().flatten().map(|column| self.fold(column)).collect();
            self.rename_pseudo(&columns, &assignments);
        }
        if self.dialect == Dialect::MySql && insert.on.is_some() {
            self.show_source(source);
        }
        let conflict = match &insert.on {
            Some(ast::OnInsert::OnConflict(conflict)) => Some(self.conflict(conflict, target)),
            Some(ast::OnInsert::DuplicateKeyUpdate(assignments)) => Some(Conflict {
                columns: Vec::new(),
                assignments: self.assignments(assignments, target),
                filter: None,
            }),
            _ => None,
        };
        let span = self.bytes(insert.insert_token.0.span);
        let write = Write {
            is_joined: false,
            target,
            from: Vec::new(),
            filter: None,
            assignments,
            source,
            conflict,
            whens: Vec::new(),
            returning: None,
            span,
        };
        self.finish(write, insert.returning.as_deref(), id);
    }

    /// MySQL: `INSERT .. SELECT .. FROM s ON DUPLICATE KEY UPDATE a = s.a` refers to the source of the rows.
    fn show_source(&mut self, source: Option<BlockId>) {
        let mut source = source;
        while let Some(id) = source {
            let body = &self.blocks[id.0 as usize].body;
            let relations: Vec<RelationId> = match body {
                Body::Select(select) => select.from.iter().flat_map(|item| item.relations()).collect(),
                _ => Vec::new(),
            };
            source = match body {
                Body::Set { left, .. } => Some(*left),
                _ => None,
            };
            if let Some(scope) = self.scopes.last_mut() {
                scope.relations.extend(relations);
            }
        }
    }

    fn conflict(&mut self, conflict: &ast::OnConflict, target: RelationId) -> Conflict {
        let columns = match &conflict.conflict_target {
            Some(ast::ConflictTarget::Columns(columns)) => {
                let name = |column: &ast::Ident| ast::ObjectName::from(vec![column.clone()]);
                let columns = columns.iter().filter(|column| column.value != EXPRESSION);
                columns.map(|column| self.target_column(&name(column), target)).collect()
            }
            Some(ast::ConflictTarget::OnConstraint(name)) => {
                self.check_constraint(name, target);
                Vec::new()
            }
            None => Vec::new(),
        };
        let (assignments, filter) = match &conflict.action {
            ast::OnConflictAction::DoNothing => (Vec::new(), None),
            ast::OnConflictAction::DoUpdate(update) => {
                if self.dialect == Dialect::Postgres && conflict.conflict_target.is_none() {
                    self.clause(
                        "DO UPDATE without a conflict target",
                        "nothing to update on",
                        "name the columns of a unique index: `ON CONFLICT (column) DO UPDATE`",
                        None,
                    );
                }
                let is_postgres = self.dialect == Dialect::Postgres;
                self.mark_conflict(is_postgres);
                let assignments = self.assignments(&update.assignments, target);
                let filter = update.selection.as_ref().map(|filter| self.expr(filter));
                self.mark_conflict(false);
                (assignments, filter)
            }
        };
        Conflict { columns, assignments, filter }
    }

    fn mark_conflict(&mut self, is_update: bool) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.is_update_of_conflict = is_update;
        }
    }

    pub(super) fn update(&mut self, update: &ast::Update, id: BlockId) {
        self.scopes.push(Scope::new(id));
        self.check_update(update);
        self.check_sqlite_target(Some(&update.table.relation));
        let mut from = self.relation_list(std::slice::from_ref(&update.table));
        let target = from.first().and_then(|item| item.relations().first().copied());
        let Some(target) = target else { return };
        let mut joins = match &update.from {
            Some(ast::UpdateTableFromKind::BeforeSet(items) | ast::UpdateTableFromKind::AfterSet(items)) => {
                if let Some(scope) = self.scopes.last_mut() {
                    scope.written = Some(target);
                }
                self.relation_list(items)
            }
            None => Vec::new(),
        };
        from.append(&mut joins);
        if let [From::Relation(only)] = from.as_slice() {
            self.check_view(*only, update.returning.is_some());
        }
        self.check_aliases();
        let assignments = self.assignments(&update.assignments, target);
        let filter = update.selection.as_ref().map(|filter| self.expr(filter));
        self.check_bounds("UPDATE", !update.order_by.is_empty() || update.limit.is_some());
        let order_by = self.order_keys(&update.order_by);
        let limit = update.limit.as_ref().map(|limit| self.expr(limit));
        let span = self.bytes(update.update_token.0.span);
        let write = Write {
            is_joined: false,
            target,
            from,
            filter,
            assignments,
            source: None,
            conflict: None,
            whens: Vec::new(),
            returning: None,
            span,
        };
        self.finish(write, update.returning.as_deref(), id);
        let block = self.block_mut(id);
        block.order_by = order_by;
        block.limit = limit;
    }

    pub(super) fn delete(&mut self, delete: &ast::Delete, id: BlockId) {
        self.scopes.push(Scope::new(id));
        self.check_delete(delete);
        let (ast::FromTable::WithFromKeyword(items) | ast::FromTable::WithoutKeyword(items)) = &delete.from;
        self.check_sqlite_target(items.first().map(|item| &item.relation));
        if self.dialect != Dialect::MySql
            && (items.len() > 1 || items.iter().any(|item| !item.joins.is_empty()))
        {
            let help = match self.dialect {
                Dialect::Postgres => "name the other tables in USING, and the conditions of joins in WHERE",
                _ => "select from the other tables in a subquery of WHERE",
            };
            let span = self.bytes(delete.delete_token.0.span);
            self.clause("DELETE has one table after FROM", "this has more", help, span);
        }
        // MySQL: the FROM of `DELETE FROM a USING t AS a JOIN ..` lists aliases that USING defines.
        let aliases_only = self.dialect == Dialect::MySql && delete.using.is_some();
        let mut from = if aliases_only { Vec::new() } else { self.relation_list(items) };
        if let Some(using) = &delete.using {
            let mut joins = self.relation_list(using);
            from.append(&mut joins);
        }
        self.check_aliases();
        let written = items.first().filter(|_| aliases_only).and_then(|item| match &item.relation {
            ast::TableFactor::Table { name, .. } => Some(name),
            _ => None,
        });
        let table = delete.tables.first().or(written);
        let named = table.and_then(|table| self.deleted(table));
        let target = named.or_else(|| from.first().and_then(|item| item.relations().first().copied()));
        let Some(target) = target else { return };
        self.check_view(target, delete.returning.is_some());
        let filter = delete.selection.as_ref().map(|filter| self.expr(filter));
        self.check_bounds("DELETE", !delete.order_by.is_empty() || delete.limit.is_some());
        let order_by = self.order_keys(&delete.order_by);
        let limit = delete.limit.as_ref().map(|limit| self.expr(limit));
        let span = self.bytes(delete.delete_token.0.span);
        let write = Write {
            is_joined: !delete.tables.is_empty() || aliases_only,
            target,
            from,
            filter,
            assignments: Vec::new(),
            source: None,
            conflict: None,
            whens: Vec::new(),
            returning: None,
            span,
        };
        self.finish(write, delete.returning.as_deref(), id);
        let block = self.block_mut(id);
        block.order_by = order_by;
        block.limit = limit;
    }

    pub(super) fn finish(&mut self, mut write: Write, returning: Option<&[ast::SelectItem]>, id: BlockId) {
        if returning.is_some() && self.dialect == Dialect::Postgres {
            self.pseudo_relation("old", write.target);
            self.pseudo_relation("new", write.target);
        }
        if self.dialect == Dialect::Sqlite
            && let Some(scope) = self.scopes.last_mut()
        {
            // The joined relations are no longer visible.
            scope.relations.retain(|id| *id == write.target);
        }
        let projection = returning.map(|items| self.projection(items));
        let block = self.block_mut(id);
        match projection {
            Some(projection) => {
                write.returning = Some(projection.exprs);
                block.outputs = projection.outputs;
            }
            None => block.outputs = Some(Vec::new()),
        }
        block.body = Body::Write(Box::new(write));
    }

    fn target(&mut self, table: &ast::ObjectName, alias: Option<&ast::Ident>) -> RelationId {
        let alias = alias.map(|name| ast::TableAlias {
            explicit: true,
            name: name.clone(),
            columns: Vec::new(),
            at: None,
        });
        let factor = ast::TableWithJoins {
            relation: ast::TableFactor::Table {
                name: table.clone(),
                alias,
                args: None,
                with_hints: Vec::new(),
                version: None,
                with_ordinality: false,
                partitions: Vec::new(),
                json_path: None,
                sample: None,
                index_hints: Vec::new(),
            },
            joins: Vec::new(),
        };
        let ctes = std::mem::take(&mut self.ctes);
        let from = self.relation_list(std::slice::from_ref(&factor));
        self.ctes = ctes;
        from.first().and_then(|item| item.relations().first().copied()).unwrap_or(RelationId(0))
    }

    pub(super) fn assignments(
        &mut self,
        list: &[ast::Assignment],
        target: RelationId,
    ) -> Vec<(String, Option<Expr>)> {
        let mut assignments = Vec::new();
        let mut whole: HashSet<String> = HashSet::new();
        // The columns of single assignments, each with whether a part of it is assigned.
        let mut single: HashSet<(String, bool)> = HashSet::new();
        for assignment in list {
            let value = match part_of(&assignment.value) {
                Some((part, value)) => self.assigned_part(part, &value, target),
                None => self.expr(&assignment.value),
            };
            match &assignment.target {
                ast::AssignmentTarget::ColumnName(name) => {
                    let column = self.target_column(name, target);
                    let is_part = value.is_part();
                    if self.dialect == Dialect::Postgres {
                        let is_again = |of_part| single.contains(&(column.clone(), of_part));
                        if is_again(false) || !is_part && is_again(true) {
                            self.is_repeated(&column, self.span_of(name), target);
                        } else if !is_part {
                            self.check_repeated(&column, &whole, self.span_of(name), target);
                        }
                        if is_part || name.0.len() == 1 {
                            single.insert((column.clone(), is_part));
                        }
                        if !is_part {
                            whole.insert(column.clone());
                        }
                    }
                    assignments.push((column, Some(value)));
                }
                ast::AssignmentTarget::Tuple(names) => {
                    let count = match &value {
                        Expr::Row(values) if values.iter().any(is_several) => None,
                        Expr::Row(values) => Some(values.len()),
                        Expr::Subquery(block) => self.blocks[block.0 as usize].outputs.as_ref().map(Vec::len),
                        _ => None,
                    };
                    if let Some(count) = count {
                        let columns: Vec<String> =
                            names.iter().map(|name| self.object_name(name).1).collect();
                        let span = self.span_of(&assignment.value);
                        self.count_assigned(&columns, count, target, span);
                    }
                    let mut values = match value {
                        Expr::Row(values) if values.len() == names.len() => {
                            values.into_iter().map(Some).collect::<Vec<_>>()
                        }
                        // One subquery for all columns is stored with the first.
                        other => vec![Some(other)],
                    };
                    values.resize(names.len(), None);
                    for (name, value) in names.iter().zip(values) {
                        let column = self.target_column(name, target);
                        if !value.as_ref().is_some_and(Expr::is_part) {
                            whole.insert(column.clone());
                        }
                        assignments.push((column, value));
                    }
                }
            }
        }
        assignments
    }

    /// Names the columns of the last relation: the assigned ones, in order.
    fn rename_pseudo(&mut self, names: &[String], assigned: &[(String, Option<Expr>)]) {
        let Some(columns) = self.relations.last_mut().and_then(|relation| relation.columns.as_mut()) else {
            return;
        };
        let mut renamed = columns.to_vec();
        for (name, (column, _)) in names.iter().zip(assigned) {
            if let Some(known) = renamed.iter_mut().find(|known| known.name == *column) {
                known.name.clone_from(name);
            }
        }
        *columns = renamed.into();
    }

    /// A row with a name of its own: `excluded`, or MySQL's row alias.
    fn pseudo_relation(&mut self, name: &str, target: RelationId) {
        let block = self.block_of_scope();
        let columns = self.relations[target.0 as usize].columns.clone();
        self.add_relation(Relation {
            block,
            alias: name.to_owned(),
            source: Source::Pseudo,
            columns,
            lateral: false,
            inlined: None,
            span: None,
        });
    }
}

/// Whether a part of a row may be several: `ROW(v.*)`.
fn is_several(part: &Expr) -> bool {
    matches!(part, Expr::WholeRow(_))
        || matches!(part, Expr::Access { field: Some(field), .. } if field == "*")
}
