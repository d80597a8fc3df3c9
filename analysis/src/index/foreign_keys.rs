//! Foreign keys whose referencing rows are looked up when the referenced row is deleted or gets another key, and
//! which of them lack an index.

use std::collections::{BTreeSet, HashMap};

use super::advice::Advice;
use super::few_values::has_few_values;
use super::new_index::{self, NewIndex};
use super::writes::{changed_columns, deleted_tables};
use crate::cardinality;
use crate::schema::{ForeignKey, IndexKey, Name, Replay, Schema, Table};
use crate::sql::quote::quote_if_needed;
use crate::sql::{Dialect, Query};

/// A foreign key without an index, although its rows are looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unindexed<'s> {
    /// The referencing table.
    pub(crate) table: &'s Table,
    pub(crate) key: &'s ForeignKey,
    /// Whether referenced rows are deleted, rather than given other keys.
    pub(crate) by_delete: bool,
    /// Whether a query of the workspace does that, directly or through a cascade, rather than the key's action alone telling
    /// that it is meant.
    pub(crate) is_seen: bool,
}

impl Unindexed<'_> {
    /// The index that would serve it.
    pub(crate) fn index(&self, dialect: Dialect) -> NewIndex {
        let columns = self.key.columns.iter().map(|column| quote_if_needed(column, dialect)).collect();
        NewIndex { table: self.table.name.clone(), columns, predicate: None, method: None }
    }
}

/// What queries do to rows that others may refer to.
#[derive(Debug, Default)]
pub(crate) struct Changes<'s> {
    /// The tables that lose rows: a query deletes from them, or a deletion cascades to them.
    losing: BTreeSet<&'s Name>,
    /// The columns that get other values, from a query or by a cascade.
    changed: BTreeSet<(&'s Name, &'s str)>,
}

impl<'s> Changes<'s> {
    pub(crate) fn by(schema: &'s Schema, queries: impl Iterator<Item = &'s Query> + Clone) -> Changes<'s> {
        let losing: BTreeSet<&Name> = queries.clone().flat_map(deleted_tables).collect();
        let changed: BTreeSet<(&Name, &str)> = queries.flat_map(changed_columns).collect();
        let mut changes = Changes { losing, changed };
        if !changes.losing.is_empty() || !changes.changed.is_empty() {
            changes.follow(schema);
        }
        changes
    }

    /// Follows the cascades.
    fn follow(&mut self, schema: &'s Schema) {
        let mut referring: HashMap<&Name, Vec<(&Name, &ForeignKey)>> = HashMap::new();
        for table in schema.tables.values() {
            for key in &table.foreign_keys {
                referring.entry(&key.table).or_default().push((&table.name, key));
            }
        }
        let mut open: Vec<&Name> = self.losing.iter().copied().collect();
        while let Some(deleted) = open.pop() {
            for (table, _) in
                referring.get(deleted).into_iter().flatten().filter(|(_, key)| cascades(&key.on_delete))
            {
                if self.losing.insert(table) {
                    open.push(table);
                }
            }
        }
        let mut open: Vec<(&Name, &str)> = self.changed.iter().copied().collect();
        while let Some((of, column)) = open.pop() {
            for (table, key) in
                referring.get(of).into_iter().flatten().filter(|(_, key)| cascades(&key.on_update))
            {
                let referenced = referenced(schema, key);
                let own = referenced.iter().position(|it| it == column).and_then(|at| key.columns.get(at));
                if let Some(own) = own
                    && self.changed.insert((table, own))
                {
                    open.push((table, own));
                }
            }
        }
    }
}

/// Whether a query deletes rows of a table itself.
pub(crate) fn deletes_from(query: &Query, table: &Name) -> bool {
    deleted_tables(query).any(|deleted| deleted == table)
}

fn cascades(action: &Option<String>) -> bool {
    action.as_deref() == Some("CASCADE")
}

/// The columns that a key refers to.
fn referenced<'s>(schema: &'s Schema, key: &'s ForeignKey) -> &'s [String] {
    match key.references.as_slice() {
        [] => schema.tables.get(&key.table).map_or(&[], |table| table.primary_key.as_slice()),
        columns => columns,
    }
}

/// The foreign keys without an index whose rows are looked up: the key has an action, or rows of the
/// referenced table are deleted or get other keys. MySQL creates these indexes itself.
pub(crate) fn unindexed<'s>(
    schema: &'s Schema,
    changes: &Changes<'_>,
    is_small: &dyn Fn(&Name) -> bool,
) -> Vec<Unindexed<'s>> {
    if schema.dialect == Dialect::MySql {
        return Vec::new();
    }
    let mut found = Vec::new();
    // A partition has the indexes of its parent.
    let own = schema.tables.values().filter(|table| table.partition_bound.is_none());
    for table in own.filter(|table| !table.foreign_keys.is_empty() && !is_small(&table.name)) {
        let open = table.foreign_keys.iter().filter_map(|key| {
            let acts = key.on_delete.as_deref().is_some_and(|action| action != "RESTRICT");
            let by_delete = acts || changes.losing.contains(&key.table);
            let changes_key = |column: &String| changes.changed.contains(&(&key.table, column.as_str()));
            let is_open = !key.doubtful
                && !is_small(&key.table)
                && (by_delete || referenced(schema, key).iter().any(changes_key))
                && !is_indexed(schema, table, key);
            let is_seen = changes.losing.contains(&key.table) || !by_delete;
            is_open.then_some(Unindexed { table, key, by_delete, is_seen })
        });
        let mut open = open.peekable();
        if open.peek().is_some() && !cardinality::keys::is_singleton(table, schema) {
            found.extend(open);
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
        // A check compares in the collation of the column.
        let is_own = |key: &IndexKey, name: &str| {
            let declared = table.column(name).and_then(|column| column.collation.as_deref());
            key.collation.is_none() || key.collation.as_deref() == declared
        };
        let leads = |key: &IndexKey| key.as_column().is_some_and(|name| leads(name) && is_own(key, name));
        let leads = match index.method.as_str() {
            "btree" | "hash" => index.keys.first().is_some_and(leads),
            // Extensions bring `=` on scalar types, and any key is searched.
            "gist" | "gin" => index.keys.iter().any(|key| key.opclass.is_none() && leads(key)),
            _ => false,
        };
        leads && index.predicate.as_ref().is_none_or(is_not_null)
    }) || table.partition_by.is_some() && are_indexed(schema, table, key)
}

/// Whether each partition of a table has an index of its own for a key.
fn are_indexed(schema: &Schema, table: &Table, key: &ForeignKey) -> bool {
    let mut partitions = schema.children_of(&table.name).peekable();
    partitions.peek().is_some() && partitions.all(|partition| is_indexed(schema, partition, key))
}

/// The indexes for foreign keys that still lack one once `advice` is applied.
pub(crate) fn advise(
    schema: &Schema,
    advice: &[Advice],
    changes: &Changes<'_>,
    is_small: &dyn Fn(&Name) -> bool,
) -> Vec<Advice> {
    let mut replay = Replay::new(schema.dialect);
    replay.schema = schema.clone();
    for made in advice {
        replay.apply(&made.index.statement("CREATE INDEX", Some(&made.name), schema.dialect), "advice");
    }
    let mut taken = new_index::names(&replay.schema);
    let mut known: BTreeSet<NewIndex> = BTreeSet::new();
    let found = unindexed(&replay.schema, changes, is_small).into_iter();
    let indexes = found.map(|found| found.index(schema.dialect)).filter(|index| known.insert(index.clone()));
    let named = indexes.map(|index| {
        let name = index.free_name(&taken);
        taken.insert(name.to_lowercase());
        Advice { index, name, serves: Vec::new(), writes: 0, replaces: Vec::new(), is_for_key: true }
    });
    named.collect()
}
