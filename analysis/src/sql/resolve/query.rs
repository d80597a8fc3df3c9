//! Query expressions: WITH, set operations, VALUES, ORDER BY, LIMIT.

use sqlparser::ast;

use super::Resolver;
use super::scope::Scope;
use crate::sql::dialect::Dialect;
use crate::sql::expr::Expr;
use crate::sql::query::{BlockId, Body, Output, Relation, Role, SetOp};

impl Resolver<'_> {
    /// Resolves a query expression into a block of its own.
    pub(super) fn query(&mut self, query: &ast::Query, role: Role, parent: Option<BlockId>) -> BlockId {
        let id = self.open_block(parent, role);
        self.query_into(query, id);
        id
    }

    /// Resolves a query expression into an existing block.
    pub(super) fn query_into(&mut self, query: &ast::Query, id: BlockId) {
        let visible = self.ctes.resolved.len();
        self.check_written_with(query);
        if let Some(with) = &query.with {
            self.check_with(with);
            self.with_tables(with, id);
        }
        let scopes = self.scopes.len();
        self.body(&query.body, id);
        self.tail(query, id);
        self.scopes.truncate(scopes);
        self.ctes.resolved.truncate(visible);
        if self.dialect == Dialect::MySql {
            let block = self.block_mut(id);
            block.is_merged = block.can_be_merged();
        }
    }

    /// The CTEs of a WITH. Those of a recursive one may name themselves, and those that follow, whose columns are not known
    /// yet. On SQLite every WITH is recursive, with or without the word.
    fn with_tables(&mut self, with: &ast::With, id: BlockId) {
        let recursive = with.recursive || self.dialect == Dialect::Sqlite;
        let outer = self.ctes.following.len();
        if recursive {
            let names =
                with.cte_tables.iter().rev().map(|cte| self.fold(&cte.alias.name)).collect::<Vec<_>>();
            self.ctes.following.extend(names);
        }
        for cte in &with.cte_tables {
            if recursive {
                self.ctes.following.pop();
            }
            self.cte(cte, recursive, id);
        }
        self.ctes.following.truncate(outer);
    }

    pub(super) fn cte(&mut self, cte: &ast::Cte, recursive: bool, parent: BlockId) {
        let name = self.fold(&cte.alias.name);
        let materialized =
            cte.materialized.as_ref().map(|m| matches!(m, ast::CteAsMaterialized::Materialized));
        // How the rewritten text of SQLite says it.
        let materialized = materialized.or(cte.from.as_ref().map(|_| true));
        let role = Role::Cte { name: name.clone(), recursive: false, materialized, uses: 0 };
        let id = self.open_block(Some(parent), role);
        let problems = self.problems.len();
        let renamed: Vec<String> =
            cte.alias.columns.iter().map(|column| self.alias_name(&column.name)).collect();
        if recursive {
            self.ctes.resolved.push((name.clone(), id));
            if !renamed.is_empty() {
                self.block_mut(id).outputs = Some(renamed.iter().map(|name| Output::named(name)).collect());
            }
        }
        // A CTE sees the rows of outer queries, and not those of its own query, whose FROM is not open yet.
        self.query_into(&cte.query, id);
        if self.blocks[id.0 as usize].correlated {
            self.block_mut(parent).correlated = true;
        }
        self.count_renamed(&name, &renamed, id, self.bytes(cte.alias.name.span));
        if let Some(outputs) = &mut self.block_mut(id).outputs {
            for (output, name) in outputs.iter_mut().zip(renamed) {
                output.name = name;
            }
        }
        if !recursive {
            self.ctes.resolved.push((name, id));
        }
        self.cte_problems.push((id, problems..self.problems.len()));
    }

    /// Resolves the body of a query. The scope of a SELECT stays open, so that ORDER BY can see it.
    pub(super) fn body(&mut self, body: &ast::SetExpr, id: BlockId) {
        use ast::SetExpr;
        match body {
            SetExpr::Select(select) => self.select(select, id),
            SetExpr::Query(query) => self.parenthesised(query, id),
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                let all = matches!(set_quantifier, ast::SetQuantifier::All | ast::SetQuantifier::AllByName);
                let op = match op {
                    ast::SetOperator::Union => SetOp::Union,
                    ast::SetOperator::Intersect => SetOp::Intersect,
                    _ => SetOp::Except,
                };
                self.set_operation(left, op, all, right, id);
            }
            SetExpr::Values(values) => self.values(values, id),
            SetExpr::Insert(statement)
            | SetExpr::Update(statement)
            | SetExpr::Delete(statement)
            | SetExpr::Merge(statement) => self.write_statement(statement, id),
            SetExpr::Table(table) => self.table_command(table, id),
        }
    }

    /// `(SELECT ..) LIMIT 1`: parentheses without clauses of their own are transparent; others form a derived
    /// table.
    fn parenthesised(&mut self, query: &ast::Query, id: BlockId) {
        let plain = query.order_by.is_none() && query.limit_clause.is_none() && query.fetch.is_none();
        if plain && query.with.is_none() {
            self.body(&query.body, id);
        } else {
            let inner = self.query(query, Role::Derived, Some(id));
            self.scopes.push(Scope::new(id));
            let columns = self.block_columns(inner);
            let relation = self.add_relation(Relation {
                block: id,
                alias: String::new(),
                source: crate::sql::query::Source::Derived(inner),
                columns,
                lateral: false,
                inlined: None,
                span: None,
            });
            self.select_all_of(relation, id);
        }
    }

    fn set_operation(
        &mut self,
        left: &ast::SetExpr,
        op: SetOp,
        all: bool,
        right: &ast::SetExpr,
        id: BlockId,
    ) {
        // A chain `a UNION b UNION c` is left-deep; descending it in a loop saves stack.
        let mut arms = vec![(op, all, right)];
        let mut first = left;
        while let ast::SetExpr::SetOperation { left, op, set_quantifier, right } = first {
            let all = matches!(set_quantifier, ast::SetQuantifier::All | ast::SetQuantifier::AllByName);
            let op = match op {
                ast::SetOperator::Union => SetOp::Union,
                ast::SetOperator::Intersect => SetOp::Intersect,
                _ => SetOp::Except,
            };
            arms.push((op, all, right));
            first = left;
        }
        let mut left = self.arm(first, id);
        let names = self.blocks[left.0 as usize].outputs.clone();
        let is_recursive_cte = matches!(self.blocks[id.0 as usize].role, Role::Cte { .. });
        if is_recursive_cte && self.blocks[id.0 as usize].outputs.is_none() {
            self.block_mut(id).outputs.clone_from(&names);
        }
        while let Some((op, all, right)) = arms.pop() {
            let last = arms.is_empty();
            let span = self.first_span(right);
            let right = self.arm(right, id);
            self.check_arms(left, right, span);
            let body = Body::Set { op, all, left, right };
            if last {
                self.block_mut(id).body = body;
            } else {
                left = self.open_block(Some(id), Role::Arm);
                self.block_mut(left).body = body;
                self.block_mut(left).outputs.clone_from(&names);
            }
        }
        self.block_mut(id).outputs.clone_from(&names);
        let mut scope = Scope::new(id);
        scope.has_star = true;
        scope.outputs = names.unwrap_or_default();
        scope.outputs_only = true;
        self.scopes.push(scope);
    }

    fn arm(&mut self, arm: &ast::SetExpr, parent: BlockId) -> BlockId {
        let id = self.open_block(Some(parent), Role::Arm);
        let scopes = self.scopes.len();
        self.body(arm, id);
        self.scopes.truncate(scopes);
        id
    }

    fn values(&mut self, values: &ast::Values, id: BlockId) {
        self.scopes.push(Scope::new(id));
        let rows: Vec<Vec<Expr>> = values
            .rows
            .iter()
            .map(|row| row.content.iter().map(|value| self.expr(value)).collect())
            .collect();
        let names = rows.first().map(|row| {
            (1..).zip(row).map(|(number, value)| {
                let name = match self.dialect {
                    Dialect::MySql => format!("column_{}", number - 1),
                    Dialect::Postgres | Dialect::Sqlite => format!("column{number}"),
                };
                Output { name, ty: self.type_of(value), expr: value.clone() }
            })
        });
        let outputs: Option<Vec<Output>> = names.map(Iterator::collect);
        if let Some(scope) = self.scopes.last_mut() {
            scope.outputs = outputs.clone().unwrap_or_default();
            scope.outputs_only = true;
        }
        let block = self.block_mut(id);
        block.outputs = outputs;
        block.body = Body::Values(rows);
        self.check_rows(values, id);
    }

    /// ORDER BY, LIMIT, OFFSET and locks.
    fn tail(&mut self, query: &ast::Query, id: BlockId) {
        if let Some(order_by) = &query.order_by
            && let ast::OrderByKind::Expressions(keys) = &order_by.kind
        {
            self.check_order_names(query, keys);
            let keys = self.order_keys(keys);
            self.block_mut(id).order_by = keys;
        }
        let (limit, offset) = match &query.limit_clause {
            Some(ast::LimitClause::LimitOffset { limit, offset, .. }) => {
                (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
            }
            Some(ast::LimitClause::OffsetCommaLimit { offset, limit }) => (Some(limit), Some(offset)),
            None => (None, None),
        };
        let limit = limit.map(|limit| self.expr(limit));
        let offset = offset.map(|offset| self.expr(offset));
        let fetch = query.fetch.as_ref().filter(|fetch| !fetch.percent).map(|fetch| match &fetch.quantity {
            Some(quantity) => self.expr(quantity),
            None => Expr::Literal(crate::sql::expr::Literal::Number("1".to_owned())),
        });
        // WITH TIES also returns rows equal to the last: it bounds the result, but not by this number.
        let fetch = match (fetch, &query.fetch) {
            (Some(rows), Some(ast::Fetch { with_ties: true, .. })) => {
                Some(Expr::Other { what: "with ties".to_owned(), parts: vec![rows] })
            }
            (fetch, _) => fetch,
        };
        let span = query.limit_clause.as_ref().and_then(|clause| self.span_of(clause));
        // SQLite takes a negative number for no limit.
        let is_none = |limit: &Expr| match limit {
            Expr::Literal(literal) => *literal == crate::sql::expr::Literal::Null,
            Expr::Unary { op, .. } => op == "-" && self.dialect == Dialect::Sqlite,
            _ => false,
        };
        let limit = limit.or(fetch).filter(|limit| !is_none(limit));
        let block = self.block_mut(id);
        block.limit = limit;
        block.offset = offset;
        block.limit_span = span;
        block.locks = !query.locks.is_empty();
        self.check_bounds_of(query);
        self.check_sqlite_query(query);
        self.check_tail(query, id);
    }

    pub(super) fn order_keys(&mut self, keys: &[ast::OrderByExpr]) -> Vec<crate::sql::query::OrderKey> {
        self.check_nulls(keys);
        keys.iter()
            .map(|key| crate::sql::query::OrderKey {
                expr: self.order_expr(&key.expr, "ORDER BY"),
                desc: matches!(key.options.sort, Some(ast::OrderBySort::Desc)),
                nulls_first: key.options.nulls_first,
            })
            .collect()
    }
}
