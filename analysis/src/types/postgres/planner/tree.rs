//! The joins of a query as the planner sees them: scanned relations, outer joins, and their conditions.

use std::collections::{HashMap, HashSet};

use super::super::plan::Reading;
use super::estimate::{Filter, Leaf};
use super::strict::{
    Demand, has_dead_arm, has_subquery, is_always_true, is_denied_inequality, is_gate, is_null_test, living,
    null_test, refuted,
};
use crate::sql::expr::Expr;
use crate::sql::query::{BlockId, Body, From, JoinKind, RelationId};

/// Scanned relations, a bit for each.
pub(super) type Set = u16;

/// A condition on several relations.
#[derive(Debug, Clone)]
pub(super) struct Clause {
    /// Those that it reads.
    pub(super) of: Set,
    /// Those that have to be joined before it: an outer join may leave out what it reads.
    pub(super) needs: Set,
    /// The two columns whose equality it is.
    pub(super) equal: Option<[(usize, String); 2]>,
    pub(super) operators: f64,
    /// The part of the rows that it keeps if it is not an equality.
    pub(super) keeps: f64,
    /// Whether it waits for an outer join before it: the planner does not look for a foreign key in it.
    pub(super) is_delayed: bool,
}

/// An outer join.
#[derive(Debug, Clone)]
pub(super) struct Outer {
    /// The relations on its kept side that have to be joined before it.
    pub(super) needs: Set,
    /// The relations on its other side that have to be joined before it.
    pub(super) brings: Set,
    /// All relations on its kept side.
    pub(super) left: Set,
    /// All relations on its other side.
    pub(super) right: Set,
    /// Whether it finds nothing for a kept row that is missing itself.
    pub(super) is_strict: bool,
    pub(super) kind: OuterKind,
    pub(super) on: Vec<Clause>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OuterKind {
    Left,
    Full,
    /// Rows of the kept side that find none.
    Anti,
}

/// The joins of a query.
#[derive(Debug, Default)]
pub(super) struct Tree<'q> {
    pub(super) leaves: Vec<Leaf<'q>>,
    pub(super) outer: Vec<Outer>,
    pub(super) clauses: Vec<Clause>,
    /// The relations of equalities in whose place each side is compared with a constant.
    pub(super) replaced: Vec<Set>,
    /// Whether the joins depend on what is not known: a subquery may become one of them, or a condition may
    /// make an outer join an inner one.
    pub(super) is_vague: bool,
    /// Whether what the joins cost is not known.
    pub(super) is_unmodelled: bool,
    /// Whether a condition is evaluated once before all joins.
    pub(super) is_gated: bool,
    /// Whether the planner knows that there are no rows.
    pub(super) is_empty: bool,
    /// Columns that WHERE demands to be NULL.
    missing: HashSet<(RelationId, String)>,
    pub(super) bits: HashMap<RelationId, Set>,
}

/// What is assumed where nothing is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guess {
    /// The rows of a relation that is not a table.
    pub(super) rows: f64,
    /// The part of rows that a condition keeps.
    pub(super) keeps: f64,
}

impl<'q> Tree<'q> {
    /// The joins of a block; `None` if there are too many, or they are not understood.
    pub(super) fn new(reading: &Reading<'q>, root: BlockId, guess: Guess) -> Option<Tree<'q>> {
        let mut tree = Tree::default();
        for condition in reading.query.block(root).filters() {
            if let Some((expr, false)) = null_test(condition)
                && let Some(leaf) = reading.leaf(expr, 0)
            {
                tree.missing.insert(leaf);
            }
        }
        tree.block(reading, root, &Demand::default(), guess)?;
        // What is joined to a relation that is not read may not be read either, unless it is joined to one that is.
        let dead =
            tree.leaves.iter().enumerate().fold(0, |all, (at, leaf)| all | Set::from(leaf.is_dead) << at);
        let optional = tree.outer.iter().fold(0, |all, join| all | join.right);
        tree.is_vague |= tree.outer.iter().any(|join| join.needs & dead != 0 && join.needs & !optional == 0);
        if tree.is_vague && !tree.is_empty && !tree.outer.is_empty() {
            if tree.pads() {
                return None;
            }
            tree.is_unmodelled = true;
        }
        tree.spread_constants();
        tree.drop_useless(reading, root);
        tree.find_partial_indexes(reading);
        for leaf in &mut tree.leaves {
            leaf.estimate();
        }
        Some(tree)
    }

    /// Whether a join pads rows: one that keeps the rows that find none has nothing to pad.
    pub(super) fn pads(&self) -> bool {
        self.outer.iter().any(|join| join.kind != OuterKind::Anti)
    }

    fn block(
        &mut self,
        reading: &Reading<'q>,
        id: BlockId,
        present: &Demand,
        guess: Guess,
    ) -> Option<Joined> {
        let block = reading.query.block(id);
        let (target, from) = match &block.body {
            Body::Select(select) => (None, &select.from),
            Body::Write(write) => (Some(write.target), &write.from),
            _ => return None,
        };
        let mut present = present.clone();
        let demand = Demand::of(reading, block.filters());
        present.add(demand);
        let mut all = Joined::default();
        // The target of DELETE is in its FROM as well.
        let is_listed = |target: &RelationId| from.iter().any(|item| item.relations().contains(target));
        if let Some(target) = target.filter(|target| !is_listed(target)) {
            all.set = self.relation(reading, target, guess)?;
        }
        for item in from {
            let one = reading.deeper(|| self.item(reading, item, &present, guess))??;
            // All of several are joined by inner joins.
            let inner = if all.set == 0 { one.inner } else { all.set | one.set };
            all = Joined { set: all.set | one.set, inner };
        }
        for condition in block.filters() {
            match self.only(all.set).and_then(|leaf| self.leaves.get_mut(leaf)) {
                Some(leaf) if present.is_optional && reading.is_never_true(condition, 0) => {
                    leaf.is_dead = true;
                }
                _ => self.condition(reading, condition, present.is_optional, guess),
            }
        }
        Some(all)
    }

    fn item(
        &mut self,
        reading: &Reading<'q>,
        item: &'q From,
        present: &Demand,
        guess: Guess,
    ) -> Option<Joined> {
        let (kind, left, right, on) = match item {
            From::Relation(id) => {
                let joined = match reading.pulled_up(*id) {
                    Some(block) => {
                        // Its conditions become those of the outer join.
                        let is_lateral = reading.query.relation(*id).lateral;
                        self.is_vague |=
                            present.is_optional && is_lateral && reading.query.block(block).correlated;
                        self.block(reading, block, present, guess)?
                    }
                    None => Joined { set: self.relation(reading, *id, guess)?, inner: 0 },
                };
                self.bits.insert(*id, joined.set);
                return Some(joined);
            }
            From::Join { kind, left, right, on } => (*kind, left, right, on),
        };
        let strict = Demand::of(reading, on);
        let mut inner = present.clone();
        inner.add(strict.clone());
        let mut has = |side: &From| {
            let leaves = leaves_of(reading, side);
            let sure = leaves.iter().any(|id| present.sure.contains(id));
            self.is_vague |= !sure && leaves.iter().any(|id| present.possible.contains(id));
            sure
        };
        let kind = match kind {
            JoinKind::Left if has(right) => JoinKind::Inner,
            JoinKind::Right if has(left) => JoinKind::Inner,
            JoinKind::Full => match (has(left), has(right)) {
                (true, true) => JoinKind::Inner,
                (true, false) => JoinKind::Left,
                (false, true) => JoinKind::Right,
                (false, false) => JoinKind::Full,
            },
            kind => kind,
        };
        let (kept, optional) = if kind == JoinKind::Right { (right, left) } else { (left, right) };
        let is_inner = !matches!(kind, JoinKind::Left | JoinKind::Right | JoinKind::Full);
        let none = Demand { is_optional: true, ..Demand::default() };
        inner.is_optional |= !is_inner;
        let (for_kept, for_optional) = match kind {
            JoinKind::Full => (&none, &none),
            _ if is_inner => (&inner, &inner),
            _ => (present, &inner),
        };
        let left = reading.deeper(|| self.item(reading, kept, for_kept, guess))??;
        let was_vague = self.is_vague;
        let right = reading.deeper(|| self.item(reading, optional, for_optional, guess))??;
        // What depends on other rows is read for each of them, whatever the join compares.
        if let (false, From::Relation(id)) = (is_inner, optional.as_ref())
            && self
                .only(right.set)
                .and_then(|at| self.leaf(at))
                .is_some_and(|leaf| !leaf.depends_on.is_empty())
            && reading.pulled_up(*id).is_none()
        {
            self.is_vague = was_vague;
        }
        let set = left.set | right.set;
        if is_inner {
            if on.iter().flat_map(Expr::conjuncts).any(|condition| reading.is_never_true(condition, 0)) {
                self.is_empty |= !present.is_optional;
                self.is_vague |= present.is_optional;
            }
            on.iter()
                .flat_map(Expr::conjuncts)
                .for_each(|condition| self.condition(reading, condition, present.is_optional, guess));
            return Some(Joined { set, inner: set });
        }
        self.outer_join(reading, (left, right), kind, on.as_ref(), &strict, guess);
        Some(Joined { set, inner: left.inner | right.inner })
    }

    fn outer_join(
        &mut self,
        reading: &Reading<'q>,
        (left, right): (Joined, Joined),
        kind: JoinKind,
        on: Option<&'q Expr>,
        strict: &Demand,
        guess: Guess,
    ) {
        let (inner, left, right) = (right.inner, left.set, right.set);
        let mut clauses = Vec::new();
        let (mut compared, mut refuting) = (0, HashSet::new());
        let on: Vec<&Expr> = on.into_iter().flat_map(Expr::conjuncts).collect();
        let is_dead = on.iter().any(|condition| reading.is_never_true(condition, 0));
        // The rest of its condition is not evaluated either.
        let dead = self.only(right).filter(|_| is_dead && kind != JoinKind::Full);
        let on = on.into_iter().filter(|condition| dead.is_none() && !is_always_true(reading, condition));
        for condition in on {
            self.is_vague |= is_dead || has_subquery(reading, condition) || has_dead_arm(reading, condition);
            refuting.extend(refuted(reading, condition));
            let of = self.of(reading, condition);
            compared |= of;
            if let (true, Some(leaf)) = (kind != JoinKind::Full && of & !right == 0, self.only(of)) {
                self.filter(leaf, condition);
            } else {
                let clause = self.clause(reading, condition, of, guess);
                clauses.push(self.after_joins(clause));
            }
        }
        let strict = match dead.and_then(|dead| self.leaves.get_mut(dead)) {
            Some(dead) => {
                dead.is_dead = true;
                0
            }
            None => strict.sure.iter().fold(0, |strict, id| strict | self.bit(*id)),
        };
        let is_missing = self.missing.iter().any(|of| refuting.contains(of) && self.bit(of.0) & right != 0);
        let kind = match kind {
            JoinKind::Full => OuterKind::Full,
            _ if is_missing => OuterKind::Anti,
            _ => OuterKind::Left,
        };
        let mut join = Outer {
            needs: left,
            brings: right,
            left,
            right,
            is_strict: strict & left != 0,
            kind,
            on: clauses,
        };
        if kind != OuterKind::Full {
            self.bind(&mut join, compared, inner, strict);
        } else if self.leaves.iter().filter(|leaf| leaf.is_dead).count() > 1 {
            // If both sides are empty, so is the join.
            self.is_vague = true;
        }
        self.outer.push(join);
    }

    /// The relations before an outer join that have to be joined before it, by the planner's rules.
    fn bind(&self, join: &mut Outer, compared: Set, inner: Set, strict: Set) {
        let (mut needs, mut brings) = (compared & join.left, (compared | inner) & join.right);
        for below in &self.outer {
            let whole = below.left | below.right;
            if below.kind == OuterKind::Full {
                needs |= if whole & join.left == 0 { 0 } else { whole };
                brings |= if whole & join.right == 0 { 0 } else { whole };
                continue;
            }
            let is_compared = compared & below.right != 0;
            let is_anti = join.kind == OuterKind::Anti;
            if join.left & below.right != 0 && is_compared && (is_anti || strict & below.brings == 0) {
                needs |= whole;
            }
            let is_bound = is_compared
                || compared & below.needs == 0
                || is_anti
                || below.kind == OuterKind::Anti
                || !below.is_strict;
            if join.right & below.right != 0 && is_bound {
                brings |= whole;
            }
        }
        join.needs = if needs == 0 { join.left } else { needs };
        join.brings = if brings == 0 { join.right } else { brings };
    }

    /// Adds a condition that all rows satisfy, or all of an optional side.
    fn condition(&mut self, reading: &Reading<'q>, condition: &'q Expr, is_optional: bool, guess: Guess) {
        if is_always_true(reading, condition) {
            return;
        }
        // It is evaluated once, above all joins, unless it empties a side of one of them.
        let is_never = reading.is_never_true(condition, 0);
        (self.is_empty, self.is_vague) =
            (self.is_empty || is_never && !is_optional, self.is_vague || is_never);
        if let Some(left) = living(reading, condition) {
            // The planner looks for `IS NULL` and what it demands in what is left as well.
            self.is_vague |= left.conjuncts().iter().any(is_null_test);
            left.conjuncts().iter().for_each(|part| self.condition(reading, part, is_optional, guess));
            return;
        }
        if has_subquery(reading, condition) || has_dead_arm(reading, condition) {
            self.is_vague = true;
            return;
        }
        let of = self.of(reading, condition);
        let is_right =
            |kind: OuterKind| self.outer.iter().any(|join| join.right & of != 0 && join.kind == kind);
        let is_missing = is_right(OuterKind::Anti) && is_null_test(condition);
        let is_padded = is_right(OuterKind::Left) || is_right(OuterKind::Full);
        match self.only(of) {
            // It is checked after the join that makes its column NULL.
            Some(_) if is_padded && Demand::of(reading, [condition]).sure.is_empty() => {
                let clause = self.clause(reading, condition, of, guess);
                self.clauses.push(self.delayed(clause));
            }
            Some(_) if is_missing => {}
            Some(leaf) => {
                self.is_vague |= self.is_fixed_twice(leaf, condition) || is_denied_inequality(condition);
                self.filter(leaf, condition);
            }
            None if of == 0 && !is_optional && is_gate(reading, condition) => self.is_gated = true,
            None if of == 0 => self.is_vague = true,
            None => {
                let clause = self.clause(reading, condition, of, guess);
                self.clauses.push(self.delayed(clause));
            }
        }
    }

    fn filter(&mut self, leaf: usize, condition: &'q Expr) {
        if let Some(leaf) = self.leaves.get_mut(leaf) {
            leaf.filters.push(Filter::Written(condition));
        }
    }

    pub(super) fn bit(&self, id: RelationId) -> Set {
        self.bits.get(&id).copied().unwrap_or(0)
    }

    /// The relations whose columns an expression reads.
    pub(super) fn of(&self, reading: &Reading<'q>, expr: &Expr) -> Set {
        let mut of = 0;
        expr.walk(&mut |part| match part {
            Expr::Column(column) => {
                let leaf = reading.leaf(part, 0).map(|(id, _)| self.bit(id)).filter(|bit| *bit != 0);
                of |= leaf.or_else(|| column.relation.map(|id| self.bit(id))).unwrap_or(0);
            }
            Expr::WholeRow(id) => of |= self.bit(*id),
            _ => {}
        });
        of
    }

    pub(super) fn only(&self, of: Set) -> Option<usize> {
        (of.count_ones() == 1).then(|| of.trailing_zeros() as usize)
    }
}

/// Some relations, and those of them that inner joins join.
#[derive(Debug, Clone, Copy, Default)]
struct Joined {
    set: Set,
    inner: Set,
}

fn leaves_of(reading: &Reading<'_>, item: &From) -> HashSet<RelationId> {
    let mut found: HashSet<_> = item.relations().into_iter().collect();
    reading.leaves(item, &mut found);
    found
}
