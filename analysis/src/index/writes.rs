//! Which statements write to a table, and which of them have to maintain a given index.

use super::new_index::NewIndex;
use crate::schema::Name;
use crate::sql::expr::{Expr, Op};
use crate::sql::query::{Action, Body, From, Query, RelationId, Source, Write};

/// Whether a query makes the database update the index: it inserts or deletes rows, or changes indexed
/// columns.
pub(super) fn touches(query: &Query, index: &NewIndex) -> bool {
    let is_in_index = |column: &str| {
        let parts = index.columns.iter().chain(&index.predicate);
        parts.into_iter().any(|part| mentions(part, column))
    };
    writes(query, &index.table).any(|write| {
        write.inserts() || write.deletes() || write.assignments.iter().any(|(column, _)| is_in_index(column))
    })
}

/// The tables that a query reads: all except the target of a write that returns no rows and looks for none by their
/// values. What deletes old rows runs now and then.
pub(super) fn read_tables(query: &Query) -> impl Iterator<Item = &Name> {
    query.relation_ids().filter_map(|(id, relation)| {
        let Source::Table(name) = &relation.source else { return None };
        let only_written = writes(query, name)
            .any(|write| write.target == id && write.returning.is_none() && !looks_for_values(write));
        (!only_written).then_some(name)
    })
}

/// Whether a write has a condition other than a range.
fn looks_for_values(write: &Write) -> bool {
    let is_range = |condition: &Expr| match condition {
        Expr::Binary { op, .. } => op.is_range(),
        Expr::Between { .. } => true,
        _ => false,
    };
    write.filter.as_ref().is_some_and(|filter| !filter.conjuncts().iter().all(is_range))
}

/// The tables that a query writes to.
pub(crate) fn written_tables(query: &Query) -> impl Iterator<Item = &Name> {
    query.blocks.iter().filter_map(|block| {
        let Body::Write(write) = &block.body else { return None };
        written(query, write.target, MOST_NESTED_VIEWS)
    })
}

/// The maximum nesting of views that are written through.
const MOST_NESTED_VIEWS: usize = 8;

/// The table behind a relation that is written to: itself, or that of an updatable view.
fn written(query: &Query, relation: RelationId, depth: usize) -> Option<&Name> {
    let depth = depth.checked_sub(1)?;
    match &query.relation(relation).source {
        Source::Table(name) => Some(name),
        Source::View(_, view) => match &query.block(*view).body {
            Body::Select(select) => match select.from.as_slice() {
                [From::Relation(inner)] => written(query, *inner, depth),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// The column of the table behind a relation that is written to.
fn written_column<'q>(
    query: &'q Query,
    relation: RelationId,
    column: &'q str,
    depth: usize,
) -> Option<&'q str> {
    let depth = depth.checked_sub(1)?;
    let known = query.relation(relation);
    match &known.source {
        Source::Table(_) => Some(column),
        Source::View(_, view) => {
            let at = known.columns.as_ref()?.iter().position(|known| known.name == column)?;
            let Body::Select(select) = &query.block(*view).body else { return None };
            let inner = select.projection.get(at)?.as_column()?;
            written_column(query, inner.relation?, &inner.name, depth)
        }
        _ => None,
    }
}

/// The tables that a query deletes from.
pub(super) fn deleted_tables(query: &Query) -> impl Iterator<Item = &Name> {
    query.blocks.iter().filter_map(|block| {
        let Body::Write(write) = &block.body else { return None };
        written(query, write.target, MOST_NESTED_VIEWS).filter(|_| write.deletes())
    })
}

/// The columns that a query may give other values than they have, with their tables.
pub(super) fn changed_columns(query: &Query) -> impl Iterator<Item = (&Name, &str)> {
    let writes = query.blocks.iter().filter_map(|block| match &block.body {
        Body::Write(write) => Some(write.as_ref()),
        _ => None,
    });
    let targets = writes.filter_map(|write| Some((written(query, write.target, MOST_NESTED_VIEWS)?, write)));
    targets.flat_map(move |(name, write)| {
        let of_whens = write.whens.iter().filter_map(|when| match &when.action {
            Action::Update(assignments) => Some(assignments),
            _ => None,
        });
        let is_update = write.whens.is_empty() && !write.from.is_empty();
        let updated = is_update.then_some(&write.assignments).into_iter().chain(of_whens).flatten();
        let updated = updated.filter(|(column, value)| !keeps(write, column, value.as_ref()));
        let conflict = write.conflict.iter().flat_map(|conflict| {
            let assignments = conflict.assignments.iter();
            // The row has the same value in the columns of the conflict.
            assignments.filter(|(column, _)| !conflict.columns.contains(column))
        });
        updated.chain(conflict).filter_map(move |(column, _)| {
            Some((name, written_column(query, write.target, column, MOST_NESTED_VIEWS)?))
        })
    })
}

/// Whether an assignment leaves a column with the value that it has: its own, or one that the WHERE requires.
fn keeps(write: &Write, column: &str, value: Option<&Expr>) -> bool {
    let is_own = |expr: &Expr| {
        expr.as_column().is_some_and(|it| it.relation == Some(write.target) && it.name == column)
    };
    let required = |demand: &Expr| match demand {
        Expr::Binary { op: Op::Eq, left, right } => {
            (is_own(left) && value == Some(right.as_ref())) || (is_own(right) && value == Some(left.as_ref()))
        }
        _ => false,
    };
    value.is_some_and(is_own)
        || write.filter.as_ref().is_some_and(|filter| filter.conjuncts().iter().any(required))
}

fn writes<'q>(query: &'q Query, table: &'q Name) -> impl Iterator<Item = &'q Write> {
    let writes = query.blocks.iter().filter_map(|block| match &block.body {
        Body::Write(write) => Some(write.as_ref()),
        _ => None,
    });
    writes.filter(
        move |write| matches!(&query.relation(write.target).source, Source::Table(name) if name == table),
    )
}

/// Whether a piece of SQL mentions a column.
fn mentions(sql: &str, column: &str) -> bool {
    sql.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word.eq_ignore_ascii_case(column))
}
