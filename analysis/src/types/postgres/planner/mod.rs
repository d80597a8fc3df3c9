//! Which columns sqlx marks by the plan of outer joins: the plans that the planner may choose for tables without
//! statistics, by its own costs.
//!
//! sqlx prepares against a database that was just migrated, so that the planner knows of a table no more than
//! the schema. Plans that cost nearly the same are all possible.

mod cost;
mod estimate;
mod matches;
mod paths;
mod reduce;
mod scans;
mod tree;

use std::collections::HashSet;

use super::plan::Reading;
use crate::sql::query::{BlockId, RelationId};
use paths::{Order, WHOLE};
use tree::{Guess, Set, Tree};

/// How much more a plan of two relations may cost by these estimates than the cheapest one and still be chosen.
const NEARLY: f64 = 1.02;
/// The same for a plan of more relations.
const ROUGHLY: f64 = 1.1;
/// The same if their rows are asked for in an order: that of a join below another is not followed.
const ORDERED: f64 = 1.5;

/// What sqlx marks in a plan.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Marked {
    /// The relations whose columns it marks.
    relations: HashSet<RelationId>,
    /// Whether it marks every column: a full join is at the top.
    is_all: bool,
}

impl Marked {
    pub(super) fn marks(&self, relation: Option<RelationId>) -> bool {
        self.is_all || relation.is_some_and(|relation| self.relations.contains(&relation))
    }
}

/// What sqlx marks in each possible plan; `None` if the joins are too many or not understood.
pub(super) fn marked<'q>(reading: &Reading<'q>, root: BlockId) -> Option<Vec<Marked>> {
    let mut all: Vec<Marked> = Vec::new();
    for (rows, keeps) in [(1.0, 0.005), (100.0, 1.0 / 3.0), (1000.0, 1.0)] {
        let tree = Tree::new(reading, root, Guess { rows, keeps })?;
        if tree.outer.is_empty() {
            return Some(vec![Marked::default()]);
        }
        let mut found = vec![];
        let (order, is_sorted) = Order::of(reading, root, &tree);
        if !is_sorted {
            found = tree.possible(order.as_ref())?;
        }
        if is_sorted || tree.is_loose {
            found.push(0);
        }
        for marks in found {
            let leaves = tree.leaves.iter().enumerate().filter(|(at, _)| marks >> at & 1 == 1);
            let relations = leaves.map(|(_, leaf)| leaf.id).collect();
            let marked = Marked { relations, is_all: marks & WHOLE != 0 };
            if !all.contains(&marked) {
                all.push(marked);
            }
        }
    }
    Some(all)
}

impl Tree<'_> {
    /// What sqlx marks in the plans that cost nearly the least.
    fn possible(&self, order: Option<&Order>) -> Option<Vec<Set>> {
        let all = self.paths(order)?;
        let cheapest = all.iter().map(|(total, _)| *total).fold(f64::INFINITY, f64::min);
        let margin = match self.leaves.len() {
            0..=2 => NEARLY,
            _ if order.is_some() => ORDERED,
            _ => ROUGHLY,
        };
        let near = all.into_iter().filter(|(total, _)| *total <= cheapest * margin);
        Some(near.map(|(_, marks)| marks).collect())
    }
}
