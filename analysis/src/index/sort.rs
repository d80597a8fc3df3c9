//! The order of the first rows, and the index that provides it.

use super::condition::{self, Compare, Condition};
use super::few_values::has_few_values;
use super::plain_order;
use super::printed::Printer;
use super::relations::Relations;
use super::serve::{self, Indexes};
use super::wanted::{Key, Reading, Wanted};
use crate::schema::prepared::{self, PreparedIndex};
use crate::schema::{Index, IndexKey, Name, Schema, Table};
use crate::sql::expr::{Expr, Literal, Op};
use crate::sql::predicates;
use crate::sql::query::{Block, Body, From, OrderKey, Query, RelationId, Source};
use crate::sql::{Dialect, Span};

/// First rows in an order that no index provides.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    /// The relation in the query.
    pub relation: RelationId,
    /// The table behind the relation.
    pub table: Name,
    /// What the rows are ordered by, as SQL.
    pub keys: Vec<String>,
    /// The index that would provide the order after the query's filter; `None` if none can be suggested.
    pub wanted: Option<Wanted>,
    /// The position of the ORDER BY key.
    pub span: Option<Span>,
    /// Whether the filter keeps nearly all rows, so that no index but the order's helps: `state <> 'a'`.
    pub keeps_most: bool,
}

/// The index keys after `equal` that provide an order; `None` if there are none, or none are needed.
pub(super) fn keys(printer: &Printer<'_>, order: &[OrderKey], equal: &[Key]) -> Option<Vec<String>> {
    let mut keys: Vec<(String, &OrderKey)> = Vec::new();
    // A key that certainly stays in the index, so that its rows are in the order of what identifies them.
    let is_searched = equal.iter().any(|key| !key.few_values && !key.several && key.constant.is_none());
    for (at, key) in order.iter().enumerate() {
        // No two rows are equal up to what identifies them, and every index ends with that.
        let begun = keys.first().is_some_and(|(_, first)| first.desc == key.desc);
        let is_end = || plain_order::ends_index(printer, order.get(at..).unwrap_or_default(), equal);
        if begun && is_hidden_rowid(printer, &key.expr)
            || (begun || keys.is_empty() && is_searched) && is_end()
        {
            break;
        }
        let sql = printer.key(&key.expr).filter(|_| !predicates::is_volatile(&key.expr))?;
        let is_fixed = equal.iter().any(|equal| equal.sql == sql && !equal.several);
        if !is_fixed && keys.iter().all(|(known, _)| *known != sql) {
            keys.push((sql, key));
        }
    }
    if keys.is_empty() {
        return None;
    }
    // An index can be read from either end, so only keys whose direction differs from the first need one.
    let postgres = printer.schema.dialect == Dialect::Postgres;
    let backwards = keys.first().is_some_and(|(_, key)| key.desc);
    let text = |(sql, key): (String, &OrderKey)| {
        let desc = key.desc != backwards;
        let nulls_first = key.nulls_first.unwrap_or(key.desc == postgres) != backwards;
        let nulls = match (postgres, nulls_first, desc) {
            (true, true, false) => " NULLS FIRST",
            (true, false, true) => " NULLS LAST",
            _ => "",
        };
        format!("{sql}{}{nulls}", if desc { " DESC" } else { "" })
    };
    Some(keys.into_iter().map(text).collect())
}

/// SQLite: whether a sort key is a rowid without a column of its own, which no index can name.
fn is_hidden_rowid(printer: &Printer<'_>, key: &Expr) -> bool {
    let column = key.as_column().filter(|_| printer.schema.dialect == Dialect::Sqlite);
    column.is_some_and(|column| {
        printer.table.column(&column.name).is_none()
            && plain_order::rowid(printer.table) == Some(&column.name)
    })
}

/// Whether a sort key is on the same expression as a range.
pub(super) fn is_by(key: &str, range: &str) -> bool {
    key.strip_prefix(range).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// The order of a block's first rows, if it returns input rows as they are, without grouping or DISTINCT.
pub(super) fn order_of_first(block: &Block) -> &[OrderKey] {
    let Body::Select(select) = &block.body else { return &[] };
    let plain = select.group_by.is_empty()
        && !select.aggregates
        && select.distinct.is_none()
        && !select.projection.iter().any(|e| e.any(|e| matches!(e, Expr::Call(call) if call.window)));
    if block.limit.is_some() && plain { &block.order_by } else { &[] }
}

/// The orders of a query's first rows that no index provides, in blocks that read one table.
///
/// An index provides the order if its keys are some of the columns that the filter fixes, in any order,
/// followed by those of the order. An index that provides the order without the filter also counts: rows are
/// filtered as they are read. If the filter is a range, or compares with several values, the better plan
/// depends on the data, and nothing is reported.
pub fn unindexed(query: &Query, schema: &Schema) -> Vec<Sort> {
    query.written_blocks().filter_map(|(_, block)| sort_of(query, schema, block)).collect()
}

fn sort_of(query: &Query, schema: &Schema, block: &Block) -> Option<Sort> {
    let order = plain_order::of_first(query, schema, block);
    let order = order.as_slice();
    let ([From::Relation(relation)], Some(first)) = (block.from(), order.first()) else { return None };
    let Source::Table(name) = &query.relation(*relation).source else { return None };
    let table = schema
        .stored(name)
        .filter(|table| table.module.is_none() && table.indexes.len() <= super::MOST_INDEXES)?;
    let demands: Vec<&Expr> = block.filters().iter().collect();
    // Anything but a plain comparison may discard most rows by other means than this table's indexes.
    let has_subquery = |demand: &&Expr| demand.any(|part| part.own_subquery().is_some());
    if demands.iter().any(has_subquery) {
        return None;
    }
    let conditions: Vec<Condition> = demands
        .iter()
        .flat_map(|demand| condition::of(query, schema, demand, *relation, Relations::from_iter([*relation])))
        .filter(|condition| !matches!(condition.operand, Expr::Binary { .. } | Expr::Or(_)))
        .filter(Condition::narrows_rows)
        .collect();
    if conditions.iter().any(|condition| !leaves_order_open(&condition.compare)) {
        return None;
    }
    let reading = Reading {
        schema,
        table,
        relation: *relation,
        conditions: conditions.iter().collect(),
        alternatives: Vec::new(),
        demands: &demands,
        order,
    };
    let printer = Printer { schema, table, relation: *relation };
    let by_distance = distance(&first.expr, *relation);
    let wanted = match by_distance {
        Some((own, op)) => wanted_by_distance(&reading, own, op),
        None => reading.wanted().into_iter().find(|wanted| wanted.ordered),
    };
    let is_torn = conditions.iter().any(|condition| !condition.one_value && condition.compare.is_equality());
    if wanted.is_none() && by_distance.is_none() && (is_torn || !is_computed(&printer, order)) {
        return None;
    }
    let rowid = plain_order::rowid(table);
    let by_rowid = schema.dialect == Dialect::Sqlite
        && first.expr.as_column().is_some_and(|column| Some(column.name.as_str()) == rowid);
    if by_rowid || is_one_row(schema, &reading) || given(schema, &reading) {
        return None;
    }
    let written = |key: &OrderKey| printer.key(&key.expr).unwrap_or_else(|| key.expr.to_string());
    let keys = order.iter().map(written).collect();
    let span = order.iter().filter_map(|key| key.expr.span()).next();
    let keeps_most = !demands.is_empty() && demands.iter().all(|demand| keeps_most(schema, table, demand));
    Some(Sort { relation: *relation, table: name.clone(), keys, wanted, span, keeps_most })
}

/// Whether a condition leaves out single values, so that planners expect nearly all rows to meet it. A column with few
/// values may have the same one in most rows: `is_done <> true`.
fn keeps_most(schema: &Schema, table: &Table, demand: &Expr) -> bool {
    let has_many = |expr: &Expr| {
        let column = expr.without_casts().as_column();
        column.is_some_and(|column| !has_few_values(schema, table, &column.name))
    };
    let is_value = |expr: &Expr| {
        let is_null = matches!(expr.without_casts(), Expr::Literal(Literal::Null));
        !is_null && expr.columns().is_empty()
    };
    match demand {
        Expr::Binary { op: Op::NotEq, left, right } => {
            has_many(left) && is_value(right) || has_many(right) && is_value(left)
        }
        Expr::InList { expr, list, negated: true } => has_many(expr) && list.iter().all(is_value),
        _ => false,
    }
}

/// Whether rows are ordered by an expression over the table that no index can be suggested for.
fn is_computed(printer: &Printer<'_>, order: &[OrderKey]) -> bool {
    let is_open = |expr: &Expr| {
        expr.any(|part| {
            matches!(part, Expr::WholeRow(_))
                || part.own_subquery().is_some()
                || part.as_column().is_some_and(|column| column.relation != Some(printer.relation))
        })
    };
    let keys = || order.iter().map(|key| &key.expr);
    !keys().any(|key| is_open(key) || predicates::is_volatile(key))
        && keys().any(|key| !key.columns().is_empty() && printer.key(key).is_none())
}

/// The expression of a relation and the operator, for an order by the distance from a value.
fn distance(by: &Expr, relation: RelationId) -> Option<(&Expr, &str)> {
    let Expr::Binary { op, left, right } = by else { return None };
    let op = match op {
        Op::Other(op) if op.starts_with('<') && op.ends_with('>') => op.as_str(),
        _ => return None,
    };
    let is_apart = |side: &Expr| side.columns().iter().all(|column| column.relation != Some(relation));
    match (is_apart(left), is_apart(right)) {
        (false, true) => Some((left, op)),
        (true, false) => Some((right, op)),
        _ => None,
    }
}

/// Whether the nearest rows come first, and those without a distance last: no index is read from its far end.
fn is_nearest_first(key: &OrderKey) -> bool {
    !key.desc && key.nulls_first != Some(true)
}

/// The index that provides the order of the distance, for types and operators whose index is known.
fn wanted_by_distance(reading: &Reading<'_>, own: &Expr, op: &str) -> Option<Wanted> {
    let printer = Printer { schema: reading.schema, table: reading.table, relation: reading.relation };
    let ty = printer.type_of(own);
    let method = match (ty.split('(').next().unwrap_or(ty).trim(), op) {
        ("point" | "box" | "circle" | "polygon", "<->") => ("gist", ""),
        ("text" | "character varying", "<->") => ("gist", "gist_trgm_ops"),
        ("vector", "<->") => ("hnsw", "vector_l2_ops"),
        ("vector", "<=>") => ("hnsw", "vector_cosine_ops"),
        ("vector", "<#>") => ("hnsw", "vector_ip_ops"),
        ("geometry" | "geography", "<->") => ("gist", ""),
        _ => return None,
    };
    let is_alone = matches!(reading.order, [only] if is_nearest_first(only)) && reading.conditions.is_empty();
    let key = printer.key(own).filter(|_| is_alone)?;
    Some(Wanted {
        table: reading.table.name.clone(),
        equal: Vec::new(),
        rest: vec![key],
        ordered: true,
        constants: Vec::new(),
        method: Some(method),
    })
}

/// Whether the filter fixes a unique key, so that there is nothing to sort.
fn is_one_row(schema: &Schema, reading: &Reading<'_>) -> bool {
    let relation = reading.relation;
    let is_fixed = |own: &Expr| {
        reading.demands.iter().any(|demand| {
            matches!(demand, Expr::Binary { op: Op::Eq, left, right }
                if predicates::same(own, left, relation) || predicates::same(own, right, relation))
        })
    };
    let rowid = reading.table.rowid_alias().map(|column| prepared::own_column(&column.name));
    rowid.is_some_and(|rowid| is_fixed(&rowid))
        || prepared::indexes(schema, reading.table).iter().any(|prepared| {
            prepared.index.unique
                && prepared.allowed(schema.dialect, relation, reading.demands)
                && prepared.keys.iter().all(|key| key.as_ref().is_some_and(is_fixed))
        })
}

/// Whether a condition does not rule out an index for the order.
fn leaves_order_open(compare: &Compare) -> bool {
    matches!(compare, Compare::Equal | Compare::Null | Compare::NotNull)
}

/// An index that provides an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Given {
    /// Its position among the indexes of the table.
    pub(super) at: usize,
    /// Whether it is the order of the distance from a value, which no other index provides.
    pub(super) by_distance: bool,
}

/// Whether some index provides the order: after columns that the filter fixes, or from its first key.
pub(super) fn given(schema: &Schema, reading: &Reading<'_>) -> bool {
    given_by(schema, reading).is_some()
}

/// The index that provides the order. A partial index is preferred, since it contains fewer rows.
pub(super) fn given_by(schema: &Schema, reading: &Reading<'_>) -> Option<Given> {
    let indexes = prepared::indexes(schema, reading.table);
    let mut found = None;
    for (at, prepared) in indexes.iter().enumerate() {
        if !prepared.allowed(schema.dialect, reading.relation, reading.demands) {
            continue;
        }
        let by_distance = gives_distance(prepared, reading);
        if by_distance || gives(schema, prepared, reading) {
            found = found.or(Some(Given { at, by_distance }));
            if prepared.index.predicate.is_some() {
                return Some(Given { at, by_distance });
            }
        }
    }
    found
}

/// Whether an index provides the order of the distance from a value: `ORDER BY place <-> $1`. Any key of a GiST index
/// does.
fn gives_distance(prepared: &PreparedIndex, reading: &Reading<'_>) -> bool {
    let Some(first) = reading.order.first().filter(|first| is_nearest_first(first)) else { return false };
    let Some((by, op)) = distance(&first.expr, reading.relation) else { return false };
    let mut keys = prepared.index.keys.iter().zip(&prepared.keys);
    let first_key = if prepared.index.method == "gist" { prepared.index.keys.len() } else { 1 };
    keys.by_ref().take(first_key).any(|(key, own)| {
        let opclass = key.opclass.as_deref().unwrap_or_default();
        let is_known = match prepared.index.method.as_str() {
            "gist" | "spgist" => true,
            "hnsw" | "ivfflat" => match op {
                "<->" => opclass.is_empty() || opclass.ends_with("l2_ops"),
                "<#>" => opclass.ends_with("ip_ops"),
                "<=>" => opclass.ends_with("cosine_ops"),
                "<+>" => opclass.ends_with("l1_ops"),
                "<~>" => opclass.ends_with("hamming_ops"),
                "<%>" => opclass.ends_with("jaccard_ops"),
                _ => false,
            },
            _ => false,
        };
        is_known && own.as_ref().is_some_and(|own| predicates::same(own, by, reading.relation))
    })
}

fn gives(schema: &Schema, prepared: &PreparedIndex, reading: &Reading<'_>) -> bool {
    let relation = reading.relation;
    let is_stored = |own: &Expr, other: &Expr| predicates::is_stored(own, other, relation, schema.dialect);
    let fixed = |own: &Expr| {
        reading.demands.iter().any(|demand| match demand {
            Expr::Binary { op: Op::Eq, left, right } => is_stored(own, left) || is_stored(own, right),
            Expr::Is { expr, negated: false, .. } => is_stored(own, expr),
            Expr::Not(inner) => is_stored(own, inner),
            other => is_stored(own, other),
        })
    };
    let postgres = schema.dialect == Dialect::Postgres;
    if prepared.index.method != "btree" {
        return false;
    }
    // Since version 13, PostgreSQL can read rows presorted by the first keys from an index, and sort only
    // groups of equal ones.
    let mut is_begun = false;
    let mut order = reading.order.iter().peekable();
    let mut backwards = None;
    for (own, key) in prepared.keys.iter().zip(&prepared.index.keys) {
        let Some(own) = own else { return is_begun };
        while order.next_if(|next| next.expr.columns().is_empty() || is_fixed(next, &fixed)).is_some() {}
        let Some(next) = order.peek() else { return true };
        if is_key(schema, reading, own, key, &next.expr) && key.prefix.is_none() {
            let turned = next.desc != key.desc;
            let nulls = next.nulls_first.unwrap_or(next.desc == postgres) != key.nulls_first;
            if *backwards.get_or_insert(turned) != turned || (postgres && nulls != turned) {
                return is_begun;
            }
            let few = own.as_column().is_some_and(|own| has_few_values(schema, reading.table, &own.name));
            is_begun = postgres && (is_begun || !few);
            order.next();
        } else if !fixed(own) {
            // The order ends with SQLite's rowid or a primary key: no two rows are equal up to here.
            return is_begun || order.peek().is_none();
        }
    }
    for column in row_key(schema, reading.table, &prepared.index) {
        while order.next_if(|next| is_fixed(next, &fixed)).is_some() {}
        let own = prepared::own_column(column);
        let continues = |next: &&OrderKey| {
            predicates::same(&own, &next.expr, relation) && next.desc == backwards.unwrap_or(next.desc)
        };
        match order.next_if(continues) {
            Some(next) => backwards = Some(next.desc),
            None if fixed(&own) => {}
            None => break,
        }
    }
    while order.next_if(|next| is_fixed(next, &fixed)).is_some() {}
    is_begun
        || order.peek().is_none()
        || (prepared.index.unique && backwards.is_some() && ends(reading, prepared))
}

/// The columns after the keys of an index that identify its rows, ascending: InnoDB and tables without a rowid store
/// the primary key there, SQLite the rowid.
fn row_key<'t>(schema: &Schema, table: &'t Table, index: &'t Index) -> impl Iterator<Item = &'t str> {
    let rowid = (schema.dialect == Dialect::Sqlite).then(|| plain_order::rowid(table)).flatten();
    let columns = match schema.dialect {
        _ if rowid.is_some() => &[],
        _ if index.primary => &[],
        Dialect::Postgres => &[],
        Dialect::Sqlite | Dialect::MySql => table.primary_key.as_slice(),
    };
    let is_key =
        |column: &str| index.keys.iter().any(|key| key.prefix.is_none() && key.as_column() == Some(column));
    rowid.into_iter().chain(columns.iter().map(String::as_str)).filter(move |column| !is_key(column))
}

/// Whether a key of an index is the sort key, in the same collation.
fn is_key(schema: &Schema, reading: &Reading<'_>, own: &Expr, key: &IndexKey, by: &Expr) -> bool {
    let (by, said) = match by {
        Expr::Collate { expr, collation } => (expr.as_ref(), Some(collation.as_str())),
        by => (by, None),
    };
    let own = match own {
        Expr::Collate { expr, .. } => expr,
        own => own,
    };
    let indexes = Indexes::new(schema, reading.table);
    // No query asks for the order of the bytes.
    let is_bytewise = key.opclass.as_deref().is_some_and(|opclass| opclass.contains("pattern"));
    !is_bytewise
        && predicates::is_stored(own, by, reading.relation, schema.dialect)
        && (schema.dialect == Dialect::MySql && said.is_none()
            || schema.dialect != Dialect::MySql
                && serve::key_collation(&indexes, key) == serve::said_collation(&indexes, key, said))
}

/// Whether no two rows are equal in all keys of an index, so that further sort keys do not matter.
fn ends(reading: &Reading<'_>, prepared: &PreparedIndex) -> bool {
    prepared.index.predicate.is_none()
        && prepared.index.keys.iter().all(|key| {
            let column = key.as_column().and_then(|name| reading.table.column(name));
            column.is_some_and(|column| column.not_null || reading.table.primary_key.contains(&column.name))
        })
}

fn is_fixed(key: &OrderKey, fixed: &dyn Fn(&Expr) -> bool) -> bool {
    match &key.expr {
        Expr::Column(column) => {
            let own = Expr::Column(crate::sql::expr::ColumnRef { relation: None, ..column.clone() });
            fixed(&own)
        }
        other => other.is_constant(),
    }
}
