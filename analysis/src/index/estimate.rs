//! Row estimates as planners make them without statistics: the selectivity of each condition, and the rows of
//! a subquery. Only the proportions matter, since they decide which table is read first.

use crate::schema::{Schema, UserType};
use crate::sql::Dialect;
use crate::sql::expr::{ColumnRef, Expr, Literal, Op, Test};
use crate::sql::query::{Block, BlockId, Body, Query, Role, Source};

/// The assumed row count of a table without statistics.
pub(super) const ROWS: f64 = 5_000.0;

/// The selectivity of `=`: most columns compared with one value are nearly unique.
const EQUAL: f64 = 1.0 / ROWS;
/// The selectivity of `=` with a constant in the query's text: `status = 'done'` names a category, not a
/// single row.
const CATEGORY: f64 = 0.1;
/// The number of rows that share a value of a non-unique key, without statistics.
pub(super) const SHARED: f64 = 10.0;
/// One in two hundred: PostgreSQL's default for `LIKE` and a range with two bounds.
const ONE_VALUE: f64 = 0.005;
/// PostgreSQL's default for a range with one bound, and for a boolean function.
pub(super) const ONE_SIDE: f64 = 1.0 / 3.0;
/// The assumed length of an array parameter.
const ELEMENTS: f64 = 10.0;
/// The selectivity of a containment or match operator.
const CONTAINED: f64 = 0.01;

/// The selectivity of a condition, from 0 to 1.
pub(super) fn kept(condition: &Expr, query: &Query, schema: &Schema) -> f64 {
    let part = |expr: &Expr| kept(expr, query, schema);
    let value = |exprs: &[&Expr]| {
        let distinct = exprs.iter().filter_map(|e| e.as_column()).find_map(|c| values(c, query, schema));
        let is_one = || exprs.iter().filter_map(|e| e.as_column()).any(|c| is_key(c, query, schema));
        let is_category = exprs.iter().any(|expr| is_category(expr)) && !is_one();
        let otherwise = if is_category { CATEGORY } else { EQUAL };
        distinct.map_or(otherwise, |distinct| 1.0 / distinct)
    };
    let kept = match condition {
        Expr::Binary { op: Op::Eq | Op::Same, left, right } => value(&[left, right]),
        Expr::Any { left, op: Op::Eq, all: false, .. } => value(&[left]) * ELEMENTS,
        Expr::InList { expr, list, negated: false } => value(&[expr]) * list.len() as f64,
        Expr::InQuery { .. } | Expr::Exists { .. } => 0.5,
        // Two ranges of two columns.
        Expr::Between { expr, negated: false, .. } if expr.columns().is_empty() => ONE_SIDE * ONE_SIDE,
        Expr::Between { negated: false, .. } | Expr::Like { negated: false, .. } => ONE_VALUE,
        Expr::Is { test: Test::Null, negated: true, .. } if schema.dialect != Dialect::Postgres => 1.0,
        Expr::Is { test: Test::Null, negated: false, .. } => ONE_VALUE,
        Expr::Binary { op: Op::NotEq | Op::NotSame, .. }
        | Expr::InList { .. }
        | Expr::Like { .. }
        | Expr::Is { test: Test::Null, .. } => 1.0 - ONE_VALUE,
        Expr::Column(_) | Expr::Is { .. } => 0.5,
        Expr::Not(inner) => 1.0 - part(inner),
        Expr::And(all) => all.iter().map(part).product(),
        Expr::Or(any) => any.iter().map(part).sum(),
        Expr::Binary { op: Op::Other(_), .. } => CONTAINED,
        _ => ONE_SIDE,
    };
    kept.clamp(1.0 / (ROWS * ROWS), 1.0)
}

/// The combined selectivity of all conditions on one table.
pub(super) fn kept_by_all(conditions: &[&Expr], query: &Query, schema: &Schema) -> f64 {
    if schema.dialect == Dialect::Postgres {
        return conditions.iter().map(|condition| kept(condition, query, schema)).product();
    }
    // Without statistics only one equality counts; other conditions add almost nothing.
    let equal = conditions.iter().any(|condition| matches!(condition, Expr::Binary { op: Op::Eq, .. }));
    let others = i32::try_from(conditions.len()).unwrap_or(i32::MAX);
    (if equal { 0.25 } else { 1.0 }) * 0.93_f64.powi(others)
}

/// Whether a value is a text constant in the query.
fn is_category(expr: &Expr) -> bool {
    matches!(expr.without_casts(), Expr::Literal(Literal::Text(_)))
}

/// Whether a column alone is a key of its table, so that each value is in one row.
fn is_key(column: &ColumnRef, query: &Query, schema: &Schema) -> bool {
    let table = column.relation.and_then(|id| match &query.relation(id).source {
        Source::Table(name) => schema.stored(name),
        _ => None,
    });
    table.is_some_and(|table| table.is_key(&column.name))
}

/// How many values a column can have, if its type allows only a few.
fn values(column: &ColumnRef, query: &Query, schema: &Schema) -> Option<f64> {
    let relation = query.relation(column.relation?);
    let ty = &relation.columns.as_ref()?.iter().find(|known| known.name == column.name)?.ty;
    if ["boolean", "bool", "tinyint(1)"].iter().any(|boolean| boolean.eq_ignore_ascii_case(ty)) {
        return Some(2.0);
    }
    if schema.types.is_empty() {
        return None;
    }
    match schema.user_type(None, ty) {
        Some(UserType::Enum(labels)) => Some(labels.len().max(1) as f64),
        _ => None,
    }
}

/// The estimated rows of a relation that is not a table.
pub(super) fn rows(source: &Source, query: &Query, schema: &Schema) -> f64 {
    match source {
        Source::Function(name, _) => match name.as_str() {
            "unnest" => ELEMENTS,
            "generate_series" => 1_000.0,
            _ => 100.0,
        },
        Source::Cte(block) | Source::Derived(block) | Source::View(_, block) => {
            block_rows(*block, query, schema, 8)
        }
        _ => ROWS,
    }
}

/// The estimated rows of a block, looking at most `depth` subqueries deep.
fn block_rows(id: BlockId, query: &Query, schema: &Schema, depth: usize) -> f64 {
    let block = query.block(id);
    // For an unknown limit PostgreSQL expects a tenth of the rows.
    let (limit, part) = match &block.limit {
        Some(Expr::Literal(Literal::Number(number))) => (number.parse().unwrap_or(ROWS), 1.0),
        Some(_) if schema.dialect == Dialect::Postgres => (f64::INFINITY, 0.1),
        _ => (f64::INFINITY, 1.0),
    };
    if depth == 0 {
        return ROWS.min(limit);
    }
    let rows = match &block.body {
        Body::Select(select) if select.aggregates && select.group_by.is_empty() => 1.0,
        Body::Select(_) | Body::Write(_) => joined_rows(block, query, schema, depth),
        Body::Set { left, right, .. } if matches!(block.role, Role::Cte { recursive: true, .. }) => {
            // The recursive part is assumed to yield ten times the initial rows.
            let _ = right;
            block_rows(*left, query, schema, depth - 1) * 10.0
        }
        Body::Set { left, right, .. } => {
            block_rows(*left, query, schema, depth - 1) + block_rows(*right, query, schema, depth - 1)
        }
        Body::Values(rows) => rows.len() as f64,
        Body::Unknown => ROWS,
    };
    (rows.min(limit) * part).max(1.0)
}

/// The rows of the largest relation, reduced by the selectivity of the conditions.
fn joined_rows(block: &Block, query: &Query, schema: &Schema, depth: usize) -> f64 {
    let relations = block.from().iter().flat_map(crate::sql::query::From::relations);
    let most = relations
        .map(|id| match &query.relation(id).source {
            Source::Cte(inner) | Source::Derived(inner) | Source::View(_, inner) => {
                block_rows(*inner, query, schema, depth - 1)
            }
            other => rows(other, query, schema),
        })
        .fold(1.0, f64::max);
    let among = |condition: &Expr| {
        let mut relations = condition.columns().into_iter().map(|column| column.relation);
        let first = relations.next();
        relations.all(|other| Some(other) == first)
    };
    let kept: f64 = block
        .conditions()
        .into_iter()
        .filter(|condition| among(condition))
        .map(|condition| kept(condition, query, schema))
        .product();
    most * kept
}
