//! Queries planned with trial indexes: a modified schema, and how its tables are then read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::advice::{Candidate, Need, Queried};
use super::{Access, Verdict, accesses, heirs, new_index, sort};
use crate::schema::{Index, Name, Replay, Schema, Table};
use crate::sql::query::RelationId;

/// The schema with the trial indexes.
pub(super) struct Planned<'q> {
    pub(super) schema: Schema,
    queries: &'q [Queried<'q>],
    /// Names in use in the schema, in lower case.
    taken: BTreeSet<String>,
    /// The trial indexes, each with its table.
    tried: Vec<(Name, String)>,
    /// A cache: how the tables of each query are read with the current indexes.
    read: RefCell<BTreeMap<usize, Rc<[Access]>>>,
    /// A cache: the relations of each query whose order no current index provides.
    unsorted: RefCell<BTreeMap<usize, Rc<[RelationId]>>>,
}

impl<'q> Planned<'q> {
    pub(super) fn new(schema: &Schema, queries: &'q [Queried<'q>]) -> Planned<'q> {
        Planned {
            schema: without_invalid(schema),
            queries,
            taken: new_index::names(schema),
            tried: Vec::new(),
            read: RefCell::default(),
            unsorted: RefCell::default(),
        }
    }

    /// Replaces the trial indexes by `candidates`, and gives each a free name.
    pub(super) fn make(&mut self, candidates: &mut [Candidate<'_>]) {
        self.forget();
        for (table, name) in std::mem::take(&mut self.tried) {
            self.remove(&table, &name);
            self.taken.remove(&name.to_lowercase());
        }
        for candidate in candidates {
            let dialect = self.schema.dialect;
            candidate.name = candidate.index.free_name(&self.taken);
            let make = candidate.index.statement("CREATE INDEX", Some(&candidate.name), dialect);
            let mut replay = Replay::new(dialect);
            replay.schema.tables = self.concerned_by(&candidate.index.table);
            replay.schema.views =
                self.schema.views.remove_entry(&candidate.index.table).into_iter().collect();
            let before: Vec<usize> = indexed(&replay.schema).map(|(_, indexes)| indexes.len()).collect();
            replay.apply(&make, "advice");
            for ((table, indexes), count) in indexed(&replay.schema).zip(before) {
                for index in indexes.iter().skip(count) {
                    self.taken.insert(index.name.to_lowercase());
                    self.tried.push((table.clone(), index.name.clone()));
                }
            }
            self.schema.tables.extend(replay.schema.tables);
            self.schema.views.extend(replay.schema.views);
            self.schema.materialized.forget();
            self.schema.certain.forget();
        }
    }

    /// Takes the tables affected by an index on `table` out of the schema: only the table itself, which keeps
    /// the search fast, or all tables if it is partitioned, since its partitions are among them.
    fn concerned_by(&mut self, table: &Name) -> BTreeMap<Name, Table> {
        match self.schema.tables.remove_entry(table) {
            Some((name, table)) if table.partition_by.is_some() => {
                let mut all = std::mem::take(&mut self.schema.tables);
                all.insert(name, table);
                all
            }
            only => only.into_iter().collect(),
        }
    }

    /// Whether a need is met.
    pub(super) fn is_met(&self, need: &Need) -> bool {
        self.kept(need).is_some()
    }

    /// The part of the rows that is read if the need is met, 0 if it is only for an order; `None` if it is
    /// not met.
    pub(super) fn kept(&self, need: &Need) -> Option<f64> {
        if need.sorts {
            return (!self.unsorted(need.query).contains(&need.relation)).then_some(0.0);
        }
        let read = self.accesses(need.query);
        let read = read.iter().find(|access| access.relation == need.relation)?;
        (read.verdict == Verdict::Served).then_some(read.kept)
    }

    /// Whether the table is searched by the named index.
    pub(super) fn is_chosen(&self, need: &Need, name: &str) -> bool {
        let chosen =
            |access: &Access| access.relation == need.relation && access.index.as_deref() == Some(name);
        self.accesses(need.query).iter().any(chosen)
    }

    /// How the tables of a query are read. Cached, because a query has as many needs as tables.
    pub(super) fn accesses(&self, query: usize) -> Rc<[Access]> {
        let known = self.read.borrow().get(&query).cloned();
        known.unwrap_or_else(|| {
            let queried = self.queries.get(query);
            let read: Rc<[Access]> =
                queried.map_or_else(Vec::new, |queried| accesses(queried.query, &self.schema)).into();
            self.read.borrow_mut().insert(query, read.clone());
            read
        })
    }

    fn unsorted(&self, query: usize) -> Rc<[RelationId]> {
        let known = self.unsorted.borrow().get(&query).cloned();
        known.unwrap_or_else(|| {
            let sorts = self.queries.get(query).into_iter();
            let sorts = sorts.flat_map(|queried| sort::unindexed(queried.query, &self.schema));
            let unsorted: Rc<[RelationId]> = sorts.map(|sort| sort.relation).collect();
            self.unsorted.borrow_mut().insert(query, unsorted.clone());
            unsorted
        })
    }

    /// Clears the caches after a change of indexes.
    fn forget(&mut self) {
        self.read.get_mut().clear();
        self.unsorted.get_mut().clear();
    }

    pub(super) fn remove(&mut self, table: &Name, name: &str) -> Vec<Index> {
        self.forget();
        let Some(indexes) = self.indexes_of(table) else { return Vec::new() };
        let all = std::mem::take(indexes).into_iter();
        let (removed, kept) = all.partition(|index| index.name == name);
        *indexes = kept;
        removed
    }

    /// The indexes of a table, or of a materialised view.
    fn indexes_of(&mut self, table: &Name) -> Option<&mut Vec<Index>> {
        self.schema.materialized.forget();
        match self.schema.tables.get_mut(table) {
            Some(table) => Some(&mut table.indexes),
            None => self.schema.views.get_mut(table).map(|view| &mut view.indexes),
        }
    }

    pub(super) fn restore(&mut self, table: &Name, mut removed: Vec<Index>) {
        self.forget();
        if let Some(indexes) = self.indexes_of(table) {
            indexes.append(&mut removed);
        }
    }
}

/// The schema without the indexes that are invalid because partitions lack matching ones. A trial index brings these, and is to
/// be credited with what they serve.
fn without_invalid(schema: &Schema) -> Schema {
    let mut planned = schema.clone();
    for (name, table) in planned.tables.iter_mut().filter(|(_, table)| table.partition_by.is_some()) {
        let Some(of) = schema.tables.get(name) else { continue };
        table.indexes.retain(|it| it.unique || it.constraint || !heirs::is_invalid(schema, of, it));
    }
    planned
}

/// The tables and views of a schema, each with its indexes.
fn indexed(schema: &Schema) -> impl Iterator<Item = (&Name, &Vec<Index>)> {
    let tables = schema.tables.values().map(|table| (&table.name, &table.indexes));
    tables.chain(schema.views.values().map(|view| (&view.name, &view.indexes)))
}
