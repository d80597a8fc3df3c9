//! Corrections of a verdict once the reads of a query are known: a LIMIT that stops early, tables read along
//! with another, and single-row tables.

use std::cell::RefCell;
use std::collections::HashMap;

use super::item::{Item, item};
use super::problem::JoinGraph;
use super::pruned::Pruning;
use super::relations::Relations;
use super::searches::{How, Served};
use super::wanted::Wanted;
use super::{Access, Verdict, heirs, sort};
use crate::cardinality;
use crate::schema::{Column, Index, Schema, Table};
use crate::sql::query::Query;

/// The maximum number of differently indexed tables that are told apart among partitions and heirs.
const MOST_KINDS: usize = 16;

/// Whether two tables have the same indexes on the same columns, whatever their names.
fn is_indexed_alike(one: &Table, other: &Table) -> bool {
    let same_index = |(one, other): (&Index, &Index)| {
        let Index {
            name: _,
            method,
            unique,
            primary,
            constraint,
            keys,
            include,
            predicate,
            nulls_not_distinct,
            hidden,
            doubtful,
        } = one;
        (method, unique, primary, constraint)
            == (&other.method, &other.unique, &other.primary, &other.constraint)
            && (keys, include, predicate) == (&other.keys, &other.include, &other.predicate)
            && (nulls_not_distinct, hidden, doubtful)
                == (&other.nulls_not_distinct, &other.hidden, &other.doubtful)
    };
    let same_column = |(one, other): (&Column, &Column)| {
        one.name == other.name && one.ty == other.ty && one.collation == other.collation
    };
    one.indexes.len() == other.indexes.len()
        && one.columns.len() == other.columns.len()
        && one.indexes.iter().zip(&other.indexes).all(same_index)
        && one.columns.iter().zip(&other.columns).all(same_column)
}

impl<'s> Item<'s> {
    /// Turns an unserved verdict around if an index provides the order of the first rows. LIMIT stops early
    /// if the conditions keep much of what is read; an order by distance has no alternative; and a partial
    /// index in that order was made for the query.
    pub(super) fn stop_at_limit(
        &self,
        access: &mut Access,
        read: Option<Served>,
        schema: &Schema,
        problem: &JoinGraph,
    ) {
        let reading = self.reading(schema, Relations::NONE, problem);
        if reading.order.is_empty() {
            return;
        }
        let Some(given) = sort::given_by(schema, &reading) else { return };
        let Some(prepared) = self.indexes.list().get(given.at) else { return };
        let is_made_for_it =
            prepared.index.predicate.is_some() && read.is_some_and(|read| read.how == How::FilteredPartial);
        if is_made_for_it {
            access.verdict = Verdict::Served;
            access.index = Some(prepared.index.name.clone());
        } else if self.keeps_much || given.by_distance {
            access.verdict = Verdict::Full;
        } else {
            return;
        }
        access.hindrance = None;
        access.why =
            format!("index `{}` provides the order, and is read up to the LIMIT", prepared.index.name);
    }

    /// The indexes that would serve it: those of the table and of each table that inherits from it, where none is there.
    pub(super) fn wanted_with_heirs(
        &self,
        query: &Query,
        schema: &'s Schema,
        problem: &'s JoinGraph,
        reached: Relations,
    ) -> Vec<Wanted> {
        let heirs = match query.reads_only(self.relation) {
            true => Vec::new(),
            false => heirs::heirs(schema, self.indexes.table()),
        };
        if heirs.is_empty() {
            return self.wanted(schema, reached, problem);
        }
        let leads = |item: &Item<'_>| item.search(reached).is_some_and(|read| read.leads());
        let mut wanted = if leads(self) { Vec::new() } else { self.wanted(schema, reached, problem) };
        for heir in heirs.into_iter().filter(|heir| heir.module.is_none()) {
            let item = item(self.relation, query, schema, heir, problem);
            if !leads(&item) {
                wanted.extend(item.wanted(schema, reached, problem));
            }
        }
        wanted
    }

    /// Why all rows of the table are asked for, whatever the conditions are.
    fn asks_for_all(&self, access: &Access, query: &Query, schema: &Schema) -> Option<String> {
        let table = self.indexes.table();
        if query.reads_sample(self.relation) {
            return Some(format!("a sample of `{}` is read, whatever indexes it has", table.name));
        }
        if cardinality::keys::is_singleton(table, schema) {
            return Some(format!("`{}` holds one row", table.name));
        }
        match access.columns.as_slice() {
            [only] if heirs::divides_by_value(schema, table, only) => {
                Some(format!("each partition of `{}` holds one value of `{only}`", table.name))
            }
            _ => None,
        }
    }

    /// Adjusts the verdict for tables read along with this one: partitions that all have an index of their
    /// own, or tables that inherit and lack one. A table restricted to one row needs no index.
    pub(super) fn read_with_heirs(
        &self,
        access: &mut Access,
        query: &Query,
        schema: &'s Schema,
        problem: &'s JoinGraph,
        reached: Relations,
    ) {
        let table = self.indexes.table();
        // Most partitions have the same indexes, so one of each kind is examined.
        let kinds: RefCell<Vec<(&'s Table, bool)>> = RefCell::default();
        let leads = |heir: &'s Table| {
            // The server of a foreign table finds its rows.
            if heir.module.is_some() {
                return true;
            }
            let known =
                kinds.borrow().iter().find(|(kind, _)| is_indexed_alike(kind, heir)).map(|(_, leads)| *leads);
            known.unwrap_or_else(|| {
                let read = item(self.relation, query, schema, heir, problem).search(reached);
                let leads = read.is_some_and(|read| read.leads());
                let mut kinds = kinds.borrow_mut();
                if kinds.len() < MOST_KINDS {
                    kinds.push((heir, leads));
                }
                leads
            })
        };
        if access.verdict == Verdict::Unserved {
            if let Some(why) = self.asks_for_all(access, query, schema) {
                access.verdict = Verdict::Full;
                access.why = why;
                access.hindrance = None;
                return;
            }
            let prunings = RefCell::new(HashMap::new());
            let may_read = |table: &Table, partition: &Table| {
                let mut prunings = prunings.borrow_mut();
                if !prunings.contains_key(&table.name) {
                    let pruning = Pruning::of(table, self.relation, &self.demands);
                    prunings.insert(table.name.clone(), pruning);
                }
                let pruning = prunings.get(&table.name).and_then(Option::as_ref);
                pruning.is_none_or(|pruning| pruning.may_read(schema, table, partition))
            };
            match heirs::all_partitions(schema, table, may_read, leads) {
                Some(true) => {
                    access.verdict = Verdict::Served;
                    access.why = format!(
                        "each partition of `{}` that is read has an index that is searched",
                        table.name
                    );
                    access.hindrance = None;
                }
                Some(false) => {}
                None => {
                    access.verdict = Verdict::Unknown;
                    access.why = format!(
                        "`{}` has more than {} partitions with indexes of their own",
                        table.name,
                        heirs::MAX_HEIRS
                    );
                    access.hindrance = None;
                }
            }
        } else if access.verdict == Verdict::Served && self.is_filtered && !query.reads_only(self.relation) {
            let all = heirs::heirs(schema, table);
            if let Some(heir) = all.iter().find(|heir| !leads(heir)) {
                access.verdict = Verdict::Unserved;
                access.index = None;
                access.why =
                    format!("`{}` inherits from `{}`, and has none of its indexes", heir.name, table.name);
            }
        }
    }
}
