//! The ways to read one relation, and what each costs.

use super::cost::{Cost, Search};
use super::estimate::{Keyed, Leaf};
use super::order::Order;
use super::paths::{Path, State};
use crate::schema::Index;

pub(super) fn number(of: usize) -> f64 {
    f64::from(u32::try_from(of).unwrap_or(u32::MAX))
}

/// The ways to read one relation.
pub(super) fn scans(at: usize, leaf: &Leaf<'_>, order: Option<&Order>) -> State {
    let mut state = State { rows: leaf.rows, paths: Vec::new() };
    if leaf.is_dead {
        let cost = Cost { startup: 0.0, total: 0.0 };
        state.add(Path { cost, slack: 0.0, marks: 0, direct: 0, is_ordered: false });
        return state;
    }
    let mut add = |cost, is_ordered| state.add(Path { cost, slack: 0.0, marks: 0, direct: 0, is_ordered });
    let (scan, base) = (leaf.heap().sequential(), leaf.base);
    let cost = Cost { startup: scan.startup + base.startup, total: scan.total + base.total };
    let is_given = order.is_some_and(|order| order.is_given_by(at, &leaf.sorted_by));
    add(cost, is_given);
    if leaf.may_be_sorted && order.is_some_and(|order| order.is_within(at)) && !is_given {
        add(cost, true);
    }
    for usable in leaf.usable().filter(|usable| usable.index.method == "btree") {
        let heap = usable.leaf.heap();
        let is_ordered = order.is_some_and(|order| order.is_of(at, leaf, usable.index));
        if is_ordered {
            add(heap.by_index(usable.walk()), true);
        }
        if let Some(search) = usable.search(|_| None) {
            add(heap.by_index(search), is_ordered);
            add(leaf.heap().by_bitmap(search), false);
        }
    }
    state
}

/// The search of an index by those of its columns that conditions are known on; `None` if there are none.
pub(super) fn search(index: &Index, mut keyed: impl FnMut(&str) -> Option<Keyed>) -> Option<Search> {
    let (mut search, mut used, mut is_bound, mut is_equal) = (Search::ALL, 0, true, true);
    for key in &index.keys {
        let Some(keyed) = key.as_column().and_then(&mut keyed) else {
            // Later columns are compared, entry by entry.
            is_bound = false;
            continue;
        };
        search.selectivity *= keyed.selectivity;
        search.operators += keyed.operators;
        used += 1;
        if is_bound {
            search.bound *= keyed.selectivity;
            search.descents *= keyed.descents;
        }
        is_equal &= keyed.is_equal;
        is_bound &= keyed.is_bound;
    }
    search.is_unique = index.unique && is_equal && used == index.keys.len();
    (used > 0).then_some(search)
}
