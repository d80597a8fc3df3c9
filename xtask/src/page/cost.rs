//! How much a query reads as its tables grow, as a single class.

use query_budget_analysis::cardinality::{self, Rows};
use query_budget_analysis::index::{Access, Verdict, unindexed_sorts};
use query_budget_analysis::schema::{Name, Schema};
use query_budget_analysis::sql::Query;
use query_budget_analysis::sql::query::{Body, From, Source};

use super::model::Cost;

/// The cost class of a query, based on how its tables are read. `is_small` says which tables do not grow.
pub(crate) fn of(
    query: &Query,
    accesses: &[Access],
    schema: Option<&Schema>,
    is_small: &dyn Fn(&Name) -> bool,
) -> Cost {
    let Some(schema) = schema else {
        let names_table = query.relations.iter().any(|it| matches!(it.source, Source::Table(_)));
        return if names_table { Cost::Unknown } else { Cost::NoTable };
    };
    let growing: Vec<&Access> = accesses.iter().filter(|it| !is_small(&it.table)).collect();
    let is_read = |verdict| growing.iter().any(|access| access.verdict == verdict);
    let stops = stops_early(query, schema);
    if is_read(Verdict::Unserved) {
        Cost::Scan
    } else if is_read(Verdict::Unknown) || query.unchecked.is_some() {
        Cost::Unknown
    } else if accesses.is_empty() {
        Cost::NoTable
    } else if is_read(Verdict::Full) && !stops {
        Cost::WholeTable
    } else if growing.is_empty() || stops {
        Cost::Bounded
    } else {
        match rows_read(query, schema) {
            Rows::One => Cost::OneRow,
            Rows::Bounded => Cost::Bounded,
            Rows::Many => Cost::Growing,
        }
    }
}

/// Whether a LIMIT ends the reading: rows are read in the wanted order, and each is a row of the result.
fn stops_early(query: &Query, schema: &Schema) -> bool {
    let Some(root) = query.root.map(|root| query.block(root)) else { return false };
    let Body::Select(select) = &root.body else { return false };
    let each_is_a_row = select.group_by.is_empty() && !select.aggregates && select.distinct.is_none();
    // Whether a join preserves the order is unknown.
    let is_in_order = root.order_by.is_empty() || matches!(select.from.as_slice(), [From::Relation(_)]);
    root.limit.is_some() && each_is_a_row && is_in_order && unindexed_sorts(query, schema).is_empty()
}

/// How many rows the statement itself reads before grouping.
fn rows_read(query: &Query, schema: &Schema) -> Rows {
    match query.root.map(|root| (root, &query.block(root).body)) {
        Some((root, Body::Select(_) | Body::Write(_))) => cardinality::read(query, Some(schema), root).rows,
        _ => cardinality::of(query, Some(schema)).rows,
    }
}
