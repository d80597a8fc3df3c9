//! The order in which the planner encounters the sets of relations that it joins. How many rows it expects of a set follows
//! from the first two that it joins to it.

use std::collections::HashSet;

use super::paths::Pair;
use super::tree::{Clause, OuterKind, Set, Tree};

impl Tree<'_> {
    /// The sets of several relations in that order, each with the first way to join it.
    pub(super) fn created(&self) -> Vec<(Set, Pair<'_>)> {
        let singles: Vec<Set> = (0..self.leaves.len()).map(|at| 1 << at).collect();
        let mut levels: Vec<Vec<Set>> = vec![Vec::new(), singles.clone()];
        let (mut all, mut known) = (Vec::new(), HashSet::new());
        for level in 2..=self.leaves.len() {
            let mut made = Vec::new();
            let mut add = |one: Set, other: Set| {
                if one & other == 0
                    && !known.contains(&(one | other))
                    && let Some(pair) = self.pair(one, other).or_else(|| self.pair(other, one))
                {
                    known.insert(one | other);
                    made.push(one | other);
                    all.push((one | other, pair));
                }
            };
            for one in levels.get(level - 1).into_iter().flatten() {
                let later = |single: &&Set| level > 2 || **single > *one;
                singles.iter().filter(later).for_each(|single| add(*one, *single));
            }
            for less in 2..=level / 2 {
                let (small, large) = (levels.get(less), levels.get(level - less));
                for one in small.into_iter().flatten() {
                    large.into_iter().flatten().for_each(|other| add(*one, *other));
                }
            }
            levels.push(made);
        }
        all
    }

    /// A condition that waits for the outer joins before it that may leave out what it reads. Those around it may not.
    pub(super) fn delayed(&self, mut clause: Clause) -> Clause {
        let mut before = 0;
        while before != clause.needs {
            before = clause.needs;
            for join in &self.outer {
                let is_full = join.kind == OuterKind::Full && join.needs & clause.needs != 0;
                if is_full || join.brings & clause.needs != 0 {
                    clause.needs |= join.needs | join.brings;
                }
            }
        }
        clause.is_delayed |= clause.needs != clause.of;
        clause
    }

    /// A condition of an outer join, which may read what one before it leaves out.
    pub(super) fn after_joins(&self, clause: Clause) -> Clause {
        let is_delayed = self.delayed(clause.clone()).is_delayed;
        Clause { is_delayed, ..clause }
    }
}
