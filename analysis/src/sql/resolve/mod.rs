//! From the parser's tree to a [`Query`]: every name is looked up in the scopes it can see and in the schema.

mod expr;
mod from;
mod output;
mod scope;
mod select;
mod write;

use std::sync::Arc;

use sqlparser::ast;

use super::dialect::Dialect;
use super::parse::{self, SyntaxError};
use super::query::{
    Block, BlockId, Body, Kind, Output, Problem, Query, Relation, RelationColumn, RelationId, Role, SetOp,
};
use super::room::with_room;
use super::text::{LineIndex, Span};
use super::{Expr, parameters};
use crate::schema::{Schema, View};
use scope::Scope;

/// How deep views are expanded into the queries behind them.
const DEEPEST_VIEW: usize = 8;

/// Parses one statement and resolves its names against `schema`.
///
/// Without a schema every table exists and may have any column. A name that cannot be resolved for a reason that is
/// known (a gap in the schema, a temporary table, a function's columns) is left unresolved without a problem.
///
/// # Errors
///
/// When `sql` is not one statement of `dialect`, or is too deep to be checked.
pub fn resolve(sql: &str, dialect: Dialect, schema: Option<&Schema>) -> Result<Query, SyntaxError> {
    with_room(sql, || resolve_here(sql, dialect, schema))
}

fn resolve_here(sql: &str, dialect: Dialect, schema: Option<&Schema>) -> Result<Query, SyntaxError> {
    let parsed = match parse::statement(sql, dialect) {
        Ok(parsed) => parsed,
        Err(error) => return other_statement(sql, dialect, error),
    };
    let mut resolver = Resolver::new(dialect, schema, &parsed.lines);
    resolver.select_texts.clone_from(&parsed.select_texts);
    let (kind, root) = resolver.statement(&parsed.statement);
    let mut problems = resolver.problems;
    if !schema.is_some_and(|schema| schema.gaps.is_empty()) {
        problems.retain(|problem| problem.certain_despite_gaps());
    }
    Ok(Query {
        kind,
        root,
        blocks: resolver.blocks,
        relations: resolver.relations,
        parameters: parsed.parameters,
        problems,
    })
}

/// Resolves an expression over the columns of one relation, which gets the first id: an index expression, a predicate, a
/// CHECK condition. `None` when it does not parse.
pub fn expression(sql: &str, dialect: Dialect, columns: Arc<[RelationColumn]>) -> Option<Expr> {
    with_room(sql, || expression_here(sql, dialect, columns)).ok()
}

fn expression_here(sql: &str, dialect: Dialect, columns: Arc<[RelationColumn]>) -> Result<Expr, SyntaxError> {
    let (parsed, lines) = parse::expression(sql, dialect)?;
    let mut resolver = Resolver::new(dialect, None, &lines);
    let block = resolver.open_block(None, Role::Statement);
    resolver.scopes.push(Scope::new(block));
    resolver.add_relation(Relation {
        block,
        alias: String::new(),
        source: super::query::Source::Unknown,
        columns: Some(columns),
        lateral: false,
        span: None,
    });
    Ok(resolver.expr(&parsed))
}

/// A statement that is neither read nor write of rows needs no tree: the parser knows only a part of them.
fn other_statement(sql: &str, dialect: Dialect, error: SyntaxError) -> Result<Query, SyntaxError> {
    let lines = LineIndex::new(sql);
    let Ok(mut tokens) = parse::tokenize(sql, dialect, &lines) else { return Err(error) };
    match parse::leading_keyword(&tokens) {
        // Another database has no such statement, and does not count its parameters.
        Some("attach" | "ATTACH" | "detach" | "DETACH") if dialect != Dialect::Sqlite => Err(error),
        Some(word) if !error.limit && parse::is_utility(word) && is_one(sql, dialect, &tokens) => Ok(Query {
            kind: Kind::Other,
            root: None,
            blocks: Vec::new(),
            relations: Vec::new(),
            parameters: parameters::number(&mut tokens, dialect),
            problems: Vec::new(),
        }),
        _ => Err(error),
    }
}

/// Whether a text is one statement; a routine's body has semicolons of its own.
fn is_one(sql: &str, dialect: Dialect, tokens: &[sqlparser::tokenizer::TokenWithSpan]) -> bool {
    !parse::is_several(tokens) || super::split::statements(sql, dialect).len() == 1
}

impl Problem {
    /// Whether the problem is one even when tables may exist that are not in the schema.
    fn certain_despite_gaps(&self) -> bool {
        !matches!(self.kind, super::query::ProblemKind::UnknownTable { .. })
    }
}

/// What is known while a statement is being resolved.
struct Resolver<'a> {
    dialect: Dialect,
    schema: Option<&'a Schema>,
    lines: &'a LineIndex<'a>,
    blocks: Vec<Block>,
    relations: Vec<Relation>,
    problems: Vec<Problem>,
    /// The scopes that can be seen, innermost last.
    scopes: Vec<Scope>,
    /// The common table expressions that can be seen, innermost last.
    ctes: Vec<(String, BlockId)>,
    /// How many views are being expanded.
    views: usize,
    /// The text of each element of a SELECT list, by the byte it starts at; SQLite and MySQL name columns by it.
    select_texts: Vec<(Span, String)>,
}

impl<'a> Resolver<'a> {
    fn new(dialect: Dialect, schema: Option<&'a Schema>, lines: &'a LineIndex<'a>) -> Resolver<'a> {
        Resolver {
            dialect,
            schema,
            lines,
            blocks: Vec::new(),
            relations: Vec::new(),
            problems: Vec::new(),
            scopes: Vec::new(),
            ctes: Vec::new(),
            views: 0,
            select_texts: Vec::new(),
        }
    }

    /// Resolves the statement and says what it does and whose rows it returns.
    fn statement(&mut self, statement: &ast::Statement) -> (Kind, Option<BlockId>) {
        use ast::Statement;
        match statement {
            Statement::Query(query) => {
                let root = self.query(query, Role::Statement, None);
                (self.query_kind(root), Some(root))
            }
            Statement::Insert(insert) => {
                let block = self.open_block(None, Role::Statement);
                self.insert(insert, block);
                (Kind::Insert, Some(block))
            }
            Statement::Update(update) => {
                let block = self.open_block(None, Role::Statement);
                self.update(update, block);
                (Kind::Update, Some(block))
            }
            Statement::Delete(delete) => {
                let block = self.open_block(None, Role::Statement);
                self.delete(delete, block);
                (Kind::Delete, Some(block))
            }
            Statement::Explain { .. } => (Kind::Other, None),
            Statement::StartTransaction { .. }
            | Statement::Commit { .. }
            | Statement::Rollback { .. }
            | Statement::Savepoint { .. }
            | Statement::ReleaseSavepoint { .. } => (Kind::Transaction, None),
            _ => (Kind::Other, None),
        }
    }

    /// `WITH .. INSERT` is parsed as a query whose body is a write.
    fn query_kind(&self, root: BlockId) -> Kind {
        match &self.blocks[root.0 as usize].body {
            Body::Write(write) if write.from.is_empty() => Kind::Insert,
            Body::Write(write) if write.assignments.is_empty() => Kind::Delete,
            Body::Write(_) => Kind::Update,
            _ => Kind::Select,
        }
    }

    fn open_block(&mut self, parent: Option<BlockId>, role: Role) -> BlockId {
        let id = BlockId(u32::try_from(self.blocks.len()).unwrap_or(u32::MAX));
        self.blocks.push(Block {
            parent,
            role,
            correlated: false,
            body: Body::Unknown,
            order_by: Vec::new(),
            limit: None,
            offset: None,
            limit_span: None,
            locks: false,
            outputs: None,
        });
        id
    }

    fn block_mut(&mut self, id: BlockId) -> &mut Block {
        &mut self.blocks[id.0 as usize]
    }

    /// Adds a relation to the innermost scope.
    fn add_relation(&mut self, relation: Relation) -> RelationId {
        let id = RelationId(u32::try_from(self.relations.len()).unwrap_or(u32::MAX));
        self.relations.push(relation);
        if let Some(scope) = self.scopes.last_mut() {
            scope.relations.push(id);
        }
        id
    }

    fn current_block(&self) -> Option<BlockId> {
        self.scopes.last().map(|scope| scope.block)
    }

    /// Resolves a query expression into a block of its own.
    fn query(&mut self, query: &ast::Query, role: Role, parent: Option<BlockId>) -> BlockId {
        let id = self.open_block(parent, role);
        self.query_into(query, id);
        id
    }

    /// Resolves a query expression into a block that is already open.
    fn query_into(&mut self, query: &ast::Query, id: BlockId) {
        let visible = self.ctes.len();
        if let Some(with) = &query.with {
            for cte in &with.cte_tables {
                self.cte(cte, with.recursive, id);
            }
        }
        let scopes = self.scopes.len();
        self.body(&query.body, id);
        self.tail(query, id);
        self.scopes.truncate(scopes);
        self.ctes.truncate(visible);
    }

    fn cte(&mut self, cte: &ast::Cte, recursive: bool, parent: BlockId) {
        let name = self.fold(&cte.alias.name);
        let materialized =
            cte.materialized.as_ref().map(|m| matches!(m, ast::CteAsMaterialized::Materialized));
        let role = Role::Cte { name: name.clone(), recursive: false, materialized, uses: 0 };
        let id = self.open_block(Some(parent), role);
        let renamed: Vec<String> = cte.alias.columns.iter().map(|column| self.fold(&column.name)).collect();
        if recursive {
            self.ctes.push((name.clone(), id));
            if !renamed.is_empty() {
                self.block_mut(id).outputs = Some(renamed.iter().map(|name| Output::named(name)).collect());
            }
        }
        let hidden = std::mem::take(&mut self.scopes);
        self.query_into(&cte.query, id);
        self.scopes = hidden;
        if let Some(outputs) = &mut self.block_mut(id).outputs {
            for (output, name) in outputs.iter_mut().zip(renamed) {
                output.name = name;
            }
        }
        if !recursive {
            self.ctes.push((name, id));
        }
    }

    /// Resolves what produces the rows. The scope of a SELECT is left open, so that ORDER BY can see it.
    fn body(&mut self, body: &ast::SetExpr, id: BlockId) {
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
            SetExpr::Insert(statement) | SetExpr::Update(statement) | SetExpr::Delete(statement) => {
                match statement {
                    ast::Statement::Insert(insert) => self.insert(insert, id),
                    ast::Statement::Update(update) => self.update(update, id),
                    ast::Statement::Delete(delete) => self.delete(delete, id),
                    _ => {}
                }
            }
            SetExpr::Table(table) => self.table_command(table, id),
            SetExpr::Merge(_) => {}
        }
    }

    /// `(SELECT ..) LIMIT 1`: brackets that carry nothing of their own are transparent; others make a derived table.
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
                source: super::query::Source::Derived(inner),
                columns,
                lateral: false,
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
        // A chain `a UNION b UNION c` leans left; walking down it keeps the stack flat.
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
            let right = self.arm(right, id);
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
        let outputs = names.map(Iterator::collect);
        let block = self.block_mut(id);
        block.outputs = outputs;
        block.body = Body::Values(rows);
    }

    /// ORDER BY, LIMIT, OFFSET and locks.
    fn tail(&mut self, query: &ast::Query, id: BlockId) {
        if let Some(order_by) = &query.order_by
            && let ast::OrderByKind::Expressions(keys) = &order_by.kind
        {
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
            None => Expr::Literal(super::expr::Literal::Number("1".to_owned())),
        });
        // Those that tie with the last are returned as well: it bounds, but not by this number.
        let fetch = match (fetch, &query.fetch) {
            (Some(rows), Some(ast::Fetch { with_ties: true, .. })) => {
                Some(Expr::Other { what: "with ties".to_owned(), parts: vec![rows] })
            }
            (fetch, _) => fetch,
        };
        let span = query.limit_clause.as_ref().and_then(|clause| self.span_of(clause));
        let block = self.block_mut(id);
        block.limit = limit.or(fetch).filter(|limit| *limit != Expr::Literal(super::expr::Literal::Null));
        block.offset = offset;
        block.limit_span = span;
        block.locks = !query.locks.is_empty();
    }

    fn order_keys(&mut self, keys: &[ast::OrderByExpr]) -> Vec<super::query::OrderKey> {
        keys.iter()
            .map(|key| super::query::OrderKey {
                expr: self.order_expr(&key.expr),
                desc: matches!(key.options.sort, Some(ast::OrderBySort::Desc)),
                nulls_first: key.options.nulls_first,
            })
            .collect()
    }

    /// The query of a view as a block, if it can be expanded.
    fn expand_view(&mut self, view: &View, parent: BlockId) -> Option<BlockId> {
        if self.views >= DEEPEST_VIEW {
            return None;
        }
        let parsed = parse::statement(&view.query, self.dialect).ok()?;
        let ast::Statement::Query(query) = &parsed.statement else { return None };
        // What the view's own text names is not the user's to mend: its places and problems stay inside.
        let problems = self.problems.len();
        let scopes = std::mem::take(&mut self.scopes);
        let ctes = std::mem::take(&mut self.ctes);
        let select_texts = std::mem::take(&mut self.select_texts);
        self.views += 1;
        let first_relation = self.relations.len();
        let id = self.query(query, Role::View(view.name.clone()), Some(parent));
        for relation in self.relations.iter_mut().skip(first_relation) {
            relation.span = None;
        }
        self.views -= 1;
        self.select_texts = select_texts;
        self.ctes = ctes;
        self.scopes = scopes;
        self.problems.truncate(problems);
        Some(id)
    }

    fn fold(&self, ident: &ast::Ident) -> String {
        match (ident.quote_style, self.dialect) {
            (Some(_), Dialect::Postgres) => ident.value.clone(),
            _ => self.dialect.fold(&ident.value),
        }
    }

    fn span_of(&self, node: &impl ast::Spanned) -> Option<Span> {
        self.bytes(node.span())
    }

    /// A span of the parser as bytes of the user's text; views have no place in it.
    fn bytes(&self, span: sqlparser::tokenizer::Span) -> Option<Span> {
        (self.views == 0 && span.start.line > 0).then(|| parse::span(self.lines, span))
    }
}

impl Output {
    /// A column of which only the name is known.
    fn named(name: &str) -> Output {
        Output { name: name.to_owned(), expr: Expr::Literal(super::expr::Literal::Null), ty: String::new() }
    }
}
