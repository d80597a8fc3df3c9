//! Which statements write to a table, and which of them have to maintain a given index.

use super::new_index::NewIndex;
use crate::schema::Name;
use crate::sql::query::{Body, Query, Source, Write};

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

/// The tables that a query reads: all except the target of a write without RETURNING.
pub(super) fn read_tables(query: &Query) -> impl Iterator<Item = &Name> {
    query.relation_ids().filter_map(|(id, relation)| {
        let Source::Table(name) = &relation.source else { return None };
        let only_written = writes(query, name).any(|write| write.target == id && write.returning.is_none());
        (!only_written).then_some(name)
    })
}

/// The tables that a query writes to.
pub(super) fn written_tables(query: &Query) -> impl Iterator<Item = &Name> {
    query.blocks.iter().filter_map(|block| {
        let Body::Write(write) = &block.body else { return None };
        match &query.relation(write.target).source {
            Source::Table(name) => Some(name),
            _ => None,
        }
    })
}

/// The tables that a query deletes from.
pub(super) fn deleted_tables(query: &Query) -> impl Iterator<Item = &Name> {
    query.blocks.iter().filter_map(|block| {
        let Body::Write(write) = &block.body else { return None };
        match &query.relation(write.target).source {
            Source::Table(name) => write.deletes().then_some(name),
            _ => None,
        }
    })
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
