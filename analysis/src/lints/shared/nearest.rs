//! The rows nearest to a value, found by the distance of every row: `ORDER BY abs(at - $1) LIMIT 1`. In an index they are next to
//! the value, on its two sides.

use super::clause::Text;
use super::wording;
use crate::index::{self, NewIndex};
use crate::lints::QueryContext;
use crate::sql::Dialect;
use crate::sql::expr::{ColumnRef, Expr, Op};
use crate::sql::predicates;
use crate::sql::query::{From, Query, RelationId};
use crate::sql::quote::quote_if_needed;

/// How the nearest rows are read by an index.
pub(in crate::lints) struct Nearest {
    /// The statement to write instead, equal but for rows at the same distance; `None` where that is not certain.
    pub(in crate::lints) rewrite: Option<String>,
    /// The two searches, in words.
    pub(in crate::lints) sides: String,
    /// The indexes that they need and that do not exist.
    pub(in crate::lints) indexes: Vec<NewIndex>,
}

/// The nearest rows of a relation, if the query asks for them alone.
pub(in crate::lints) fn of(
    context: &QueryContext<'_>,
    query: &Query,
    relation: RelationId,
) -> Option<Nearest> {
    let root = query.block(query.root?);
    let [From::Relation(only)] = root.from() else { return None };
    let [key] = root.order_by.as_slice() else { return None };
    if *only != relation || key.desc || key.nulls_first == Some(true) || root.limit.is_none() {
        return None;
    }
    let (column, value) = distance(&key.expr).filter(|(column, value)| {
        column.relation == Some(relation) && value.is_constant() && !predicates::is_volatile(value)
    })?;
    let name = quote_if_needed(&column.name, context.dialect);
    let compared = wording::operand(value, context.dialect);
    let parts = Parts::of(context, query, relation)?;
    let limit = parts.limit;
    let sides = format!(
        "`{name} >= {compared} ORDER BY {name} LIMIT {limit}` and `{name} < {compared} ORDER BY {name} DESC LIMIT {limit}`"
    );
    let table = context.table(query, relation)?;
    let is_never_null = table.primary_key.contains(&column.name)
        || table.column(&column.name).is_some_and(|column| column.not_null);
    // A parameter without a number would be bound once for each time that it is written.
    let is_numbered = context.dialect == Dialect::Postgres || query.parameters == 0;
    let rewrite = parts.rewritten(&name, &compared);
    let missing = missing(context, &rewrite);
    let is_equal = is_never_null && is_numbered && missing.is_some();
    Some(Nearest { rewrite: Some(rewrite).filter(|_| is_equal), sides, indexes: missing.unwrap_or_default() })
}

/// The column and the value of a distance: `abs(at - $1)`, `abs(extract(epoch from $1 - at))`.
fn distance(key: &Expr) -> Option<(&ColumnRef, &Expr)> {
    let Expr::Call(call) = key.without_casts() else { return None };
    let [inner] = call.args.as_slice() else { return None };
    let inner = match inner.without_casts() {
        Expr::Other { what, parts } if what == "extract epoch" => parts.first()?.without_casts(),
        other => other,
    };
    let Expr::Binary { op: Op::Arithmetic(op), left, right } = inner else { return None };
    if call.name != "abs" || *op != '-' {
        return None;
    }
    match (left.as_column(), right.as_column()) {
        (Some(column), None) => Some((column, right)),
        (None, Some(column)) => Some((column, left)),
        _ => None,
    }
}

/// The parts of the text of a plain SELECT from one table.
struct Parts<'t> {
    head: &'t str,
    table: &'t str,
    alias: String,
    filter: Option<String>,
    order: &'t str,
    limit: &'t str,
}

impl<'t> Parts<'t> {
    fn of(context: &QueryContext<'t>, query: &Query, relation: RelationId) -> Option<Parts<'t>> {
        let text = Text::new(context.sql, context.dialect);
        let mut depth = 0_usize;
        let mut clauses: Vec<(usize, &str)> = Vec::new();
        let mut has_or = false;
        for at in 0..text.tokens.len() {
            match text.at(at) {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ if depth > 0 => {}
                word => {
                    has_or |= word.eq_ignore_ascii_case("or");
                    let clause = CLAUSES.iter().find(|clause| clause.eq_ignore_ascii_case(word));
                    clauses.extend(clause.map(|clause| (at, *clause)));
                }
            }
        }
        let end = (0..text.tokens.len()).rev().find(|at| !text.is(*at, ";"))?;
        let between = |first: usize, last: usize| Some(text.slice(text.span(first, last)?));
        let (from, filter, order, limit) = match clauses.as_slice() {
            [(0, "select"), (from, "from"), (order, "order"), (limit, "limit")] => {
                (*from, None, *order, *limit)
            }
            [(0, "select"), (from, "from"), (filter, "where"), (order, "order"), (limit, "limit")] => {
                (*from, Some(*filter), *order, *limit)
            }
            _ => return None,
        };
        let filter_text = match filter {
            Some(filter) => Some(between(filter + 1, order.checked_sub(1)?)?),
            None => None,
        };
        Some(Parts {
            head: between(0, from.checked_sub(1)?)?,
            table: between(from + 1, filter.unwrap_or(order).checked_sub(1)?)?,
            alias: quote_if_needed(&query.relation(relation).alias, context.dialect),
            filter: filter_text.map(|text| if has_or { format!("({text})") } else { text.to_owned() }),
            order: between(order, end)?,
            limit: between(limit + 1, end)?,
        })
    }

    /// The statement that looks for the nearest rows on each side.
    fn rewritten(&self, column: &str, value: &str) -> String {
        let Parts { head, table, alias, filter, order, limit } = self;
        let filter = filter.as_ref().map_or_else(String::new, |filter| format!("{filter} AND "));
        let side = |op: &str, direction: &str, alias: &str| {
            format!(
                "SELECT * FROM (SELECT * FROM {table} WHERE {filter}{column} {op} {value} ORDER BY {column}{direction} LIMIT {limit}) AS {alias}"
            )
        };
        let (after, before) = (side(">=", "", "after_it"), side("<", " DESC", "before_it"));
        format!("{head} FROM ({after} UNION ALL {before}) AS {alias} {order}")
    }
}

/// The words that begin the clauses of a SELECT, and those that only other statements have.
const CLAUSES: &[&str] = &[
    "select",
    "from",
    "where",
    "group",
    "having",
    "window",
    "union",
    "except",
    "intersect",
    "order",
    "limit",
    "offset",
    "fetch",
    "for",
    "distinct",
    "join",
    "with",
    "into",
];

/// The indexes that a rewritten statement lacks; `None` if it does not resolve.
fn missing(context: &QueryContext<'_>, sql: &str) -> Option<Vec<NewIndex>> {
    let schema = context.schema?;
    let query = crate::sql::resolve(sql, context.dialect, context.schema).ok()?;
    if !query.problems.is_empty() {
        return None;
    }
    let sorts = index::unindexed_sorts(&query, schema);
    let of_sort = sorts.iter().find_map(|sort| sort.wanted.as_ref()?.index(schema));
    let accesses = index::accesses(&query, schema);
    let of_filter = accesses.iter().flat_map(|access| &access.wanted).find_map(|wanted| wanted.index(schema));
    Some(of_filter.or(of_sort).into_iter().collect())
}
