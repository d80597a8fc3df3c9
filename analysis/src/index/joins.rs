//! How each table of a join problem is read: by an index, searched by its own conditions or by columns of
//! tables read before it, or else row by row.

use super::item::{Item, item};
use super::order::{self, Joined};
use super::problem::JoinGraph;
use super::relations::Relations;
use super::searches::Served;
use super::wanted::Wanted;
use super::{Access, Verdict, catalog, estimate};
use crate::schema::{Name, Schema};
use crate::sql::expr::{ColumnRef, Expr, Op};
use crate::sql::query::{Body, Query, RelationId, Source};

/// Determines how each table of a join problem is read.
pub(super) fn solve(query: &Query, schema: &Schema, problem: &JoinGraph) -> Vec<Access> {
    let mut others: Vec<(RelationId, f64)> = Vec::new();
    let mut items: Vec<Item<'_>> = Vec::new();
    for id in &problem.relations {
        let source = &query.relation(*id).source;
        let table = match source {
            Source::Table(name) => schema.stored(name),
            Source::System(name) => catalog::table(name),
            _ => None,
        };
        match table {
            Some(table) if table.module.is_none() => items.push(item(*id, query, schema, table, problem)),
            _ => others.push((*id, estimate::rows(source, query, schema))),
        }
    }
    filter_by_single_rows(&mut items, problem, query);
    let joined = Joined::new(&items, others, problem);
    let plans: Vec<Vec<Option<Served>>> =
        order::planners(schema.dialect).iter().map(|planner| joined.plan(*planner)).collect();
    let read = |at: usize| {
        let mut reads = plans.iter().filter_map(|plan| plan.get(at).copied().flatten());
        let first = reads.clone().next();
        reads.find(Served::leads).or(first)
    };
    let tables = items.iter().enumerate().map(|(at, item)| {
        let mut read = read(at).or_else(|| item.extreme(problem));
        if read.is_some_and(|read| !read.leads()) {
            // With the rows of the others it may be searched by an index: statistics decide which side is
            // scanned in full.
            read = item.search(joined.without(item)).or(read);
        }
        if !read.is_some_and(|read| read.leads()) {
            read = found_by_key(item, &joined, schema, problem).or(read);
        }
        let mut access = item.access(query, read);
        if access.verdict == Verdict::Unserved {
            item.stop_at_limit(&mut access, read, schema, problem);
        }
        item.read_with_heirs(&mut access, query, schema, problem, joined.without(item));
        let asks_each_row = problem.asks_each_row == Some(item.relation);
        if asks_each_row && access.verdict == Verdict::Served && item.alone().is_none() {
            access.verdict = Verdict::Unknown;
            access.why =
                "only newer servers use an index for the result of a subquery in UPDATE or DELETE".to_owned();
        }
        // Nobody adds an index to a catalog table.
        let is_system = matches!(query.relation(item.relation).source, Source::System(_));
        if access.verdict == Verdict::Unserved && !is_system {
            let reached = joined.without(item);
            match item.hidden_by_hint(&access, query, schema, problem, reached) {
                None => access.wanted = item.wanted_with_heirs(query, schema, problem, reached),
                hidden => access.hindrance = hidden,
            }
        }
        access
    });
    let sequences = problem.relations.iter().filter_map(|id| match &query.relation(*id).source {
        Source::System(name) if schema.has_sequence(name.schema.as_deref(), &name.name) => {
            Some(one_row(query, *id, name))
        }
        _ => None,
    });
    tables.chain(sequences).collect()
}

/// How the rows of a table are looked up by a unique key for each row of tables that are read in full anyway: they have no filter,
/// and no index leads to them. An index that leads to all rows of a kind finds no fewer.
fn found_by_key(
    item: &Item<'_>,
    joined: &Joined<'_, '_>,
    schema: &Schema,
    problem: &JoinGraph,
) -> Option<Served> {
    let others = joined.items.iter().filter(|other| other.relation != item.relation);
    let is_read_in_full = |other: &&Item<'_>| {
        let rest: Relations = problem.relations.iter().filter(|id| **id != other.relation).collect();
        !other.is_filtered
            && joined.may_be_first(other.relation)
            && !other.search(rest).is_some_and(|read| read.leads())
    };
    let reached: Relations = others.filter(is_read_in_full).map(|other| other.relation).collect();
    if reached.is_empty() {
        return None;
    }
    let served = item.search(reached).filter(|served| item.is_by_unique_key(served))?;
    let wanted = item.wanted(schema, joined.without(item), problem);
    (!wanted.is_empty() && wanted.iter().all(Wanted::is_of_kind)).then_some(served)
}

/// Marks tables that are compared with the values of relations of a single row: each of their rows is tested against
/// these values, as against values of the query.
fn filter_by_single_rows(items: &mut [Item<'_>], problem: &JoinGraph, query: &Query) {
    let is_lone_query = |id: &&RelationId| match &query.relation(**id).source {
        Source::Derived(block) | Source::Cte(block) => match &query.block(*block).body {
            Body::Select(select) => select.from.is_empty() && !select.set_returning,
            Body::Values(rows) => rows.len() == 1,
            _ => false,
        },
        _ => false,
    };
    let queries = problem.relations.iter().filter(is_lone_query).copied();
    let tables = items.iter().filter(|item| item.is_one_row()).map(|item| item.relation);
    let single: Relations = queries.chain(tables).collect();
    for item in items.iter_mut().filter(|item| !single.contains(item.relation)) {
        // Tables that the query reads after this one provide no values for it.
        let later = problem.straight.iter().filter(|(_, before)| before.contains(&item.relation));
        let later: Vec<&RelationId> = later.flat_map(|(inner, _)| inner).collect();
        let relation = item.relation;
        let is_given = |column: &ColumnRef| {
            let is_single = |id: RelationId| single.contains(id) && !later.contains(&&id);
            column.relation.is_some_and(|id| id == relation || is_single(id))
        };
        let is_asked = |demand: &&Expr| {
            let is_comparison =
                matches!(demand, Expr::Binary { op, .. } if op.is_comparison() && *op != Op::NotEq);
            is_comparison && demand.columns().into_iter().all(is_given)
        };
        item.is_filtered |= item.demands.iter().any(is_asked);
    }
}

/// The access to a sequence, which always has a single row.
fn one_row(query: &Query, id: RelationId, name: &Name) -> Access {
    let relation = query.relation(id);
    Access {
        relation: id,
        table: name.clone(),
        alias: relation.alias.clone(),
        verdict: Verdict::Full,
        index: None,
        columns: Vec::new(),
        why: format!("`{name}` holds one row"),
        kept: 1.0,
        is_searchable: false,
        hindrance: None,
        wanted: Vec::new(),
        span: relation.span,
    }
}
