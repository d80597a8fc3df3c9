//! Queries planned with indexes that are tried: a schema that is changed, and how its tables are then read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::advice::{Candidate, Need, Queried};
use super::{Access, Verdict, accesses, new_index, sort};
use crate::schema::{Index, Name, Replay, Schema, Table};
use crate::sql::query::RelationId;

/// The schema with the indexes that are tried.
pub(super) struct Planned<'q> {
    pub(super) schema: Schema,
    queries: &'q [Queried<'q>],
    /// The names that the schema has, in lower case.
    taken: BTreeSet<String>,
    /// The indexes that are tried, each with its table.
    tried: Vec<(Name, String)>,
    /// How the tables of each query are read with the indexes at hand, for those that were asked.
    read: RefCell<BTreeMap<usize, Rc<[Access]>>>,
    /// The relations of each query whose order no index at hand gives, for those that were asked.
    unsorted: RefCell<BTreeMap<usize, Rc<[RelationId]>>>,
}

impl<'q> Planned<'q> {
    pub(super) fn new(schema: &Schema, queries: &'q [Queried<'q>]) -> Planned<'q> {
        Planned {
            schema: schema.clone(),
            queries,
            taken: new_index::names(schema),
            tried: Vec::new(),
            read: RefCell::default(),
            unsorted: RefCell::default(),
        }
    }

    /// Makes the candidates in place of those that were tried before. Each gets a name that nothing else has.
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
            let before: Vec<usize> = replay.schema.tables.values().map(|table| table.indexes.len()).collect();
            replay.apply(&make, "advice");
            for (table, count) in replay.schema.tables.values().zip(before) {
                for index in table.indexes.iter().skip(count) {
                    self.taken.insert(index.name.to_lowercase());
                    self.tried.push((table.name.clone(), index.name.clone()));
                }
            }
            self.schema.tables.extend(replay.schema.tables);
        }
    }

    /// Takes the tables that get an index with `table` out of the schema: the table itself, which is quicker to search
    /// than all, and of a partitioned one all, its partitions among them.
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

    /// Whether a query gets what it wants.
    pub(super) fn is_met(&self, need: &Need) -> bool {
        self.kept(need).is_some()
    }

    /// The part of the rows that is read for a query that gets what it wants; nothing where an order is all it wants.
    pub(super) fn kept(&self, need: &Need) -> Option<f64> {
        if need.sorts {
            return (!self.unsorted(need.query).contains(&need.relation)).then_some(0.0);
        }
        let read = self.accesses(need.query);
        let read = read.iter().find(|access| access.relation == need.relation)?;
        (read.verdict == Verdict::Served).then_some(read.kept)
    }

    /// Whether a table is searched by the index of a name.
    pub(super) fn is_chosen(&self, need: &Need, name: &str) -> bool {
        let chosen =
            |access: &Access| access.relation == need.relation && access.index.as_deref() == Some(name);
        self.accesses(need.query).iter().any(chosen)
    }

    /// How the tables of a query are read; a query has as many needs as it has tables, and is planned once for all.
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

    /// Forgets what held with other indexes.
    fn forget(&mut self) {
        self.read.get_mut().clear();
        self.unsorted.get_mut().clear();
    }

    pub(super) fn remove(&mut self, table: &Name, name: &str) -> Vec<Index> {
        self.forget();
        let Some(table) = self.schema.tables.get_mut(table) else { return Vec::new() };
        let all = std::mem::take(&mut table.indexes).into_iter();
        let (removed, kept) = all.partition(|index| index.name == name);
        table.indexes = kept;
        removed
    }

    pub(super) fn restore(&mut self, table: &Name, mut removed: Vec<Index>) {
        self.forget();
        if let Some(table) = self.schema.tables.get_mut(table) {
            table.indexes.append(&mut removed);
        }
    }
}
