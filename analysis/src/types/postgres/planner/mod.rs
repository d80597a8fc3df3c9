//! Which columns sqlx marks by the plan of outer joins: the plans that the planner may choose for tables without
//! statistics, by its own costs.
//!
//! sqlx prepares against a database that was just migrated, so that the planner knows of a table no more than
//! the schema. Plans that cost nearly the same are all possible.

mod cost;
mod derived;
mod estimate;
mod joins;
mod levels;
mod matches;
mod operators;
mod order;
mod partial;
mod paths;
mod patterns;
mod reduce;
mod relations;
mod scans;
mod sides;
mod sizes;
mod strict;
mod tree;

use std::collections::HashSet;

use super::plan::Reading;
use crate::sql::query::{BlockId, RelationId};
use estimate::Leaf;
use order::{Order, Sorting};
use paths::WHOLE;
use tree::{Guess, Set, Tree};

/// How much more a plan of two relations may cost by these estimates than the cheapest one and still be chosen.
const NEARLY: f64 = 1.02;
/// How much more a merge of three relations may cost by these estimates than it does: the order of one join that saves a sort
/// for the next is not followed.
const ROUGHLY: f64 = 1.15;
/// How much more a merge of more than three relations may cost than it does: these errors add up.
const COARSELY: f64 = 1.3;
/// How much more a plan of more than two relations may cost than the cheapest one if the query has an ORDER BY: the order of a
/// join below another is not followed.
const ORDERED: f64 = 3.0;

/// What may be expected of rows and conditions of which nothing is known.
const GUESSES: [(f64, f64); 5] =
    [(1.0, 0.005), (10.0, 0.05), (40.0, 0.15), (100.0, 1.0 / 3.0), (1000.0, 1.0)];

/// What sqlx marks in a plan.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Marked {
    /// The relations whose columns it marks.
    relations: HashSet<RelationId>,
    /// Those of them that the join reads without a step between.
    direct: HashSet<RelationId>,
    /// Whether it marks every column: a full join is at the top.
    is_all: bool,
    /// The relations that are not read, whose columns it names without them.
    pub(super) unread: HashSet<RelationId>,
    /// Those between which and the join there may be a step that remembers their rows.
    remembered: HashSet<RelationId>,
}

impl Marked {
    pub(super) fn marks(&self, relation: Option<RelationId>) -> bool {
        self.is_all || relation.is_some_and(|relation| self.relations.contains(&relation))
    }

    /// Whether it marks an expression over a relation's row; `None` if that depends on how the plan writes it.
    pub(super) fn marks_computed(&self, of: &[RelationId], is_wrapped: bool) -> Option<bool> {
        match of {
            _ if self.is_all => Some(true),
            _ if !of.iter().any(|relation| self.relations.contains(relation)) => Some(false),
            [one] if !self.direct.contains(one) => Some(true),
            // The join writes it in parentheses, and the scan below without them.
            [one] if is_wrapped && self.remembered.contains(one) => None,
            [_] if is_wrapped => Some(false),
            _ => None,
        }
    }
}

/// What sqlx marks in each possible plan; `None` if the joins are too many or not understood.
pub(super) fn marked<'q>(reading: &Reading<'q>, root: BlockId) -> Option<Vec<Marked>> {
    if order::is_sorted_in_any_case(reading, root) {
        return Some(vec![Marked::default()]);
    }
    let mut all: Vec<Marked> = Vec::new();
    let mut before = Vec::new();
    for (rows, keeps) in GUESSES {
        let tree = Tree::new(reading, root, Guess { rows, keeps })?;
        let sorting = Sorting::of(reading, root, &tree);
        let is_sorted = matches!(sorting, Sorting::Always);
        if !tree.pads() || tree.is_empty || tree.is_gated || is_sorted {
            return Some(vec![Marked::default()]);
        }
        if tree.is_unmodelled {
            return None;
        }
        // Most trees need no guess.
        let estimates = tree.estimates();
        if before == estimates {
            continue;
        }
        before = estimates;
        let is_weighed = !tree.has_one_plan() || !matches!(sorting, Sorting::Nothing);
        reading.weighs.set(reading.weighs.get() || is_weighed);
        let mut found = tree.possible(reading, sorting.order())?;
        if matches!(sorting, Sorting::Unknown) {
            found.push((0, 0));
        }
        for (marks, direct) in found {
            let of = |set: Set| {
                let leaves = tree.leaves.iter().enumerate().filter(|(at, _)| set >> at & 1 == 1);
                leaves.map(|(_, leaf)| leaf.id).collect()
            };
            let unread = tree.leaves.iter().filter(|leaf| leaf.is_dead).map(|leaf| leaf.id).collect();
            let is_all = marks & WHOLE != 0;
            let remembered = tree.leaves.iter().filter(|leaf| tree.may_be_remembered(leaf));
            let remembered = remembered.map(|leaf| leaf.id).collect();
            let marked = Marked { relations: of(marks), direct: of(direct), is_all, unread, remembered };
            if !all.contains(&marked) {
                all.push(marked);
            }
        }
    }
    Some(all)
}

impl Tree<'_> {
    /// Whether there is one way to run the joins, whatever it costs: a relation that is not read has nothing to compare, and
    /// one that depends on a key of the other is read for each of its rows.
    pub(super) fn has_one_plan(&self) -> bool {
        let compares = !self.clauses.is_empty() || self.outer.iter().any(|join| !join.on.is_empty());
        let is_key = |(of, name): &(usize, String)| self.leaf(*of).is_some_and(|of| of.is_unique(&[name]));
        let is_bound = |leaf: &Leaf<'_>| leaf.depends_on.iter().any(is_key) || !compares && leaf.is_dead;
        self.leaves.len() == 2 && self.leaves.iter().any(is_bound)
    }

    /// All that depends on guesses.
    fn estimates(&self) -> Vec<f64> {
        let relations = self.leaves.iter().flat_map(|leaf| [leaf.tuples, leaf.of_filters()]);
        let clauses = self.clauses.iter().chain(self.outer.iter().flat_map(|join| &join.on));
        relations.chain(clauses.map(|clause| clause.keeps)).collect()
    }

    /// What sqlx marks in the plans that cost nearly the least.
    fn possible(&self, reading: &Reading<'_>, order: Option<&Order>) -> Option<Vec<(Set, Set)>> {
        let all = self.paths(reading, order)?;
        let cheapest = all.iter().map(|total| total.most).fold(f64::INFINITY, f64::min);
        let margin = if self.leaves.len() > 2 && order.is_some() { ORDERED } else { NEARLY };
        let near = all.into_iter().filter(|total| total.least <= cheapest * margin);
        Some(near.map(|total| (total.marks, total.direct)).collect())
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_constants;
#[cfg(test)]
mod tests_of_scans;
