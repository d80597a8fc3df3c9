//! Rows that an iteration of a loop writes only if a query of the same iteration does not find them.

use crate::lints::QueryContext;
use crate::rust::{Site, SiteSql};
use crate::schema::{IndexKey, Table};
use crate::sql::expr::{Expr, Op};
use crate::sql::query::{Body, Kind, Query};
use crate::sql::{Dialect, resolve};

/// The clause that leaves out rows which exist, where a query before the INSERT in the same iteration looks
/// them up by a key.
pub(in crate::lints) fn leaves_out(context: &QueryContext<'_>, query: &Query) -> Option<String> {
    let site = context.site?;
    let target = query.blocks.iter().find_map(|block| match &block.body {
        Body::Write(write) if write.inserts() && write.conflict.is_none() => Some(write.target),
        _ => None,
    });
    let table = context.table(query, target?)?;
    let inner = site.loops.last()?;
    let is_before = |other: &&Site| {
        other.function == site.function && other.place < site.place && other.loops.last() == Some(inner)
    };
    let mut before = context.sites.iter().filter(is_before);
    let key = before.find_map(|other| match &other.sql {
        SiteSql::Literal(literal) => key_of(context, table, &literal.text),
        _ => None,
    })?;
    Some(match context.dialect {
        Dialect::MySql => {
            let first = key.first()?;
            format!("ON DUPLICATE KEY UPDATE {first} = {}.{first}", table.name.name)
        }
        Dialect::Postgres | Dialect::Sqlite => format!("ON CONFLICT ({}) DO NOTHING", key.join(", ")),
    })
}

/// The unique key by which a text reads one row of a table.
fn key_of(context: &QueryContext<'_>, table: &Table, text: &str) -> Option<Vec<String>> {
    let read =
        resolve(text, context.dialect, context.schema).ok().filter(|read| read.kind == Kind::Select)?;
    let [(id, _)] = read.relation_ids().collect::<Vec<_>>()[..] else { return None };
    if context.table(&read, id)?.name != table.name {
        return None;
    }
    let conditions = read.blocks.iter().flat_map(|block| block.conditions());
    let compared: Vec<String> = conditions
        .filter_map(|condition| match condition {
            Expr::Binary { op: Op::Eq, left, right } => left.as_column().or(right.as_column()),
            _ => None,
        })
        .map(|column| column.name.clone())
        .collect();
    let keys = table.indexes.iter().filter(|index| index.unique && index.predicate.is_none());
    let keys = keys.filter_map(|index| {
        index.keys.iter().map(|key: &IndexKey| key.as_column().map(str::to_owned)).collect::<Option<Vec<_>>>()
    });
    let primary = Some(table.primary_key.clone()).filter(|key| !key.is_empty());
    primary.into_iter().chain(keys).find(|key| key.iter().all(|column| compared.contains(column)))
}
