//! What the planner removes before it joins: conditions on constants, and joins of which nothing is read.

use std::collections::HashSet;

use super::super::plan::Reading;
use super::estimate::{Filter, Leaf};
use super::sides::COMPUTED;
use super::tree::{Clause, OuterKind, Set, Tree};
use crate::sql::expr::Expr;
use crate::sql::query::BlockId;

impl<'q> Tree<'q> {
    /// What equals a constant, and what is equal to it in turn.
    pub(super) fn spread_constants(&mut self) {
        let mut fixed: HashSet<(usize, String)> = HashSet::new();
        for (at, leaf) in self.leaves.iter().enumerate() {
            let constants = leaf.filters.iter().filter_map(Filter::compared).filter(|(_, equal)| *equal);
            fixed.extend(constants.map(|(column, _)| (at, column.to_owned())));
        }
        loop {
            let before = fixed.len();
            let mut add = |leaves: &mut Vec<Leaf<'q>>, of: &(usize, String)| {
                if fixed.insert(of.clone())
                    && let Some(leaf) = leaves.get_mut(of.0)
                {
                    leaf.filters.push(Filter::Derived(of.1.clone()));
                }
            };
            let known: HashSet<_> = self.leaves.iter().enumerate().flat_map(fixed_columns).collect();
            let optional: Set = self.outer.iter().fold(0, |all, join| all | join.right);
            for clause in &self.clauses {
                let Some([one, other]) = &clause.equal else { continue };
                if clause.of & optional != 0 {
                    continue;
                }
                match (known.contains(one), known.contains(other)) {
                    (true, false) => add(&mut self.leaves, other),
                    (false, true) => add(&mut self.leaves, one),
                    _ => {}
                }
            }
            for join in &mut self.outer {
                if join.kind == OuterKind::Full {
                    continue;
                }
                let right = join.right;
                join.on.retain(|clause| {
                    let Some([one, other]) = &clause.equal else { return true };
                    let (kept, optional) = if right >> one.0 & 1 == 1 { (other, one) } else { (one, other) };
                    if !known.contains(kept) || right >> kept.0 & 1 == 1 {
                        return true;
                    }
                    add(&mut self.leaves, optional);
                    false
                });
            }
            if fixed.len() == before {
                break;
            }
        }
        let known: HashSet<_> = self.leaves.iter().enumerate().flat_map(fixed_columns).collect();
        let (mut replaced, mut seen) = (Vec::new(), HashSet::new());
        self.clauses.retain(|clause| match &clause.equal {
            Some([one, other]) if known.contains(one) && known.contains(other) => {
                replaced.push(clause.of);
                false
            }
            // The same equality in ON and in WHERE is one.
            Some([one, other]) if is_column(one) && is_column(other) => {
                let pair = if one < other { (one, other) } else { (other, one) };
                seen.insert((pair.0.clone(), pair.1.clone()))
            }
            _ => true,
        });
        self.replaced = replaced;
    }

    /// Whether a column equals another constant as well: the planner compares the two before it reads anything.
    pub(super) fn is_fixed_twice(&self, leaf: usize, condition: &'q Expr) -> bool {
        let condition = Filter::Written(condition);
        let Some((column, true)) = condition.compared() else { return false };
        let before = self.leaves.get(leaf).into_iter().flat_map(|leaf| &leaf.filters);
        before.into_iter().any(|other| other.compared() == Some((column, true)) && *other != condition)
    }

    /// Drops joins that find at most one row of a table of which nothing else is read.
    pub(super) fn drop_useless(&mut self, reading: &Reading<'q>, root: BlockId) {
        let block = reading.query.block(root);
        loop {
            let mut read = self.clauses.iter().fold(0, |read, clause| read | clause.of);
            for output in block.outputs.iter().flatten() {
                read |= self.of(reading, &output.expr);
            }
            for key in &block.order_by {
                read |= self.of(reading, &key.expr);
            }
            let depended = self.leaves.iter().flat_map(|leaf| &leaf.depends_on);
            read |= depended.fold(0, |all, (on, _)| all | 1 << on);
            let useless = self.outer.iter().enumerate().position(|(at, join)| {
                let others = self.outer.iter().enumerate().filter(|(other, _)| *other != at);
                let read = others.flat_map(|(_, join)| &join.on).fold(read, |read, clause| read | clause.of);
                let Some(leaf) = self.only(join.right) else { return false };
                let equal = join.on.iter().filter_map(|clause| clause.equal.as_ref());
                let mut columns: Vec<&str> =
                    equal.flatten().filter(|(of, _)| *of == leaf).map(|(_, name)| name.as_str()).collect();
                let Some(found) = self.leaves.get(leaf) else { return false };
                columns.extend(
                    found
                        .filters
                        .iter()
                        .filter_map(Filter::compared)
                        .filter(|(_, equal)| *equal)
                        .map(|it| it.0),
                );
                join.kind == OuterKind::Left && read & join.right == 0 && found.has_one(&columns)
            });
            let Some(useless) = useless else { return };
            let join = self.outer.swap_remove(useless);
            self.remove(join.right.trailing_zeros() as usize);
        }
    }

    fn remove(&mut self, leaf: usize) {
        let without = |of: Set| of & ((1 << leaf) - 1) | of >> (leaf + 1) << leaf;
        let moved = |clause: &mut Clause| {
            clause.of = without(clause.of);
            clause.needs = without(clause.needs);
            for (of, _) in clause.equal.iter_mut().flatten() {
                *of -= usize::from(*of > leaf);
            }
        };
        if leaf < self.leaves.len() {
            self.leaves.remove(leaf);
        }
        self.bits.values_mut().for_each(|bit| *bit = without(*bit));
        self.clauses.iter_mut().for_each(moved);
        for join in &mut self.outer {
            for of in [&mut join.needs, &mut join.brings, &mut join.left, &mut join.right] {
                *of = without(*of);
            }
            join.on.iter_mut().for_each(moved);
        }
        let read = self.leaves.iter_mut().flat_map(|of| &mut of.depends_on);
        read.for_each(|(of, _)| *of -= usize::from(*of > leaf));
        self.replaced.iter_mut().for_each(|of| *of = without(*of));
    }
}

/// Whether a side of an equality is a column, and no expression.
fn is_column((_, name): &(usize, String)) -> bool {
    name != COMPUTED
}

fn fixed_columns<'l>((at, leaf): (usize, &'l Leaf<'_>)) -> impl Iterator<Item = (usize, String)> + use<'l> {
    let constants = leaf.filters.iter().filter_map(Filter::compared).filter(|(_, equal)| *equal);
    constants.map(move |(column, _)| (at, column.to_owned()))
}
