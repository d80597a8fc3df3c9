//! Foreign keys whose referencing rows are looked up when the referenced row is deleted, and which of them
//! lack an index.

use std::collections::{BTreeSet, HashMap};

use super::advice::Advice;
use super::few_values::has_few_values;
use super::new_index::{self, NewIndex};
use super::writes::deleted_tables;
use crate::cardinality;
use crate::schema::{ForeignKey, Name, Replay, Schema, Table};
use crate::sql::quote::quote_if_needed;
use crate::sql::{Dialect, Query};

/// A foreign key without an index, although its rows are looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unindexed<'s> {
    /// The referencing table.
    pub(crate) table: &'s Table,
    /// Its key.
    pub(crate) key: &'s ForeignKey,
}

impl Unindexed<'_> {
    /// The index that would serve it.
    pub(crate) fn index(&self, dialect: Dialect) -> NewIndex {
        let columns = self.key.columns.iter().map(|column| quote_if_needed(column, dialect)).collect();
        NewIndex { table: self.table.name.clone(), columns, predicate: None, method: None }
    }
}

/// The tables that lose rows: a query deletes from them, or a deletion cascades to them.
pub(crate) fn losing_rows<'s>(
    schema: &'s Schema,
    queries: impl Iterator<Item = &'s Query>,
) -> BTreeSet<&'s Name> {
    let mut losing: BTreeSet<&Name> = queries.flat_map(deleted_tables).collect();
    let mut open: Vec<&Name> = losing.iter().copied().collect();
    if open.is_empty() {
        return losing;
    }
    let is_cascade = |key: &&ForeignKey| key.on_delete.as_deref() == Some("CASCADE");
    let mut cascades: HashMap<&Name, Vec<&Name>> = HashMap::new();
    for table in schema.tables.values() {
        for key in table.foreign_keys.iter().filter(is_cascade) {
            cascades.entry(&key.table).or_default().push(&table.name);
        }
    }
    while let Some(deleted) = open.pop() {
        let reached = cascades.get(deleted).into_iter().flatten().copied();
        open.extend(reached.filter(|to| losing.insert(to)));
    }
    losing
}

/// The foreign keys without an index whose rows are looked up: the key has an action, or rows of the
/// referenced table are deleted. MySQL creates these indexes itself.
pub(crate) fn unindexed<'s>(
    schema: &'s Schema,
    losing: &BTreeSet<&Name>,
    is_small: &dyn Fn(&Name) -> bool,
) -> Vec<Unindexed<'s>> {
    if schema.dialect == Dialect::MySql {
        return Vec::new();
    }
    let mut found = Vec::new();
    // A partition has the indexes of its parent.
    let own = schema.tables.values().filter(|table| table.partition_bound.is_none());
    for table in own.filter(|table| !table.foreign_keys.is_empty() && !is_small(&table.name)) {
        let open = table.foreign_keys.iter().filter(|key| {
            let acts = key.on_delete.as_deref().is_some_and(|action| action != "RESTRICT");
            !is_small(&key.table) && (acts || losing.contains(&key.table)) && !is_indexed(schema, table, key)
        });
        let mut open = open.peekable();
        if open.peek().is_some() && !cardinality::keys::is_singleton(table, schema) {
            found.extend(open.map(|key| Unindexed { table, key }));
        }
    }
    found
}

/// Whether an index that contains every row of the key starts with one of its columns. Each column is
/// compared with one value, so any of them is selective unless it has few values.
fn is_indexed(schema: &Schema, table: &Table, key: &ForeignKey) -> bool {
    let leads = |column: &str| {
        key.columns.iter().any(|own| own == column)
            && (key.columns.len() == 1 || !has_few_values(schema, table, column))
    };
    if table.rowid_alias().is_some_and(|column| leads(&column.name)) {
        return true;
    }
    table.indexes.iter().any(|index| {
        let is_not_null = |predicate: &String| {
            let words = predicate.to_lowercase();
            key.columns.iter().any(|column| {
                words.trim_matches(['(', ')']) == format!("{} is not null", column.to_lowercase())
            })
        };
        let is_sorted = matches!(index.method.as_str(), "btree" | "hash");
        let first = index.keys.first().and_then(|key| key.as_column());
        is_sorted && index.predicate.as_ref().is_none_or(is_not_null) && first.is_some_and(leads)
    })
}

/// The indexes for foreign keys that still lack one once `advice` is applied.
pub(crate) fn advise(
    schema: &Schema,
    advice: &[Advice],
    losing: &BTreeSet<&Name>,
    is_small: &dyn Fn(&Name) -> bool,
) -> Vec<Advice> {
    let mut replay = Replay::new(schema.dialect);
    replay.schema = schema.clone();
    for made in advice {
        replay.apply(&made.index.statement("CREATE INDEX", Some(&made.name), schema.dialect), "advice");
    }
    let mut taken = new_index::names(&replay.schema);
    let mut known: BTreeSet<NewIndex> = BTreeSet::new();
    let found = unindexed(&replay.schema, losing, is_small).into_iter();
    let indexes = found.map(|found| found.index(schema.dialect)).filter(|index| known.insert(index.clone()));
    let named = indexes.map(|index| {
        let name = index.free_name(&taken);
        taken.insert(name.to_lowercase());
        Advice { index, name, serves: Vec::new(), writes: 0, replaces: Vec::new(), is_for_key: true }
    });
    named.collect()
}
