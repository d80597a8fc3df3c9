//! The ways to read one relation, and what each costs.

use super::cost::{Cost, Search};
use super::estimate::{Keyed, Leaf};
use super::paths::{Order, Path, State};
use crate::schema::Index;

pub(super) fn number(of: usize) -> f64 {
    f64::from(u32::try_from(of).unwrap_or(u32::MAX))
}

/// A table read in the order of an index.
pub(super) fn walk(leaf: &Leaf<'_>) -> Cost {
    leaf.heap().by_index(Search::ALL)
}

/// The ways to read one relation.
pub(super) fn scans(leaf: &Leaf<'_>, order: Option<&Order>) -> State {
    let mut state = State { rows: leaf.rows, paths: Vec::new() };
    if leaf.is_dead {
        let cost = Cost { startup: 0.0, total: 0.0 };
        state.add(Path { cost, slack: 0.0, marks: 0, direct: 0, is_ordered: false });
        return state;
    }
    let mut add = |cost, is_ordered| state.add(Path { cost, slack: 0.0, marks: 0, direct: 0, is_ordered });
    let (scan, base) = (leaf.heap().sequential(), leaf.base);
    let cost = Cost { startup: scan.startup + base.startup, total: scan.total + base.total };
    let is_given = order.is_some_and(|order| order.is_given_by(&leaf.sorted_by));
    add(cost, is_given);
    if leaf.may_be_sorted && order.is_some() && !is_given {
        add(cost, true);
    }
    for index in leaf.table.iter().flat_map(|table| &table.indexes) {
        if index.method != "btree" || index.predicate.is_some() || index.hidden {
            continue;
        }
        let is_ordered = order.is_some_and(|order| order.is_of(index));
        if is_ordered {
            add(walk(leaf), true);
        }
        if let Some(search) = search(index, |column| leaf.keyed(column)) {
            add(leaf.heap().by_index(search), is_ordered);
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
