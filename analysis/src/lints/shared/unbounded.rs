//! Queries that return an unbounded number of rows, and from which tables.

use std::ops::Range;

use super::slices::is_slice;
use crate::cardinality::Rows;
use crate::lints::QueryContext;
use crate::rust::Fetched;
use crate::schema::Name;
use crate::sql::expr::{Expr, Op};
use crate::sql::query::{Block, Body, From, JoinKind, Kind, Query, RelationId, Source};

/// The unbounded part of a query that is fetched in full.
pub(in crate::lints) struct Unbounded {
    pub(in crate::lints) relations: Vec<RelationId>,
    /// Their names, for a message.
    pub(in crate::lints) tables: Vec<String>,
    /// The last table that may be declared as small.
    pub(in crate::lints) declarable: Option<Name>,
    /// The position of the first one in the SQL.
    pub(in crate::lints) span: Range<usize>,
}

/// The unbounded relations; `None` if the query is bounded, or that is unknown.
pub(in crate::lints) fn of(context: &QueryContext<'_>, query: &Query) -> Option<Unbounded> {
    let call = context.site.and_then(|site| site.call.as_ref())?;
    if call.fetched() != Fetched::All
        || query.kind != Kind::Select
        || context.cardinality.rows != Rows::Many
        || is_slice(context, query)
    {
        return None;
    }
    let mut found = Unbounded { relations: Vec::new(), tables: Vec::new(), declarable: None, span: 0..0 };
    let mut span = None;
    for id in &context.cardinality.unbounded {
        let relation = query.relation(*id);
        match &relation.source {
            Source::Table(table) if context.is_small(table) => continue,
            // A function or an unknown table is not known to return many rows.
            Source::Table(table) if context.schema.is_some_and(|schema| schema.stored(table).is_none()) => {
                return None;
            }
            Source::Function(..) | Source::System(_) | Source::Unknown => return None,
            // It returns what the statement has written, as RETURNING does.
            Source::Cte(block) if matches!(query.block(*block).body, Body::Write(_)) => return None,
            Source::Table(table) | Source::View(table, _) => {
                found.declarable = Some(table.clone());
                found.tables.push(format!("`{table}`"));
            }
            Source::Cte(_) | Source::Derived(_) | Source::Pseudo => {
                found.tables.push(match relation.alias.as_str() {
                    "" => "its subquery".to_owned(),
                    alias => format!("`{alias}`"),
                });
            }
        }
        found.relations.push(*id);
        span = span.or(relation.span);
    }
    found.span = span.map_or(0..0, |span| span.range());
    (!found.tables.is_empty()).then_some(found)
}

/// The columns of a relation that its block compares for equality with a value from outside the tables.
pub(in crate::lints) fn equalled(query: &Query, id: RelationId) -> Vec<String> {
    let conditions = query.blocks.iter().flat_map(bounding);
    let columns = conditions.filter_map(|condition| {
        let Expr::Binary { op: Op::Eq, left, right } = condition else { return None };
        let (left, right) = (left.without_casts(), right.without_casts());
        let pair = left.as_column().zip(Some(right)).or_else(|| right.as_column().zip(Some(left)));
        let (column, value) = pair?;
        (column.relation == Some(id) && value.is_constant()).then(|| column.name.clone())
    });
    columns.collect()
}

/// The conditions that all rows of a block meet: what an inner join compares filters its rows as WHERE does.
fn bounding(block: &Block) -> Vec<&Expr> {
    match block.from().iter().all(is_inner) {
        true => block.conditions(),
        false => block.filters().iter().collect(),
    }
}

/// Whether an item of a FROM has no outer join, which keeps rows that its condition does not match.
fn is_inner(item: &From) -> bool {
    match item {
        From::Relation(_) => true,
        From::Join { kind, left, right, .. } => {
            matches!(kind, JoinKind::Inner | JoinKind::Cross | JoinKind::Straight)
                && is_inner(left)
                && is_inner(right)
        }
    }
}
