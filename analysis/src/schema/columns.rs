//! The columns of tables in the form that queries use, built once per table.

use std::sync::Arc;

use crate::schema::{Column, Schema, Table};
use crate::sql::query::RelationColumn;

/// The columns of a table of `schema`.
pub(crate) fn of_table(schema: &Schema, table: &Table) -> Arc<[RelationColumn]> {
    let is_current = |known: &[RelationColumn]| {
        let is_same = |(known, column): (&RelationColumn, &Column)| {
            known.name == column.name && known.ty == column.ty && known.spelling == column.spelling
        };
        known.len() == table.columns.len() && known.iter().zip(&table.columns).all(is_same)
    };
    schema.columns.get(&table.name, is_current, || declared(&table.columns))
}

/// Columns as they are declared.
pub(crate) fn declared(columns: &[Column]) -> Arc<[RelationColumn]> {
    let of = |column: &Column| RelationColumn {
        spelling: column.spelling.clone(),
        ..RelationColumn::new(column.name.clone(), column.ty.clone())
    };
    columns.iter().map(of).collect()
}

/// The columns of a sequence of MariaDB, which is a table of one row.
pub(crate) const OF_SEQUENCE: [&str; 8] = [
    "next_not_cached_value",
    "minimum_value",
    "maximum_value",
    "start_value",
    "increment",
    "cache_size",
    "cycle_option",
    "cycle_count",
];
