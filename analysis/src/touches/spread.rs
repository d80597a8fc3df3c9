//! Tables that change along with another: by foreign keys, partitions, inheritance, views and triggers.

use std::collections::BTreeSet;

use super::{Touches, functions};
use crate::schema::{Name, Schema, Table};
use crate::sql::Dialect;
use crate::sql::query::{Body, Query, Source};

/// Adds the tables that change along with those written.
pub(super) fn written(query: &Query, schema: &Schema, touches: &mut Touches) {
    through_views(query, schema, touches);
    let removes = query.blocks.iter().any(|block| match &block.body {
        Body::Write(write) => !write.from.is_empty() || write.conflict.is_some(),
        _ => false,
    });
    if spread(removes, schema, touches) && !removes {
        // The operations of such code are unknown: it may delete rows.
        spread(true, schema, touches);
    }
}

/// Spreads the writes until nothing changes; returns whether code with unknown operations was reached.
fn spread(removes: bool, schema: &Schema, touches: &mut Touches) -> bool {
    let mut code_writes = false;
    let mut pending: Vec<Name> = touches.writes.iter().cloned().collect();
    let mut seen: BTreeSet<Name> = touches.writes.clone();
    while let Some(name) = pending.pop() {
        let mut also = relatives(&name, schema);
        // In other databases an INSERT that replaces rows cannot be told from one that does not.
        if removes || schema.dialect != Dialect::Postgres {
            also.extend(cascades(&name, schema));
        }
        let mut of_code = Touches::default();
        let table = schema.tables.get(&name);
        for code in table.into_iter().flat_map(defaults) {
            functions::called_in(code, schema, &mut of_code);
        }
        for hook in table.into_iter().flat_map(|table| &table.hooks) {
            functions::run_by(&hook.code, schema, &mut of_code);
        }
        code_writes |= !of_code.writes.is_empty();
        touches.writes_unknown |= of_code.writes_unknown;
        also.extend(of_code.writes);
        pending.extend(also.into_iter().filter(|name| seen.insert(name.clone())));
    }
    touches.writes = seen;
    code_writes
}

/// A write to a view writes to its tables.
fn through_views(query: &Query, schema: &Schema, touches: &mut Touches) {
    let views: Vec<Name> =
        touches.writes.iter().filter(|name| schema.views.contains_key(*name)).cloned().collect();
    if views.is_empty() {
        return;
    }
    let of_views = query.relations.iter().filter_map(|relation| match &relation.source {
        Source::Table(name) => Some(name.clone()),
        _ => None,
    });
    let tables: Vec<Name> = of_views.collect();
    // Rules and triggers may intercept it.
    touches.writes_unknown = true;
    touches.writes.extend(tables);
    for view in views {
        touches.writes.remove(&view);
    }
}

/// The tables that share rows with this one.
fn relatives(name: &Name, schema: &Schema) -> Vec<Name> {
    let parents = schema.tables.get(name).into_iter().flat_map(|table| table.parents().cloned());
    let children = schema.children_of(name);
    parents.chain(children.map(|table| table.name.clone())).collect()
}

/// The tables whose rows change along with the rows that they reference.
fn cascades(name: &Name, schema: &Schema) -> Vec<Name> {
    let follows = |action: &Option<String>| {
        action.as_deref().is_some_and(|action| !action.eq_ignore_ascii_case("restrict"))
    };
    let refers = |table: &&Table| {
        table
            .foreign_keys
            .iter()
            .any(|key| key.table == *name && (follows(&key.on_delete) || follows(&key.on_update)))
    };
    schema.tables.values().filter(refers).map(|table| table.name.clone()).collect()
}

/// The code that runs when a row of the table is written.
fn defaults(table: &Table) -> impl Iterator<Item = &str> {
    let columns = table.columns.iter().flat_map(|column| column.default.iter().chain(&column.generated));
    columns.chain(table.checks.iter().map(|check| &check.condition)).map(String::as_str)
}
