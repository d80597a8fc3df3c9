//! The ways to read one relation, and what each costs.

use super::cost::{Cost, Search};
use super::estimate::{Filter, Leaf};
use super::paths::{Order, Path, State};

pub(super) fn number(of: usize) -> f64 {
    f64::from(u32::try_from(of).unwrap_or(u32::MAX))
}

/// A table read in the order of an index.
pub(super) fn walk(leaf: &Leaf<'_>) -> Cost {
    leaf.heap().by_index(Search { selectivity: 1.0, operators: 0.0, is_unique: false, loops: 1.0 })
}

/// The ways to read one relation.
pub(super) fn scans(leaf: &Leaf<'_>, order: Option<&Order>) -> State {
    let heap = leaf.heap();
    let mut state = State { rows: leaf.rows, paths: Vec::new() };
    let mut add = |cost, is_ordered| state.add(Path { cost, marks: 0, is_ordered });
    add(heap.sequential(), false);
    let compared: Vec<(&str, bool)> = leaf.filters.iter().filter_map(Filter::compared).collect();
    for index in leaf.table.iter().flat_map(|table| &table.indexes) {
        if index.method != "btree" || index.predicate.is_some() || index.hidden {
            continue;
        }
        let is_ordered = order.is_some_and(|order| order.is_of(index));
        if is_ordered {
            add(walk(leaf), true);
        }
        let (mut selectivity, mut used, mut is_equal) = (1.0, 0, true);
        for key in &index.keys {
            let Some(column) = key.as_column() else { break };
            let mut searched = leaf.filters.iter().filter_map(Filter::searched);
            if let Some((_, part)) = searched.find(|(name, _)| *name == column) {
                selectivity *= part;
                (used, is_equal) = (used + 1, false);
                continue;
            }
            let of: Vec<bool> =
                compared.iter().filter(|(name, _)| *name == column).map(|(_, equal)| *equal).collect();
            if of.contains(&true) {
                selectivity *= leaf.of_equality(column);
                used += 1;
                continue;
            }
            if !of.is_empty() {
                selectivity *= if of.len() > 1 { 0.005 } else { 1.0 / 3.0 };
                add(by(leaf, selectivity, used + of.len(), false), is_ordered);
                used = 0;
            }
            break;
        }
        if used > 0 {
            add(
                by(leaf, selectivity, used, index.unique && is_equal && used == index.keys.len()),
                is_ordered,
            );
        }
    }
    state
}

/// One search of an index, or of its pages.
fn by(leaf: &Leaf<'_>, selectivity: f64, used: usize, is_unique: bool) -> Cost {
    let search = Search { selectivity, operators: number(used), is_unique, loops: 1.0 };
    let (index, bitmap) = (leaf.heap().by_index(search), leaf.heap().by_bitmap(search));
    if index.total <= bitmap.total { index } else { bitmap }
}
