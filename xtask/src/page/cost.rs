//! How much a query reads as its tables grow, as a single class.

use query_budget_analysis::cardinality::{self, Rows};
use query_budget_analysis::index::{Access, Verdict, unindexed_sorts};
use query_budget_analysis::schema::{Name, Schema};
use query_budget_analysis::sql::Query;
use query_budget_analysis::sql::query::{Block, BlockId, Body, From, Role, SetOp, Source};

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
    let stops = query.root.is_some_and(|root| stops_early(query, schema, query.block(root)));
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
        match rows_read(query, schema, is_small) {
            Rows::One => Cost::OneRow,
            Rows::Bounded => Cost::Bounded,
            Rows::Many => Cost::Growing,
        }
    }
}

/// Whether the LIMIT of a block ends the reading: rows are read in the wanted order, and each is a row of the result.
fn stops_early(query: &Query, schema: &Schema, block: &Block) -> bool {
    // Whether a join preserves the order is unknown, and a union does not.
    let is_in_order = block.order_by.is_empty() || matches!(block.from(), [From::Relation(_)]);
    block.limit.is_some()
        && each_is_a_row(query, block)
        && is_in_order
        && unindexed_sorts(query, schema).is_empty()
}

/// Whether each row that a block reads is a row of its result.
fn each_is_a_row(query: &Query, block: &Block) -> bool {
    match &block.body {
        Body::Select(select) => select.group_by.is_empty() && !select.aggregates && select.distinct.is_none(),
        Body::Set { op: SetOp::Union, all: true, left, right } => {
            [left, right].iter().all(|arm| each_is_a_row(query, query.block(**arm)))
        }
        _ => false,
    }
}

/// How many rows the statement itself reads before grouping: its own, those of the query of an INSERT, and those of subqueries.
fn rows_read(query: &Query, schema: &Schema, is_small: &dyn Fn(&Name) -> bool) -> Rows {
    let is_small = |id| matches!(&query.relation(id).source, Source::Table(name) if is_small(name));
    let read = |(id, block): (BlockId, &Block)| {
        if block.from().is_empty() {
            return Rows::One;
        }
        let all_small = block.from().iter().flat_map(From::relations).all(is_small);
        match all_small || stops_early(query, schema, block) {
            true => Rows::Bounded,
            false => cardinality::read(query, Some(schema), id).rows,
        }
    };
    query.block_ids().filter(|(_, block)| reads_by_itself(query, block)).map(read).max().unwrap_or(Rows::One)
}

/// Whether what a block reads is not among what the block around it reads. EXISTS reads one row.
fn reads_by_itself(query: &Query, block: &Block) -> bool {
    match (&block.role, &block.body) {
        (Role::Arm, _) => block.parent.is_some_and(|outer| reads_by_itself(query, query.block(outer))),
        (Role::Cte { .. }, body) => matches!(body, Body::Write(_)),
        (Role::Derived | Role::View(_) | Role::Exists, _) => false,
        (Role::Statement | Role::Scalar | Role::In | Role::Source, _) => true,
    }
}
