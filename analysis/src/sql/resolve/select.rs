//! SELECT.

use sqlparser::ast;

use super::Resolver;
use super::scope::{Merged, Scope};
use crate::schema::{Table, columns};
use crate::sql::dialect::Dialect;
use crate::sql::expr::{ColumnRef, Expr};
use crate::sql::functions;
use crate::sql::query::{BlockId, Body, From, Output, ProblemKind, Relation, RelationId, Select};
use crate::sql::text::Span;

/// The resolved form of a SELECT list.
pub(super) struct Projection {
    pub(super) exprs: Vec<Expr>,
    /// The name of each, as far as it has one.
    names: Vec<String>,
    pub(super) outputs: Option<Vec<Output>>,
    pub(super) star: Option<Span>,
}

impl Projection {
    fn empty() -> Projection {
        Projection { exprs: Vec::new(), names: Vec::new(), outputs: Some(Vec::new()), star: None }
    }

    pub(super) fn add(&mut self, name: String, expr: Expr) {
        self.names.push(name);
        self.exprs.push(expr);
    }
}

impl Resolver<'_> {
    /// Resolves a SELECT into its block, leaving its scope open.
    pub(super) fn select(&mut self, select: &ast::Select, id: BlockId) {
        self.scopes.push(Scope::new(id));
        self.check_list(select);
        self.define_windows(select);
        let from = self.relation_list(&select.from);
        self.check_written_aliases(&select.from);
        self.check_aliases();
        let aliases = if self.dialect == Dialect::MySql { self.aliases_of(select) } else { Vec::new() };
        let outer = std::mem::replace(&mut self.select_aliases, aliases);
        self.define_partitions(select);
        let projection = self.projection(&select.projection);
        self.named_windows(&select.named_window);
        self.select_aliases = outer;
        if self.dialect == Dialect::Sqlite {
            self.set_outputs(&projection);
        }
        let filter = select.selection.as_ref().map(|filter| self.expr(filter));
        self.set_outputs(&projection);
        let group_by = match &select.group_by {
            ast::GroupByExpr::Expressions(keys, _) => {
                let dialect = self.dialect;
                let keys = keys.iter().flat_map(|key| group_keys(key, dialect));
                keys.map(|key| self.group_expr(key)).collect()
            }
            ast::GroupByExpr::All(_) => {
                projection.exprs.iter().filter(|e| !self.has_aggregate(e)).cloned().collect()
            }
        };
        if self.dialect == Dialect::Postgres {
            // HAVING cannot refer to outputs.
            self.hide_outputs(|resolver| resolver.having(select, &from, filter, group_by, projection, id));
        } else {
            self.having(select, &from, filter, group_by, projection, id);
        }
    }

    fn having(
        &mut self,
        select: &ast::Select,
        from: &[From],
        filter: Option<Expr>,
        group_by: Vec<Expr>,
        projection: Projection,
        id: BlockId,
    ) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.prefers_outputs = self.dialect == Dialect::MySql;
        }
        let having = select.having.as_ref().map(|having| self.expr(having));
        if let Some(scope) = self.scopes.last_mut() {
            scope.prefers_outputs = false;
        }
        let distinct = select.distinct.as_ref().and_then(|distinct| match distinct {
            ast::Distinct::All => None,
            ast::Distinct::Distinct => Some(Vec::new()),
            // Its keys are read as those of ORDER BY.
            ast::Distinct::On(keys) => {
                self.set_outputs(&projection);
                let keys = keys.iter().map(|key| self.order_expr(key, "DISTINCT ON")).collect();
                if let Some(scope) = self.scopes.last_mut() {
                    scope.outputs.clear();
                }
                Some(keys)
            }
        });
        let grouping_sets = groups_several_times(&select.group_by);
        let exprs = &projection.exprs;
        let aggregates = exprs.iter().chain(&having).any(|expr| self.has_aggregate(expr));
        let set_returning = exprs
            .iter()
            .any(|expr| expr.any(|e| matches!(e, Expr::Call(call) if self.returns_set(&call.name))));
        self.check_having(select, exprs, having.as_ref());
        let block = self.block_mut(id);
        block.outputs = projection.outputs;
        block.body = Body::Select(Box::new(Select {
            from: from.to_vec(),
            filter,
            projection: projection.exprs,
            names: projection.names,
            star: projection.star,
            distinct,
            group_by,
            grouping_sets,
            aggregates,
            set_returning,
            having,
        }));
    }

    /// The orders of `WINDOW w AS (..)`, which do not affect which rows are read.
    fn named_windows(&mut self, windows: &[ast::NamedWindowDefinition]) {
        for ast::NamedWindowDefinition(_, window) in windows {
            if let ast::NamedWindowExpr::WindowSpec(window) = window {
                window.order_by.iter().for_each(|key| drop(self.window_key(&key.expr)));
            }
        }
    }

    /// The aliases in a SELECT list.
    fn aliases_of(&self, select: &ast::Select) -> Vec<String> {
        let aliases = select.projection.iter().filter_map(|item| match item {
            ast::SelectItem::ExprWithAlias { alias, .. } => Some(self.fold(alias)),
            _ => None,
        });
        aliases.collect()
    }

    /// Whether a function in a SELECT list returns several rows: a built-in one, or one of the schema.
    fn returns_set(&self, name: &str) -> bool {
        let of_schema = || {
            let functions = self.schema.into_iter().flat_map(|schema| schema.functions_named(name));
            functions.flat_map(|(_, texts)| texts).any(|text| functions::is_declared_set_returning(text))
        };
        functions::is_set_returning(name, self.dialect) || (self.dialect == Dialect::Postgres && of_schema())
    }

    /// Whether an expression calls an aggregate, ignoring subqueries and window functions.
    fn has_aggregate(&self, expr: &Expr) -> bool {
        let of_schema = |name: &str| {
            let functions = self.schema.into_iter().flat_map(|schema| schema.functions_named(name));
            functions.flat_map(|(_, texts)| texts).any(|text| functions::is_declared_aggregate(text))
        };
        expr.any(|e| match e {
            Expr::Call(call) if !call.window => {
                functions::is_aggregate(&call.name, call.args.len()) || of_schema(&call.name)
            }
            _ => false,
        })
    }

    fn set_outputs(&mut self, projection: &Projection) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.outputs = projection.outputs.clone().unwrap_or_default();
            scope.has_star = projection.star.is_some();
        }
    }

    fn hide_outputs(&mut self, run: impl FnOnce(&mut Self)) {
        let hidden = self.scopes.last_mut().map(|scope| std::mem::take(&mut scope.outputs));
        run(self);
        if let (Some(hidden), Some(scope)) = (hidden, self.scopes.last_mut()) {
            scope.outputs = hidden;
        }
    }

    /// Resolves a SELECT list; `*` is expanded to its columns if they are known.
    pub(super) fn projection(&mut self, items: &[ast::SelectItem]) -> Projection {
        use ast::SelectItem;
        let mut projection = Projection::empty();
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }
                    if self.add_expanded(&mut projection, expr) => {}
                SelectItem::UnnamedExpr(expr) => {
                    let name = self.output_name(expr);
                    let expr = self.expr(expr);
                    let name = self.column_name(&expr).unwrap_or(name);
                    self.add_output(&mut projection, name, expr);
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    let expr = self.expr(expr);
                    self.check_alias(alias, false);
                    self.add_output(&mut projection, self.alias_name(alias), expr);
                }
                SelectItem::ExprWithAliases { expr, aliases } => {
                    let expr = self.expr(expr);
                    for alias in aliases {
                        self.add_output(&mut projection, self.alias_name(alias), expr.clone());
                    }
                }
                SelectItem::Wildcard(options) => {
                    projection.star = projection.star.or_else(|| self.bytes(options.wildcard_token.0.span));
                    let relations = self.scopes.last().map_or_else(Vec::new, |scope| scope.relations.clone());
                    let merged = self.scopes.last().map_or_else(Vec::new, |scope| scope.merged.clone());
                    self.add_star(&mut projection, &relations, &merged);
                }
                SelectItem::QualifiedWildcard(
                    ast::SelectItemQualifiedWildcardKind::ObjectName(name),
                    options,
                ) => {
                    projection.star = projection.star.or_else(|| self.bytes(options.wildcard_token.0.span));
                    let parts: Vec<ast::Ident> =
                        name.0.iter().filter_map(|p| p.as_ident()).cloned().collect();
                    match self.find_relation(&parts) {
                        Some((_, relation)) => self.add_star(&mut projection, &[relation], &[]),
                        None => {
                            let span = self.span_of(name);
                            let (_, name) = self.object_name(name);
                            self.problem(ProblemKind::UnknownTable { name, similar: None }, span);
                            projection.outputs = None;
                        }
                    }
                }
                SelectItem::QualifiedWildcard(ast::SelectItemQualifiedWildcardKind::Expr(expr), _) => {
                    let expr = self.expr(expr);
                    projection.add(String::new(), expr);
                    projection.outputs = None;
                }
            }
        }
        projection
    }

    pub(super) fn add_output(&self, projection: &mut Projection, name: String, expr: Expr) {
        let ty = self.type_of(&expr);
        if let Some(outputs) = &mut projection.outputs {
            outputs.push(Output { name: name.clone(), ty, expr: expr.clone() });
        }
        projection.add(name, expr);
    }

    pub(super) fn add_star(&self, projection: &mut Projection, relations: &[RelationId], merged: &[Merged]) {
        let mut shown: Vec<(&str, &Merged)> = Vec::new();
        for &id in relations {
            let relation = &self.relations[id.0 as usize];
            if matches!(relation.source, crate::sql::query::Source::Pseudo) {
                continue;
            }
            // The columns of the outermost join come first; SQLite does not reorder them.
            let joins = merged.iter().rev().filter(|merged| merged.relations.contains(&id));
            for (join, name) in joins.flat_map(|join| join.names.iter().map(move |name| (join, name))) {
                let known = shown.iter().any(|(seen, within)| {
                    *seen == name.as_str() && within.relations.iter().any(|id| join.relations.contains(id))
                });
                if !known && self.dialect != Dialect::Sqlite {
                    let spelling = self.declared_name(id, name);
                    self.add_column(projection, id, name, spelling.as_deref());
                }
                if !known {
                    shown.push((name.as_str(), join));
                }
            }
            let Some(columns) = &relation.columns else {
                projection.outputs = None;
                projection.add(String::new(), Expr::WholeRow(id));
                continue;
            };
            let hiding = self.hiding(relation);
            let is_hidden = |name: &str| {
                hiding.and_then(|table| table.column(name)).is_some_and(|column| column.invisible)
            };
            for column in columns.iter().filter(|column| !is_hidden(&column.name)) {
                let first = |join: &Merged| join.relations.first() == Some(&id);
                let merged =
                    shown.iter().find(|(name, join)| *name == column.name && join.relations.contains(&id));
                if merged.is_none_or(|(_, join)| self.dialect == Dialect::Sqlite && first(join)) {
                    self.add_column(projection, id, &column.name, column.spelling.as_deref());
                }
            }
        }
    }

    /// MariaDB and MySQL: the table of a relation, if columns of it have to be named to be seen, so that `*` leaves them out.
    fn hiding(&self, relation: &Relation) -> Option<&Table> {
        let crate::sql::query::Source::Table(name) = &relation.source else { return None };
        let table = self.schema?.tables.get(name)?;
        table.columns.iter().any(|column| column.invisible).then_some(table)
    }

    fn add_column(
        &self,
        projection: &mut Projection,
        relation: RelationId,
        name: &str,
        spelling: Option<&str>,
    ) {
        let column = ColumnRef { relation: Some(relation), name: name.to_owned(), span: None };
        self.add_output(projection, spelling.unwrap_or(name).to_owned(), Expr::Column(column));
    }

    /// An implicit `SELECT *` over one relation of the open scope.
    pub(super) fn select_all_of(&mut self, relation: RelationId, id: BlockId) {
        let mut projection = Projection::empty();
        self.add_star(&mut projection, &[relation], &[]);
        self.set_outputs(&projection);
        let block = self.block_mut(id);
        block.outputs = projection.outputs;
        block.body = Body::Select(Box::new(Select {
            from: vec![From::Relation(relation)],
            projection: projection.exprs,
            names: projection.names,
            ..Select::default()
        }));
    }

    /// `TABLE t`.
    pub(super) fn table_command(&mut self, table: &ast::Table, id: BlockId) {
        let Some(name) = &table.table_name else { return };
        self.scopes.push(Scope::new(id));
        let schema = table.schema_name.as_ref().map(|schema| self.dialect.fold(schema));
        let name = self.dialect.fold(name);
        let columns = self
            .schema
            .and_then(|known| Some(columns::of_table(known, known.table(schema.as_deref(), &name)?)));
        let relation = Relation {
            block: id,
            alias: name.clone(),
            source: crate::sql::query::Source::Table(crate::schema::Name::qualified(schema.as_deref(), name)),
            columns,
            lateral: false,
            inlined: None,
            span: None,
        };
        let relation = self.add_relation(relation);
        self.select_all_of(relation, id);
    }
}

/// The keys that an element of GROUP BY consists of: in PostgreSQL `(a, b)` is two keys, unlike `ROW(a, b)`.
fn group_keys(key: &ast::Expr, dialect: Dialect) -> Vec<&ast::Expr> {
    match key {
        ast::Expr::Tuple(parts) if dialect == Dialect::Postgres => {
            parts.iter().flat_map(|part| group_keys(part, dialect)).collect()
        }
        ast::Expr::Nested(inner) if dialect == Dialect::Postgres => group_keys(inner, dialect),
        key => vec![key],
    }
}

/// Whether GROUP BY forms several grouping sets.
fn groups_several_times(group_by: &ast::GroupByExpr) -> bool {
    let (ast::GroupByExpr::Expressions(_, modifiers) | ast::GroupByExpr::All(modifiers)) = group_by;
    let keys: &[ast::Expr] = match group_by {
        ast::GroupByExpr::Expressions(keys, _) => keys,
        ast::GroupByExpr::All(_) => &[],
    };
    !modifiers.is_empty()
        || keys
            .iter()
            .any(|key| matches!(key, ast::Expr::GroupingSets(_) | ast::Expr::Rollup(_) | ast::Expr::Cube(_)))
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};

    #[track_caller]
    fn check(dialect: Dialect, sql: &str, expect: &str) {
        let mut replay = Replay::new(dialect);
        replay.apply(
            "CREATE TABLE a (x int, id int); CREATE TABLE b (y int, id int); CREATE TABLE c (id int, y int)",
            "",
        );
        let query = resolve(sql, dialect, Some(&replay.schema)).expect("it parses");
        assert_eq!(query.problems, [], "{sql}");
        let outputs = query.block(query.root.expect("a root")).outputs.as_ref().expect("known columns");
        let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
        assert_eq!(names.join(" "), expect, "{sql}");
    }

    #[test]
    fn merged_columns_come_first_and_once() {
        for dialect in [Dialect::Postgres, Dialect::MySql] {
            check(dialect, "SELECT * FROM a JOIN b USING (id)", "id x y");
            check(dialect, "SELECT * FROM a NATURAL JOIN b", "id x y");
            check(dialect, "SELECT * FROM a JOIN b USING (id) JOIN c USING (y)", "y id x id");
            check(dialect, "SELECT * FROM c, a JOIN b USING (id)", "id y id x y");
            check(dialect, "SELECT b.*, id FROM a JOIN b USING (id)", "y id id");
        }
        // As `b LEFT JOIN a`.
        check(Dialect::MySql, "SELECT * FROM a RIGHT JOIN b USING (id)", "id y x");
        check(Dialect::Postgres, "SELECT * FROM a RIGHT JOIN b USING (id)", "id x y");
        check(Dialect::Sqlite, "SELECT * FROM a JOIN b USING (id)", "x id y");
        check(Dialect::Sqlite, "SELECT * FROM b JOIN c USING (id, y)", "y id");
    }

    #[test]
    fn names_keep_the_capitals_that_they_are_declared_with() {
        let names = |dialect, sql: &str| {
            let mut replay = Replay::new(dialect);
            replay.apply(
                "CREATE TABLE Users (Id int, firstName text); CREATE VIEW AllUsers AS SELECT * FROM Users;
                 CREATE VIEW Named (AbC) AS SELECT Id FROM Users; ALTER TABLE Users ADD COLUMN userID int;
                 ALTER TABLE Users RENAME COLUMN userid TO ownerId",
                "",
            );
            let query = resolve(sql, dialect, Some(&replay.schema)).expect("it parses");
            let outputs = query.block(query.root.expect("a root")).outputs.as_ref().expect("known columns");
            outputs.iter().map(|output| output.name.as_str()).collect::<Vec<_>>().join(" ")
        };
        for dialect in [Dialect::MySql, Dialect::Sqlite] {
            assert_eq!(names(dialect, "SELECT * FROM Users"), "Id firstName ownerId");
            assert_eq!(names(dialect, "SELECT x.* FROM (SELECT * FROM Users) x"), "Id firstName ownerId");
            assert_eq!(names(dialect, "SELECT a.firstname AS B, v.* FROM Users a, Named v"), "B AbC");
            assert_eq!(names(dialect, "WITH x (A, bC) AS (SELECT 1, 2) SELECT * FROM x"), "A bC");
        }
        // SQLite returns the declared name, where no query around it names the column.
        assert_eq!(names(Dialect::MySql, "SELECT ID, FirstName FROM Users"), "ID FirstName");
        assert_eq!(
            names(Dialect::Sqlite, "SELECT ID, FirstName FROM Users UNION SELECT 1, 2"),
            "Id firstName"
        );
        assert_eq!(names(Dialect::Sqlite, "SELECT * FROM (SELECT ID FROM Users)"), "ID");
        assert_eq!(names(Dialect::Postgres, "SELECT * FROM Users"), "id firstname ownerid");
    }

    #[test]
    fn a_rowid_goes_by_its_other_name() {
        let mut replay = Replay::new(Dialect::Sqlite);
        replay.apply("CREATE TABLE a (key INTEGER PRIMARY KEY); CREATE TABLE b (x TEXT)", "");
        for (sql, expect) in
            [("SELECT rowid FROM a", "key"), ("SELECT oid FROM b", "rowid"), ("SELECT (x) FROM b", "x")]
        {
            let query = resolve(sql, Dialect::Sqlite, Some(&replay.schema)).expect("it parses");
            let outputs = query.block(query.root.expect("a root")).outputs.as_ref().expect("known columns");
            assert_eq!(outputs[0].name, expect, "{sql}");
        }
    }
}
