//! Sort keys as the planner sees them: without the casts, hints and collations that leave the order as it is.

use std::borrow::Cow;

use super::printed::Printer;
use super::sort;
use super::wanted::Key;
use crate::schema::{Column, Schema, Table, UserType};
use crate::sql::expr::{ColumnRef, Expr};
use crate::sql::query::{Block, OrderKey, Query, RelationId, Source};
use crate::sql::quote::quote_if_needed;
use crate::sql::{Dialect, type_names};

/// Whether the last sort keys are what identifies a row, with which an index of InnoDB or SQLite ends: the primary key, or the
/// rowid.
pub(super) fn ends_index(printer: &Printer<'_>, last: &[OrderKey], equal: &[Key]) -> bool {
    let by_rowid = (printer.schema.dialect == Dialect::Sqlite).then(|| rowid(printer.table)).flatten();
    let columns: Vec<&str> = match (printer.schema.dialect, by_rowid) {
        (_, Some(rowid)) => vec![rowid],
        (Dialect::Postgres, None) => return false,
        (Dialect::MySql | Dialect::Sqlite, None) => {
            printer.table.primary_key.iter().map(String::as_str).collect()
        }
    };
    let is_fixed = |column: &&str| {
        let own = quote_if_needed(column, printer.schema.dialect);
        equal.iter().any(|key| !key.several && key.sql == own)
    };
    let mut columns = columns.into_iter().filter(|column| !is_fixed(column));
    let Some(first) = last.first() else { return false };
    last.iter().all(|key| {
        let column = key.expr.as_column().map(|column| column.name.as_str());
        key.desc == first.desc && column.is_some() && column == columns.next()
    })
}

/// The order of a block's first rows, if it returns input rows as they are.
pub(super) fn of_first(query: &Query, schema: &Schema, block: &Block) -> Vec<OrderKey> {
    let plain =
        |key: &OrderKey| OrderKey { expr: simplified(key.expr.clone(), query, schema), ..key.clone() };
    sort::order_of_first(block).iter().map(plain).collect()
}

/// A sort key without what does not change the order.
pub(super) fn simplified(mut key: Expr, query: &Query, schema: &Schema) -> Expr {
    let table_of = |column: &ColumnRef| table(query, schema, column.relation?);
    match schema.dialect {
        Dialect::Postgres => drop_relabels(&mut key, schema, &table_of),
        Dialect::Sqlite => {
            drop_hints(&mut key, &table_of);
            name_rowid(&mut key, &table_of);
        }
        Dialect::MySql => {}
    }
    key
}

type TableOf<'a, 's> = dyn Fn(&ColumnRef) -> Option<&'s Table> + 'a;

fn table<'s>(query: &Query, schema: &'s Schema, relation: RelationId) -> Option<&'s Table> {
    match &query.relation(relation).source {
        Source::Table(name) => schema.stored(name),
        _ => None,
    }
}

fn drop_relabels(key: &mut Expr, schema: &Schema, table_of: &TableOf<'_, '_>) {
    for child in key.children_mut() {
        drop_relabels(child, schema, table_of);
    }
    if let Expr::Cast { expr, ty } = key
        && let Some(column) = expr.as_column()
        && table_of(column)
            .and_then(|table| table.column(&column.name))
            .is_some_and(|column| is_relabel(schema, column, ty))
    {
        *key = std::mem::replace(expr.as_mut(), Expr::Row(Vec::new()));
    }
}

/// Whether PostgreSQL takes the cast of a column to a type as the column itself: the values stay as they are, and
/// so does the operator class.
fn is_relabel(schema: &Schema, column: &Column, ty: &str) -> bool {
    let (from, to) = (type_names::canonical(&column.ty.to_lowercase()), type_names::canonical(ty));
    if from == to {
        return true;
    }
    // A length check of a domain's base type is made again, so only a cast to the bare type leaves its values alone.
    let from: Cow<'_, str> = match schema.user_type(None, &column.ty) {
        Some(UserType::Domain { base, .. }) => {
            let base = type_names::canonical(base);
            if base.ends_with(']') {
                base.into()
            } else {
                base.split('(').next().unwrap_or_default().trim().to_owned().into()
            }
        }
        _ => from.into(),
    };
    // A domain without conditions is its base type.
    let to: Cow<'_, str> = match schema.user_type(None, ty) {
        Some(UserType::Domain { base, not_null: false, checks, .. }) if checks.is_empty() => {
            type_names::canonical(base).into()
        }
        _ => to.into(),
    };
    let is_number_of_object = |ty: &str| ty.starts_with("reg") && to == "oid";
    from == to
        || type_names::keeps_texts(&from, &to)
        || (&*from, &*to) == ("cidr", "inet")
        || is_number_of_object(&from)
}

/// SQLite: gives the rowid the one name that it has among the keys of indexes.
fn name_rowid(key: &mut Expr, table_of: &TableOf<'_, '_>) {
    if let Expr::Column(column) = key
        && matches!(column.name.as_str(), "rowid" | "oid" | "_rowid_")
        && let Some(table) = table_of(column)
        && table.column(&column.name).is_none()
        && let Some(name) = rowid(table)
    {
        name.clone_into(&mut column.name);
    }
}

/// SQLite: the name of a table's rowid: that of the column which is another name of it.
pub(super) fn rowid(table: &Table) -> Option<&str> {
    let own = ["rowid", "_rowid_", "oid"].into_iter().find(|name| table.column(name).is_none());
    match table.rowid_alias() {
        Some(alias) => Some(&alias.name),
        None => own.filter(|_| !table.without_rowid),
    }
}

/// SQLite's hints to the planner are their argument, compared byte by byte; a collation does not matter for the rowid.
fn drop_hints(key: &mut Expr, table_of: &TableOf<'_, '_>) {
    let column = |expr: &Expr| {
        let column = expr.as_column()?;
        table_of(column)?.column(&column.name)
    };
    while let Expr::Call(call) = key
        && matches!(call.name.as_str(), "likely" | "unlikely" | "likelihood")
        && let Some(hinted) = call.args.first()
        && !hinted.any(|part| matches!(part, Expr::Collate { .. }))
    {
        let is_collated = column(hinted).is_some_and(|column| column.collation.is_some());
        let expr = hinted.clone();
        *key = if is_collated {
            Expr::Collate { expr: Box::new(expr), collation: "binary".to_owned() }
        } else {
            expr
        };
    }
    let is_rowid = |expr: &Expr| {
        expr.as_column().is_some_and(|column| {
            let alias = table_of(column).and_then(Table::rowid_alias);
            alias.is_some_and(|alias| alias.name == column.name)
        })
    };
    while let Expr::Collate { expr, .. } = key
        && is_rowid(expr)
    {
        *key = std::mem::replace(expr.as_mut(), Expr::Row(Vec::new()));
    }
    // `likely(a) COLLATE NOCASE`
    if let Expr::Collate { expr, .. } = key
        && let Expr::Call(call) = expr.as_ref()
        && matches!(call.name.as_str(), "likely" | "unlikely" | "likelihood")
        && let Some(hinted) = call.args.first().filter(|hinted| hinted.as_column().is_some())
    {
        **expr = hinted.clone();
    }
}
