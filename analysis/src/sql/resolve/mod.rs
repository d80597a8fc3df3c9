//! From the parser's tree to a [`Query`]: looks up every name in the visible scopes and in the schema.

mod ambiguous;
mod asked;
mod call;
mod clauses;
mod elsewhere;
mod expr;
mod foreign;
mod from;
mod function_columns;
mod hidden;
mod interval;
mod joins;
mod keys;
mod merge;
mod output;
mod query;
mod reserved;
mod rows;
mod scope;
mod select;
mod statement;
mod stored;
mod tail;
mod targets;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_refusals;
mod unread;
mod values;
mod wide;
mod widths;
mod windows;
mod write;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use sqlparser::ast;

use super::answers::Answers;
use super::dialect::Dialect;
use super::expr::Call;
use super::parse::{self, Explained, SyntaxError};
use super::query::{
    Asked, Block, BlockId, Body, Kind, Output, Problem, Query, Relation, RelationColumn, RelationId, Role,
};
use super::room::with_room;
use super::text::{LineIndex, Span};
use super::tokenize::tokenize;
use super::{Expr, answers, parameters};
use crate::schema::{Name, Schema, View};
use scope::{Ctes, Scope};

/// The maximum depth to which views are expanded.
const DEEPEST_VIEW: usize = 8;

/// The maximum number of views and SQL functions expanded per statement: those that refer to others several
/// times multiply.
const MOST_EXPANSIONS: usize = 256;

/// Parses one statement and resolves its names against `schema`.
///
/// Without a schema every table exists and may have any column. A name that cannot be resolved for a known
/// reason (a gap in the schema, a temporary table, a function's columns) is left unresolved without a
/// problem.
///
/// # Errors
///
/// If `sql` is not a single statement of `dialect`, or is too deep to be checked.
pub fn resolve(sql: &str, dialect: Dialect, schema: Option<&Schema>) -> Result<Query, SyntaxError> {
    with_room(sql, || resolve_here(sql, dialect, schema))
}

fn resolve_here(sql: &str, dialect: Dialect, schema: Option<&Schema>) -> Result<Query, SyntaxError> {
    let parsed = match parse::statement(sql, dialect) {
        Ok(parsed) => parsed,
        Err(error) => return other_statement(sql, dialect, error),
    };
    let mut resolver = Resolver::new(dialect, schema, &parsed.lines);
    resolver.subscripted = is_subscripted(sql);
    resolver.select_texts.clone_from(&parsed.select_texts);
    let (mut kind, mut root) = resolver.statement(&parsed.statement);
    match parsed.explained {
        None => {}
        Some(Explained { is_run }) => {
            (kind, root) = (Kind::Other, None);
            if !is_run {
                // It is only planned: its names have to exist, but no table is read.
                resolver.blocks.clear();
                resolver.relations.clear();
            }
        }
    }
    match dialect {
        Dialect::Postgres => resolver.mark_only(sql),
        Dialect::Sqlite if sql.to_ascii_lowercase().contains("indexed") => resolver.mark_indexed(sql),
        Dialect::MySql if sql.contains("/*+") => resolver.mark_optimizer_hints(sql),
        _ => {}
    }
    if dialect == Dialect::Sqlite && !resolver.cte_problems.is_empty() {
        resolver.unread = resolver.unread_queries();
        resolver.drop_problems_of_unread();
    }
    if dialect != Dialect::Postgres {
        resolver.check_structure();
    }
    let mut problems = resolver.problems;
    if !schema.is_some_and(|schema| schema.gaps.is_empty()) {
        problems.retain(|problem| problem.certain_despite_gaps());
    }
    if let Some(schema) = schema.filter(|schema| !schema.loose_columns.is_empty()) {
        problems.retain(|problem| problem.certain_despite(&schema.loose_columns));
    }
    Ok(Query {
        kind,
        root,
        answers: match (root, resolver.called) {
            (Some(_), _) => Answers::Nothing,
            (None, Some(call)) if dialect == Dialect::Postgres && parsed.explained.is_none() => {
                Answers::Procedure(Box::new(call))
            }
            (None, _) => answers::of(sql, dialect),
        },
        blocks: resolver.blocks,
        relations: resolver.relations,
        parameters: parsed.parameters,
        problems,
        asked: resolver.asked,
        unchecked: resolver.unchecked,
        overriding: dialect == Dialect::Postgres && sql.to_ascii_lowercase().contains("overriding"),
        subscripted: resolver.subscripted,
        fielded: resolver.fielded,
        spreads: dialect == Dialect::Postgres && sql.to_ascii_lowercase().contains("variadic"),
    })
}

/// Whether a text may have a subscript: an opening bracket after a word, and neither `ARRAY[1]` nor `int[]`.
fn is_subscripted(sql: &str) -> bool {
    sql.match_indices('[').any(|(at, _)| {
        let (before, after) = (sql.get(..at).unwrap_or_default(), sql.get(at + 1..).unwrap_or_default());
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '"');
        let before = before.trim_end();
        let word = before.get(before.trim_end_matches(is_part).len()..).unwrap_or_default();
        !word.is_empty() && !word.eq_ignore_ascii_case("array") && !after.trim_start().starts_with(']')
    })
}

/// Resolves an expression over the columns of one relation, which gets the first id: an index expression, a
/// predicate, a CHECK condition. `None` if it does not parse.
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
        inlined: None,
        span: None,
    });
    Ok(resolver.expr(&parsed))
}

/// A statement that neither reads nor writes rows needs no tree: the parser knows only some of them.
fn other_statement(sql: &str, dialect: Dialect, error: SyntaxError) -> Result<Query, SyntaxError> {
    let lines = LineIndex::new(sql);
    let Ok(mut tokens) = tokenize(sql, dialect, &lines) else { return Err(error) };
    match parse::leading_keyword(&tokens) {
        // Other databases have no such statement, and do not count its parameters.
        Some("attach" | "ATTACH" | "detach" | "DETACH") if dialect != Dialect::Sqlite => Err(error),
        Some(word) if !error.limit && parse::is_utility(word) && is_one(sql, dialect, &tokens) => Ok(Query {
            unchecked: statement::unfollowed(word),
            kind: Kind::Other,
            root: None,
            answers: answers::of(sql, dialect),
            blocks: Vec::new(),
            relations: Vec::new(),
            parameters: parameters::number(&mut tokens, dialect),
            problems: Vec::new(),
            asked: Vec::new(),
            overriding: false,
            subscripted: false,
            fielded: false,
            spreads: false,
        }),
        _ => Err(error),
    }
}

/// Whether a text is a single statement; the body of a routine contains semicolons.
fn is_one(sql: &str, dialect: Dialect, tokens: &[sqlparser::tokenizer::TokenWithSpan]) -> bool {
    !parse::is_several(tokens) || super::split::statements(sql, dialect).len() == 1
}

impl Problem {
    /// Whether the problem is certain even if tables may be missing from the schema.
    fn certain_despite_gaps(&self) -> bool {
        use super::query::ProblemKind;
        !matches!(
            self.kind,
            ProblemKind::UnknownTable { .. }
                | ProblemKind::UnknownField { .. }
                | ProblemKind::ValuesCount { listed: false, .. }
        )
    }
}

impl Problem {
    /// Whether the problem is certain even though any table may have these columns.
    fn certain_despite(&self, loose: &BTreeMap<String, String>) -> bool {
        use super::query::ProblemKind;
        match &self.kind {
            ProblemKind::UnknownColumn { column, .. } => {
                !loose.contains_key(column) && !loose.contains_key("")
            }
            ProblemKind::UnknownField { .. } => loose.is_empty(),
            ProblemKind::ValuesCount { listed, .. } => *listed,
            _ => true,
        }
    }
}

/// The state while a statement is resolved.
struct Resolver<'a> {
    dialect: Dialect,
    schema: Option<&'a Schema>,
    lines: &'a LineIndex<'a>,
    blocks: Vec<Block>,
    relations: Vec<Relation>,
    problems: Vec<Problem>,
    /// Which problems each WITH query added.
    cte_problems: Vec<(BlockId, Range<usize>)>,
    /// SQLite: the WITH queries that nothing reads.
    unread: HashSet<BlockId>,
    /// The modifiers of relations.
    asked: Vec<(RelationId, Asked)>,
    /// The part that is not analysed, as a fragment.
    unchecked: Option<&'static str>,
    /// The call, if the statement is one of a procedure.
    called: Option<Call>,
    /// Whether a field of a composite column is written.
    fielded: bool,
    /// Whether an element of an array may be written.
    subscripted: bool,
    /// The visible scopes, innermost last.
    scopes: Vec<Scope>,
    /// The visible common table expressions.
    ctes: Ctes,
    /// The nesting depth of views under expansion.
    views: usize,
    /// The schemas in which the names of the current view are looked up first.
    path: &'a [String],
    /// How many were expanded in total.
    expansions: usize,
    /// A cache of parsed queries of the schema, by their text; `None` for one that does not parse.
    parsed: HashMap<String, Option<Rc<ast::Query>>>,
    /// The SQL function being inlined, and its parameters with their arguments.
    parameters: Option<(String, Vec<(String, Expr)>)>,
    /// MySQL: the aliases of the SELECT list being resolved.
    select_aliases: Vec<String>,
    /// MySQL: the aliases that the current window specification may use.
    window_aliases: Vec<String>,
    /// The text of each SELECT list element, by its first byte; SQLite and MySQL name columns by it.
    select_texts: Vec<(Span, String)>,
    /// The columns of wide relations by name.
    wide: wide::Wide,
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
            cte_problems: Vec::new(),
            unread: HashSet::new(),
            asked: Vec::new(),
            unchecked: None,
            called: None,
            fielded: false,
            subscripted: false,
            scopes: Vec::new(),
            ctes: Ctes::default(),
            views: 0,
            path: &[],
            expansions: 0,
            parsed: HashMap::new(),
            parameters: None,
            select_aliases: Vec::new(),
            window_aliases: Vec::new(),
            select_texts: Vec::new(),
            wide: wide::Wide::default(),
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
            is_volatile: false,
            is_merged: false,
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
        self.check_own_names(&relation);
        self.relations.push(relation);
        if let Some(scope) = self.scopes.last_mut() {
            scope.relations.push(id);
        }
        id
    }

    fn current_block(&self) -> Option<BlockId> {
        self.scopes.last().map(|scope| scope.block)
    }

    /// Expands a view into a block, if possible.
    fn expand_view(&mut self, view: &'a View, parent: BlockId) -> Option<BlockId> {
        let parameters = self.parameters.take();
        let path = std::mem::replace(&mut self.path, &view.path);
        let block = self.expand(&view.query, view.name.clone(), parent);
        self.path = path;
        self.parameters = parameters;
        block
    }

    /// Expands a query of the schema into a block of this one.
    fn expand(&mut self, query: &str, name: Name, parent: BlockId) -> Option<BlockId> {
        self.expansions += 1;
        if self.is_beyond_expanding() {
            return None;
        }
        let query = self.parsed(query)?;
        // The user cannot fix problems in the view's own text, so they are dropped, as are its positions.
        let problems = self.problems.len();
        let scopes = std::mem::take(&mut self.scopes);
        let ctes = std::mem::take(&mut self.ctes);
        let select_texts = std::mem::take(&mut self.select_texts);
        self.views += 1;
        let first_relation = self.relations.len();
        let id = self.query(&query, Role::View(name), Some(parent));
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

    /// A query of the schema, parsed only once per statement.
    fn parsed(&mut self, query: &str) -> Option<Rc<ast::Query>> {
        if let Some(known) = self.parsed.get(query) {
            return known.clone();
        }
        let statement = parse::statement(query, self.dialect).map(|parsed| parsed.statement);
        let parsed = match statement {
            Ok(ast::Statement::Query(query)) => Some(Rc::from(query)),
            _ => None,
        };
        self.parsed.insert(query.to_owned(), parsed.clone());
        parsed
    }

    /// Whether the limit on expanding views is reached.
    fn is_beyond_expanding(&self) -> bool {
        self.views >= DEEPEST_VIEW || self.expansions > MOST_EXPANSIONS
    }

    fn fold(&self, ident: &ast::Ident) -> String {
        let name = match (ident.quote_style, self.dialect) {
            (Some(_), Dialect::Postgres) => ident.value.clone(),
            _ => self.dialect.fold(&ident.value),
        };
        self.dialect.cut(name)
    }

    fn span_of(&self, node: &impl ast::Spanned) -> Option<Span> {
        self.bytes(node.span())
    }

    /// Converts a span of the parser to bytes of the user's text; `None` inside views.
    fn bytes(&self, span: sqlparser::tokenizer::Span) -> Option<Span> {
        (self.views == 0 && span.start.line > 0).then(|| parse::span(self.lines, span))
    }
}

impl Output {
    /// A column known only by name.
    fn named(name: &str) -> Output {
        Output { name: name.to_owned(), expr: Expr::Literal(super::expr::Literal::Null), ty: String::new() }
    }
}
