//! The join order of a problem's tables, as a planner chooses it: start where the rest costs least.
//!
//! Three plans are made for PostgreSQL. The natural one uses hash joins and sorts. The second avoids scans,
//! hashing and sorting where it can, so it shows what the indexes allow; it starts at a table whose index
//! provides the wanted order, if there is one. The third sorts, and starts where an index finds few rows: which of
//! these two is cheaper depends on how many rows there are. Costs are in PostgreSQL's unit, a sequential page read.

use super::estimate::ROWS;
use super::item::Item;
use super::problem::{JoinGraph, Semi};
use super::relations::Relations;
use super::searches::{How, Served, Walk};
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Op};
use crate::sql::query::RelationId;

/// The planner to imitate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Planner {
    /// With hash joins and sorts.
    Natural,
    /// With scans, hashing and sorts penalised.
    Indexed,
    /// The same, from a table of which a search keeps few rows, whatever order is wanted: few rows are soon sorted.
    Narrow,
    /// With nested loops only: SQLite, MySQL.
    Nested,
}

/// The penalty for what is avoided.
const AVOIDED: f64 = 1e6;
/// The maximum number of relations for which a plan that begins where few rows are found is looked for.
const MOST_NARROW: usize = 16;
/// The cost of a full table scan.
const WALK: f64 = 150.0;
/// The cost of a full index scan.
const INDEX_WALK: f64 = 300.0;
/// The cost of one index lookup and its row.
const FIND: f64 = 8.3;
/// The maximum cost of lookups until all pages are cached.
const ALL_PAGES: f64 = 400.0;
/// The cost of a lookup in cached pages.
const FIND_AGAIN: f64 = 0.3;
/// The cost of reading one row by an index.
const ROW: f64 = 0.06;
/// The cost of comparing two rows in memory.
const COMPARE: f64 = 0.0025;
/// The cost of one hash table lookup.
const HASH: f64 = 0.01;
/// The cost of an index lookup and its row with nested loops only, which assume large tables.
const NESTED_FIND: f64 = 20.0;
const NESTED_ROW: f64 = 3.0;
/// The cost of sorting a row there: log2 of a million comparisons, each reading a row.
const NESTED_SORT: f64 = 60.0;
/// The maximum number of tables tried as the start.
const STARTS: usize = 16;

/// The relations of a problem and what restricts their order.
pub(super) struct Joined<'p, 's> {
    /// The tables.
    pub(super) items: &'p [Item<'s>],
    /// Relations that are not tables, with their row counts.
    pub(super) others: Vec<(RelationId, f64)>,
    /// The sort key of the wanted order, and expressions equal to it.
    pub(super) order: Vec<Expr>,
    /// Whether NULL is wanted at the opposite end from the default of an index.
    nulls_turned: bool,
    /// Relations that require others to be read first.
    inner: Vec<(Relations, Relations)>,
    /// Relations of semi-joins, for which only the existence of a row matters.
    semi: Relations,
    /// Those that cannot be read first with nested loops only.
    asked: Relations,
    /// Those of semi-joins that read one table.
    alone: Relations,
}

/// A plan under construction.
#[derive(Clone)]
struct Plan {
    reached: Relations,
    /// The access to each table: searched, in full, or not planned yet.
    reads: Vec<Option<Option<Served>>>,
    rows: f64,
    cost: f64,
    /// Whether the rows are in the wanted order.
    sorted: bool,
}

/// The next relation of a plan.
struct NextRead {
    cost: f64,
    rows: f64,
    read: Option<Served>,
}

impl<'p, 's> Joined<'p, 's> {
    pub(super) fn new(
        items: &'p [Item<'s>],
        others: Vec<(RelationId, f64)>,
        problem: &'p JoinGraph,
    ) -> Joined<'p, 's> {
        let mut order: Vec<Expr> = problem.order.iter().cloned().collect();
        for demand in problem.demands.iter().filter(|demand| demand.narrows.is_none()) {
            let Expr::Binary { op: Op::Eq, left, right } = &demand.condition else { continue };
            for (one, other) in [(left, right), (right, left)] {
                if problem.order.as_ref() == Some(one.as_ref()) && !other.is_constant() {
                    order.push(other.as_ref().clone());
                }
            }
        }
        let among = |asked: bool| {
            let semi = problem.semi.iter().filter(|semi| semi.is_asked || !asked);
            semi.flat_map(|semi| semi.relations.iter().copied()).collect()
        };
        // MySQL reads a table with one row before all others, whatever the query says.
        let is_one_row = |id: &RelationId| {
            let item = items.iter().find(|item| item.relation == *id);
            item.and_then(|item| item.alone().map(|alone| (item, alone))).is_some_and(|(item, alone)| {
                item.indexes.dialect == Dialect::MySql && ROWS * alone.kept <= 1.0
            })
        };
        let straight = problem.straight.iter().filter(|(inner, _)| !inner.iter().all(is_one_row));
        let straight = straight.map(|(inner, outer)| (inner.iter().collect(), outer.iter().collect()));
        let nulls_turned = problem.nulls_turned;
        Joined {
            items,
            others,
            order,
            nulls_turned,
            inner: problem.inner_sides().into_iter().chain(straight).collect(),
            semi: among(false),
            asked: among(true),
            alone: problem.semi.iter().filter_map(Semi::only).collect(),
        }
    }

    /// How each table is read; `None` for a full scan.
    pub(super) fn plan(&self, planner: Planner) -> Vec<Option<Served>> {
        if let ([only], true) = (self.items, self.others.is_empty())
            && (self.order.is_empty() || planner == Planner::Natural)
        {
            return vec![self.read(only, Relations::NONE, 1.0, planner).1];
        }
        // Without an order, the second plan starts there as well.
        let relations = self.items.len() + self.others.len();
        if planner == Planner::Narrow && (self.order.is_empty() || !(2..=MOST_NARROW).contains(&relations)) {
            return vec![None; self.items.len()];
        }
        let mut best: Option<Plan> = None;
        for start in self.starts(planner) {
            let plan = self.finish(start, planner);
            if best.as_ref().is_none_or(|best| plan.cost < best.cost) {
                best = Some(plan);
            }
        }
        let reads = best.map_or_else(Vec::new, |plan| plan.reads);
        let mut reads: Vec<Option<Served>> = reads.into_iter().map(Option::flatten).collect();
        reads.resize(self.items.len(), None);
        reads
    }

    /// The relations that indexes can reach without the rows of `item`.
    pub(super) fn without(&self, item: &Item<'_>) -> Relations {
        let mut reached: Relations = self.others.iter().map(|(id, _)| id).collect();
        loop {
            let mut open = self.items.iter().filter(|other| other.relation != item.relation);
            let next =
                open.find(|other| !reached.contains(other.relation) && other.search(reached).is_some());
            match next {
                Some(other) => reached.insert(other.relation),
                None => return reached,
            }
        }
    }

    /// Every possible start.
    fn starts(&self, planner: Planner) -> Vec<Plan> {
        let mut first: Vec<(usize, f64)> = (0..self.items.len() + self.others.len())
            .filter(|at| self.may_start(*at, planner))
            .map(|at| (at, self.own_rows(at)))
            .collect();
        if first.len() > STARTS {
            first.sort_by(|a, b| a.1.total_cmp(&b.1));
            first.truncate(STARTS);
        }
        let mut starts = Vec::new();
        let unordered = match planner {
            Planner::Indexed if !self.order.is_empty() => AVOIDED,
            _ => 0.0,
        };
        for (at, rows) in first {
            let empty = Plan {
                reached: Relations::NONE,
                reads: vec![None; self.items.len()],
                rows: 1.0,
                cost: 0.0,
                sorted: false,
            };
            let Some(item) = self.items.get(at) else {
                let mut plan = Plan { rows, cost: rows * HASH + unordered, ..empty };
                plan.reached.insert(self.relation(at));
                starts.push(plan);
                continue;
            };
            let (cost, read) = self.read(item, Relations::NONE, 1.0, planner);
            let rows = left(planner, read, 1.0, rows);
            starts.push(Plan { cost: cost + unordered, ..empty.clone() }.with(at, item, read, rows));
            if matches!(planner, Planner::Indexed | Planner::Nested)
                && let Some(walk) = self.order.iter().find_map(|key| item.ordered(key, self.nulls_turned))
            {
                let nested = planner == Planner::Nested;
                let (cost, read) = match walk {
                    Walk::Whole if nested => (ROWS * NESTED_ROW, None),
                    Walk::Whole => (INDEX_WALK, None),
                    Walk::Served(served) if nested => {
                        (NESTED_FIND + ROWS * served.kept * NESTED_ROW, Some(served))
                    }
                    Walk::Served(served) if served.how == How::WalkedWhole => (INDEX_WALK, Some(served)),
                    Walk::Served(served) => (FIND + ROWS * served.kept * ROW, Some(served)),
                };
                let rows = left(planner, read, 1.0, ROWS * item.own_kept);
                starts.push(Plan { cost, sorted: true, ..empty }.with(at, item, read, rows));
            }
        }
        starts
    }

    /// Completes the plan, adding the cheapest relation at each step.
    fn finish(&self, mut plan: Plan, planner: Planner) -> Plan {
        let all = self.items.len() + self.others.len();
        while plan.reached.len() < all {
            let mut best: Option<(f64, usize, NextRead)> = None;
            let free = (0..all).filter(|at| !plan.reached.contains(self.relation(*at)));
            let may_follow = |at: &usize| self.may_follow(*at, plan.reached);
            let is_free_for_all = !free.clone().any(|at| may_follow(&at));
            for at in free.filter(|at| is_free_for_all || may_follow(at)) {
                let next = self.step(&plan, at, planner);
                let weight = next.cost + next.rows.max(1.0) * FIND_AGAIN;
                if best.as_ref().is_none_or(|(least, ..)| weight < *least) {
                    best = Some((weight, at, next));
                }
            }
            match best {
                Some((_, at, next)) => {
                    plan.cost = next.cost;
                    plan = match self.items.get(at) {
                        Some(item) => plan.with(at, item, next.read, next.rows),
                        None => {
                            plan.rows = next.rows;
                            plan.reached.insert(self.relation(at));
                            plan
                        }
                    };
                }
                None => break,
            }
        }
        if planner == Planner::Nested && !plan.sorted && !self.order.is_empty() {
            plan.cost += plan.rows * NESTED_SORT;
        }
        plan
    }

    /// The cost of adding one more relation.
    fn step(&self, plan: &Plan, at: usize, planner: Planner) -> NextRead {
        let Some(item) = self.items.get(at) else {
            let rows = self.own_rows(at);
            let compare = if planner == Planner::Nested { NESTED_ROW } else { COMPARE };
            let cost = plan.cost + rows * HASH + plan.rows * rows * compare;
            return NextRead { cost, rows: (plan.rows * rows / ROWS).max(plan.rows), read: None };
        };
        let (cost, read) = self.read(item, plan.reached, plan.rows, planner);
        // SQLite does not expect a condition on other tables to discard rows of a scan.
        let is_scan = planner == Planner::Nested && read.is_none() && item.indexes.dialect == Dialect::Sqlite;
        let rows = match self.semi.contains(item.relation) {
            true => plan.rows,
            false if is_scan => plan.rows * self.own_rows(at),
            false => left(planner, read, plan.rows, plan.rows * item.rows(plan.reached)),
        };
        NextRead { cost: plan.cost + cost, rows, read }
    }

    /// The cost of reading a table for each of `outer` rows, and how it is read.
    fn read(
        &self,
        item: &Item<'_>,
        reached: Relations,
        outer: f64,
        planner: Planner,
    ) -> (f64, Option<Served>) {
        let own = ROWS * item.own_kept;
        let full = match planner {
            Planner::Natural => WALK + outer * HASH,
            Planner::Indexed | Planner::Narrow if !item.has_whole_index() => AVOIDED + outer * own * COMPARE,
            Planner::Indexed | Planner::Narrow => INDEX_WALK + outer * own * COMPARE,
            Planner::Nested => outer * ROWS * NESTED_ROW,
        };
        let Some(served) = item.search(reached) else { return (full, None) };
        let found = ROWS * served.kept;
        let alone = item.alone().is_some_and(|alone| alone.kept <= served.kept);
        let searched = match served.how {
            How::WalkedWhole => full * 0.9,
            // For many rows of others, SQLite rather makes an index for the run.
            How::WalkedPartial | How::FilteredPartial if planner == Planner::Nested => {
                if outer > 1.0 && item.is_joined_by_value(reached) {
                    return (full, None);
                }
                outer * (NESTED_FIND + found * NESTED_ROW)
            }
            How::WalkedPartial | How::FilteredPartial => FIND + own * ROW + outer * own * COMPARE,
            How::Searched(_) if planner == Planner::Nested => outer * (NESTED_FIND + found * NESTED_ROW),
            How::Searched(_) if alone => FIND + found * ROW + outer * found.min(own) * COMPARE,
            How::Searched(_) => {
                (FIND * outer).min(ALL_PAGES) + outer * (FIND_AGAIN + (found - 1.0).max(0.0) * ROW)
            }
        };
        // A search by a constant pays unless it selects nearly all rows.
        let worth = match planner {
            Planner::Natural if alone => match served.how {
                How::Searched(_) => served.kept < 0.9,
                How::WalkedPartial | How::FilteredPartial => true,
                How::WalkedWhole => false,
            },
            Planner::Natural => searched <= full,
            Planner::Nested => searched < full,
            Planner::Indexed | Planner::Narrow => searched <= full || served.how != How::WalkedWhole,
        };
        if worth { (searched, Some(served)) } else { (full, None) }
    }

    fn relation(&self, at: usize) -> RelationId {
        match self.items.get(at) {
            Some(item) => item.relation,
            None => self.others[at - self.items.len()].0,
        }
    }

    /// How many rows a relation has by itself.
    fn own_rows(&self, at: usize) -> f64 {
        match self.items.get(at) {
            Some(item) => ROWS * item.own_kept,
            None => self.others[at - self.items.len()].1,
        }
    }

    fn may_start(&self, at: usize, planner: Planner) -> bool {
        let id = self.relation(at);
        let held = |id: RelationId| {
            self.inner.iter().any(|(inner, _)| inner.contains(id))
                || planner == Planner::Indexed && self.semi.contains(id) && !self.is_narrow(id)
                || planner == Planner::Narrow && self.semi.contains(id)
                || planner == Planner::Nested && self.asked.contains(id)
        };
        if planner == Planner::Narrow {
            let finds_few = |item: &Item<'_>| item.is_narrow() && item.alone().is_some_and(|it| it.leads());
            return !held(id) && self.items.get(at).is_some_and(finds_few);
        }
        let all = (0..self.items.len() + self.others.len()).map(|at| self.relation(at));
        !held(id) || all.into_iter().all(held)
    }

    /// Whether a semi-join reads one table of which its own conditions keep few rows, so that PostgreSQL makes a list of them
    /// without duplicates and looks each up in the other tables.
    fn is_narrow(&self, id: RelationId) -> bool {
        self.alone.contains(id) && self.items.iter().any(|item| item.relation == id && item.is_narrow())
    }

    /// Whether a relation may be read before all others: it is no inner side of an outer join, and not that of an IN or EXISTS.
    pub(super) fn may_be_first(&self, id: RelationId) -> bool {
        let is_inner = self.inner.iter().any(|(inner, _)| inner.contains(id));
        !is_inner && !self.semi.contains(id) && !self.asked.contains(id)
    }

    fn may_follow(&self, at: usize, reached: Relations) -> bool {
        let id = self.relation(at);
        self.inner
            .iter()
            .filter(|(inner, _)| inner.contains(id))
            .all(|(_, outer)| reached.contains_all(*outer))
    }
}

impl Plan {
    fn with(mut self, at: usize, item: &Item<'_>, read: Option<Served>, rows: f64) -> Plan {
        self.reached.insert(item.relation);
        if let Some(slot) = self.reads.get_mut(at) {
            *slot = Some(read);
        }
        self.rows = rows.max(1.0);
        self
    }
}

/// How many rows remain. Without statistics, the result of an index search is not reduced further.
fn left(planner: Planner, read: Option<Served>, outer: f64, all: f64) -> f64 {
    match (planner, read) {
        (Planner::Nested, Some(served)) => outer * ROWS * served.kept,
        _ => all,
    }
}

/// The planners to imitate for a dialect.
pub(super) fn planners(dialect: Dialect) -> &'static [Planner] {
    match dialect {
        Dialect::Postgres => &[Planner::Natural, Planner::Indexed, Planner::Narrow],
        Dialect::MySql | Dialect::Sqlite => &[Planner::Nested],
    }
}
