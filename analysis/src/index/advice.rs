//! A small set of indexes that serves all unserved accesses. Each is needed, but a smaller set may exist.
//!
//! Each candidate index is made for as many accesses as it can serve. Then every query is planned again with
//! all candidates in the schema. An index is credited only with the accesses for which it is chosen, and is
//! dropped if everything is served without it.

use std::collections::{BTreeMap, BTreeSet};

use super::new_index::NewIndex;
use super::planned::Planned;
use super::wanted::Wanted;
use super::{Access, Verdict, accesses, audit, foreign_keys, merge, sort, writes};
use crate::schema::{Name, Replay, Schema, snapshot};
use crate::sql::query::RelationId;
use crate::sql::{Dialect, Query};

/// Maximum number of rounds in which a set of indexes is minimised.
const MOST_ROUNDS: usize = 3;

/// The maximum number of indexes advised for one table, and of kinds of access for each: more than anybody
/// creates, and each is tried alongside all others. Findings beyond the limit remain, each naming an index of
/// its own.
const MOST_OF_TABLE: usize = 64;

/// The largest part of a table's rows that an index may select for a search to count as fast.
const MAX_FAST_SELECTIVITY: f64 = 0.01;

/// A query of the workspace.
#[derive(Debug, Clone, Copy)]
pub struct Queried<'q> {
    /// The resolved query.
    pub query: &'q Query,
    /// How its tables are read.
    pub accesses: &'q [Access],
    /// Whether an index may be suggested for it; for other queries only the cost of an index counts.
    pub is_open: bool,
    /// Whether it runs once per element of a loop.
    pub repeats: bool,
}

/// An index to create, and what it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What to create: the table, keys and predicate.
    pub index: NewIndex,
    /// A name that is free in the schema.
    pub name: String,
    /// The queries that it serves, as positions in the input, sorted.
    pub serves: Vec<usize>,
    /// How many of the queries write data that it indexes.
    pub writes: usize,
    /// Existing indexes that are a prefix of it and become redundant.
    pub replaces: Vec<String>,
    /// Whether it is for a foreign key whose rows are looked up when the referenced row is deleted.
    pub is_for_key: bool,
}

impl Advice {
    /// The statements that drop the indexes it replaces.
    pub fn drops(&self, dialect: Dialect) -> Vec<String> {
        let drop = |old: &String| snapshot::drop_index(dialect, &self.index.table, old, "");
        self.replaces.iter().map(drop).collect()
    }
}

/// The need of one query for an index on one table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    pub(super) query: usize,
    pub(super) relation: RelationId,
    /// Whether only the order of the rows is missing.
    pub(super) sorts: bool,
    /// Whether it compares something with many distinct values, so that an index can select few rows.
    narrows: bool,
}

/// An index under construction.
pub(super) struct Candidate<'w> {
    /// What it is built for, each with the needs behind it.
    members: Vec<(&'w Wanted, BTreeSet<Need>)>,
    /// Needs whose search it narrows without being built for them.
    others: BTreeSet<Need>,
    pub(super) index: NewIndex,
    pub(super) name: String,
}

impl Candidate<'_> {
    fn needs(&self) -> BTreeSet<Need> {
        let members = self.members.iter().flat_map(|(_, needs)| needs);
        members.chain(&self.others).cloned().collect()
    }
}

/// The indexes that serve the open ones of `queries`, those that serve most queries first, followed by those
/// for foreign keys that are looked up. Small tables get none.
pub fn advise(schema: &Schema, queries: &[Queried<'_>], is_small: &dyn Fn(&Name) -> bool) -> Vec<Advice> {
    let needs = needs(schema, queries, is_small);
    let mut advice = name_and_prove(candidates(&needs, schema), schema, queries);
    let mut orders = advise_orders(schema, queries, &advice, is_small);
    advice.append(&mut orders);
    let changes = foreign_keys::Changes::by(schema, queries.iter().map(|queried| queried.query));
    let mut keys = foreign_keys::advise(schema, &advice, &changes, is_small);
    let writers = writers(queries);
    for key in &mut keys {
        key.writes = touching(&key.index, &writers, queries);
    }
    advice.append(&mut keys);
    advice
}

/// The indexes for an order that only the advised ones leave to be wanted: where they let a query search its table,
/// what is left is sorted.
fn advise_orders(
    schema: &Schema,
    queries: &[Queried<'_>],
    advice: &[Advice],
    is_small: &dyn Fn(&Name) -> bool,
) -> Vec<Advice> {
    let tables: BTreeSet<&Name> = advice.iter().map(|advice| &advice.index.table).collect();
    if tables.is_empty() {
        return Vec::new();
    }
    let mut replay = Replay::new(schema.dialect);
    replay.schema = schema.clone();
    for advice in advice {
        let make = advice.index.statement("CREATE INDEX", Some(&advice.name), schema.dialect);
        replay.apply(&make, "advice");
    }
    let reads = |query: &Query| writes::read_tables(query).any(|table| tables.contains(table));
    let read: Vec<Vec<Access>> = queries
        .iter()
        .map(|queried| match queried.is_open && reads(queried.query) {
            true => accesses(queried.query, &replay.schema),
            false => Vec::new(),
        })
        .collect();
    let with_them: Vec<Queried<'_>> = queries
        .iter()
        .zip(&read)
        .map(|(queried, read)| Queried {
            accesses: read,
            is_open: queried.is_open && !read.is_empty(),
            ..*queried
        })
        .collect();
    let mut needs = needs(&replay.schema, &with_them, is_small);
    needs.values_mut().for_each(|needs| needs.retain(|need| need.sorts));
    needs.retain(|_, needs| !needs.is_empty());
    name_and_prove(candidates(&needs, &replay.schema), &replay.schema, &with_them)
}

/// All wanted indexes, each with the needs behind it.
fn needs(
    schema: &Schema,
    queries: &[Queried<'_>],
    is_small: &dyn Fn(&Name) -> bool,
) -> BTreeMap<Wanted, BTreeSet<Need>> {
    let mut needs: BTreeMap<Wanted, BTreeSet<Need>> = BTreeMap::new();
    let is_worth_it = |table: &Name| !is_small(table);
    for (at, queried) in queries.iter().enumerate().filter(|(_, queried)| queried.is_open) {
        let unserved = queried.accesses.iter().filter(|access| access.verdict == Verdict::Unserved);
        for access in unserved {
            let narrows = access.wanted.iter().any(Wanted::narrows);
            for wanted in &access.wanted {
                let need = Need { query: at, relation: access.relation, sorts: false, narrows };
                if is_worth_it(&wanted.table) {
                    needs.entry(wanted.clone()).or_default().insert(need);
                }
            }
        }
        for sort in sort::unindexed(queried.query, schema) {
            let is_served = queried
                .accesses
                .iter()
                .any(|access| access.relation == sort.relation && access.verdict != Verdict::Unserved);
            let need = Need { query: at, relation: sort.relation, sorts: true, narrows: false };
            if let (Some(wanted), true) =
                (sort.wanted, (is_served || sort.keeps_most) && is_worth_it(&sort.table))
            {
                needs.entry(wanted).or_default().insert(need);
            }
        }
    }
    needs
}

/// Groups wanted indexes, one candidate for as many as it can serve. Those that need an order, which nothing
/// else provides, and those with most keys come first.
fn candidates<'w>(needs: &'w BTreeMap<Wanted, BTreeSet<Need>>, schema: &Schema) -> Vec<Candidate<'w>> {
    let mut wanted: Vec<(&Wanted, &BTreeSet<Need>)> = needs.iter().collect();
    let keys = |wanted: &Wanted| wanted.equal.len() + wanted.rest.len();
    wanted.sort_by_key(|(wanted, _)| (&wanted.table, !wanted.ordered, std::cmp::Reverse(keys(wanted))));
    let mut candidates: Vec<Candidate<'w>> = Vec::new();
    let mut first_of_table = 0;
    for (wanted, needs) in wanted {
        if candidates.last().is_some_and(|last| last.index.table != wanted.table) {
            first_of_table = candidates.len();
        }
        let open = candidates.iter_mut().skip(first_of_table);
        let joined = open.filter(|candidate| candidate.members.len() < MOST_OF_TABLE).find_map(|candidate| {
            let mut members: Vec<&Wanted> = candidate.members.iter().map(|(member, _)| *member).collect();
            members.push(wanted);
            let index = merge::index(&members, schema)?;
            Some((candidate, index))
        });
        if let Some((candidate, index)) = joined {
            candidate.members.push((wanted, needs.clone()));
            candidate.index = index;
            continue;
        }
        let narrowed = candidates
            .iter_mut()
            .skip(first_of_table)
            .find(|candidate| merge::narrows(&candidate.index, wanted));
        if let Some(candidate) = narrowed {
            candidate.others.extend(needs.iter().cloned());
        } else if candidates.len() - first_of_table < MOST_OF_TABLE
            && let Some(index) = merge::index(&[wanted], schema)
        {
            candidates.push(Candidate {
                members: vec![(wanted, needs.clone())],
                others: BTreeSet::new(),
                index,
                name: String::new(),
            });
        }
    }
    candidates
}

/// Plans everything again with the candidates in the schema, and keeps the candidates that are needed, for
/// the needs that use them.
fn name_and_prove(
    mut candidates: Vec<Candidate<'_>>,
    schema: &Schema,
    queries: &[Queried<'_>],
) -> Vec<Advice> {
    let mut wanted: BTreeMap<Name, BTreeSet<Need>> = BTreeMap::new();
    for candidate in &candidates {
        wanted.entry(candidate.index.table.clone()).or_default().extend(candidate.needs());
    }
    // With a member fewer, an index may become shorter and stop serving others.
    let mut planned = Planned::new(schema, queries);
    planned.make(&mut candidates);
    for _ in 0..MOST_ROUNDS {
        let changed = prove(&mut candidates, &mut planned, schema);
        if !changed {
            break;
        }
        planned.make(&mut candidates);
    }
    // The needs of a dropped candidate fall to the others.
    let mut met = wanted;
    met.values_mut().for_each(|needs| needs.retain(|need| planned.is_met(need)));
    // A candidate may serve a query for which no index would be created.
    for (query, queried) in queries.iter().enumerate().filter(|(_, queried)| queried.is_open) {
        let unserved = queried.accesses.iter().filter(|access| access.verdict == Verdict::Unserved);
        for access in unserved.filter(|access| access.wanted.is_empty()) {
            let need = Need { query, relation: access.relation, sorts: false, narrows: false };
            if let Some(met) = met.get_mut(&access.table)
                && planned.is_met(&need)
            {
                met.insert(need);
            }
        }
    }
    let writers = writers(queries);
    let mut advice: Vec<Advice> = Vec::new();
    let uses = Uses::of(&met, &planned, queries);
    for Candidate { index, name, .. } in candidates {
        let replaces = audit::begins(schema, &planned.schema, &index.table, &name);
        let removed = planned.remove(&index.table, &name);
        let serves = uses
            .of_index(&index.table, &name)
            .filter(|(need, is_chosen)| *is_chosen || !planned.is_met(need));
        let serves: BTreeSet<usize> = serves.map(|(need, _)| need.query).collect();
        planned.restore(&index.table, removed);
        let writes = touching(&index, &writers, queries);
        advice.push(Advice {
            serves: serves.into_iter().collect(),
            writes,
            replaces,
            index,
            name,
            is_for_key: false,
        });
    }
    advice.sort_by(|a, b| b.serves.len().cmp(&a.serves.len()).then_with(|| a.index.cmp(&b.index)));
    advice
}

/// For each table, the positions of the queries that write to it.
fn writers<'q>(queries: &'q [Queried<'q>]) -> BTreeMap<&'q Name, BTreeSet<usize>> {
    let mut writers: BTreeMap<&Name, BTreeSet<usize>> = BTreeMap::new();
    for (at, queried) in queries.iter().enumerate() {
        for table in writes::written_tables(queried.query) {
            writers.entry(table).or_default().insert(at);
        }
    }
    writers
}

/// How many queries write data that an index covers.
fn touching(index: &NewIndex, writers: &BTreeMap<&Name, BTreeSet<usize>>, queries: &[Queried<'_>]) -> usize {
    let writers = writers.get(&index.table).into_iter().flatten().filter_map(|at| queries.get(*at));
    writers.filter(|writer| writes::touches(writer.query, index)).count()
}

/// Which needs may depend on which index. A need that uses no index of a given name is met without that
/// index.
struct Uses<'n> {
    /// By table and index; the flag says whether the index searches the need's own table.
    of_index: BTreeMap<(&'n Name, String), Vec<(&'n Need, bool)>>,
    /// By table: needs met by unnamed indexes, or by an order.
    of_any: BTreeMap<&'n Name, Vec<(&'n Need, bool)>>,
}

impl<'n> Uses<'n> {
    fn of(
        met: &'n BTreeMap<Name, BTreeSet<Need>>,
        planned: &Planned<'_>,
        queries: &[Queried<'_>],
    ) -> Uses<'n> {
        let mut uses = Uses { of_index: BTreeMap::new(), of_any: BTreeMap::new() };
        for (table, needs) in met {
            for need in needs {
                let Some(queried) = queries.get(need.query) else { continue };
                let read = planned.accesses(need.query);
                let is_unnamed =
                    |access: &Access| access.verdict == Verdict::Served && access.index.is_none();
                // If each arm of a disjunction has an index, or each table that inherits, the access names only one of them.
                let has_arms = |access: &Access| {
                    let is_of_heir = |wanted: &Wanted| wanted.table != access.table;
                    access.relation == need.relation
                        && (access.wanted.len() > 1 || access.wanted.iter().any(is_of_heir))
                };
                let is_any =
                    need.sorts || read.iter().any(is_unnamed) || queried.accesses.iter().any(has_arms);
                for access in read.iter() {
                    if let (Some(index), true) = (&access.index, access.table == *table) {
                        let is_chosen = access.relation == need.relation;
                        uses.of_index.entry((table, index.clone())).or_default().push((need, is_chosen));
                    }
                }
                if is_any {
                    uses.of_any.entry(table).or_default().push((need, false));
                }
            }
        }
        uses
    }

    /// The needs that may depend on an index; the flag says whether it searches the need's own table.
    fn of_index<'u>(
        &'u self,
        table: &'u Name,
        name: &str,
    ) -> impl Iterator<Item = &'u (&'u Need, bool)> + use<'u, 'n> {
        let named = self.of_index.get(&(table, name.to_owned()));
        named.into_iter().flatten().chain(self.of_any.get(table).into_iter().flatten())
    }
}

/// Drops candidates without which everything is still met, and members that do not need their candidate.
/// Returns whether any index changed.
fn prove(candidates: &mut Vec<Candidate<'_>>, planned: &mut Planned<'_>, schema: &Schema) -> bool {
    // The candidate that serves fewest needs is the likeliest to be redundant.
    candidates.sort_by_cached_key(|candidate| candidate.needs().len());
    let mut changed = false;
    candidates.retain_mut(|candidate| {
        let kept = |need: Need| planned.kept(&need).map(|kept| (need, kept));
        let met: BTreeMap<Need, f64> = candidate.needs().into_iter().filter_map(kept).collect();
        let chosen: BTreeSet<&Need> =
            met.keys().filter(|need| planned.is_chosen(need, &candidate.name)).collect();
        let removed = planned.remove(&candidate.index.table, &candidate.name);
        // An index that leaves many more rows to read is not a substitute.
        let is_missing = |need: &Need, with: f64| match planned.kept(need) {
            Some(kept) => need.narrows && kept > MAX_FAST_SELECTIVITY.max(with),
            None => true,
        };
        let missing: BTreeSet<&Need> =
            met.iter().filter(|(need, with)| is_missing(need, **with)).map(|(need, _)| need).collect();
        if missing.is_empty() {
            return false;
        }
        planned.restore(&candidate.index.table, removed);
        let is_for = |need: &Need| missing.contains(need) || chosen.contains(need);
        candidate.members.retain(|(_, needs)| needs.iter().any(is_for));
        let members: Vec<&Wanted> = candidate.members.iter().map(|(member, _)| *member).collect();
        if let Some(index) = merge::index(&members, schema)
            && index != candidate.index
        {
            candidate.index = index;
            changed = true;
        }
        true
    });
    changed
}
