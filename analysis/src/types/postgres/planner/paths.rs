//! The ways to join relations, and what each costs.

use super::super::plan::Reading;
use super::ORDERED;
use super::cost::{self, Cost, Input};
use super::order::Order;
use super::scans::scans;
use super::tree::{Clause, Outer, OuterKind, Set, Tree};

/// A way to read some relations.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path {
    pub(super) cost: Cost,
    /// By how much it may be cheaper than that: a nested loop may search below an inner join.
    pub(super) slack: f64,
    /// What sqlx marks below it, if it is at the top or below outer joins only.
    pub(super) marks: Set,
    /// Those of them that the join reads without a step between: what a scan computes is written differently there.
    pub(super) direct: Set,
    /// Whether its rows come in the order that the query asks for.
    pub(super) is_ordered: bool,
}

impl Path {
    /// The least that it may cost.
    fn least(&self) -> f64 {
        self.cost.total - self.slack
    }
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) rows: f64,
    pub(super) paths: Vec<Path>,
}

impl State {
    /// Drops the ways that cost far more than the cheapest one.
    fn prune(&mut self) {
        let cheapest = self.paths.iter().map(|path| path.cost.total).fold(f64::INFINITY, f64::min);
        // An order may save a sort later.
        self.paths.retain(|path| path.is_ordered || path.least() <= cheapest * ORDERED);
    }

    pub(super) fn add(&mut self, path: Path) {
        let kind = |of: &Path| (of.marks, of.direct, of.is_ordered);
        let same = |of: &Path| kind(of) == kind(&path);
        match self.paths.iter_mut().find(|of| same(of)) {
            Some(of) => {
                let least = of.least().min(path.least());
                if path.cost.total < of.cost.total {
                    *of = path;
                }
                of.slack = of.cost.total - least;
            }
            None => self.paths.push(path),
        }
    }
}

/// A way to read all relations.
#[derive(Debug, Clone, Copy)]
pub(super) struct Total {
    /// The least that it may cost.
    pub(super) least: f64,
    pub(super) most: f64,
    pub(super) marks: Set,
    pub(super) direct: Set,
}

/// How two sets of relations are joined.
pub(super) struct Pair<'t> {
    pub(super) left: Set,
    pub(super) right: Set,
    /// `None` for an inner join.
    pub(super) outer: Option<&'t Outer>,
    pub(super) on: Vec<&'t Clause>,
}

impl Pair<'_> {
    /// Whether an equality compares one side with the other.
    pub(super) fn is_across(&self, [one, other]: &[(usize, String); 2]) -> bool {
        let is_left = |of: &(usize, String)| self.left >> of.0 & 1 == 1;
        is_left(one) != is_left(other)
    }
}

/// The bit for all columns, in addition to the bits of relations.
pub(super) const WHOLE: Set = 1 << 15;

impl Tree<'_> {
    /// The cheapest way to run the joins, or of those in the order.
    pub(super) fn cheapest(&self, reading: &Reading<'_>, order: Option<&Order>) -> Option<Input> {
        let last = self.states(reading, order)?.pop()?;
        let paths = last.paths.iter().filter(|path| order.is_none() || path.is_ordered);
        let cost = paths
            .map(|path| path.cost)
            .reduce(|one, other| if other.total < one.total { other } else { one });
        Some(Input { cost: cost?, rows: last.rows })
    }

    /// The cost of each way to run the joins, with what sqlx marks in it.
    pub(super) fn paths(&self, reading: &Reading<'_>, order: Option<&Order>) -> Option<Vec<Total>> {
        let last = self.states(reading, order)?.pop()?;
        let end = |path: &Path| match order.is_some() && !path.is_ordered {
            true => (cost::sorted(path.cost, last.rows).total, 0),
            false => (path.cost.total, path.marks),
        };
        let end = |path: &Path| {
            let (most, marks) = end(path);
            Total { least: most - path.slack, most, marks, direct: path.direct }
        };
        Some(last.paths.iter().map(end).collect())
    }

    /// The ways to read each set of relations; the last one is all of them.
    fn states(&self, reading: &Reading<'_>, order: Option<&Order>) -> Option<Vec<State>> {
        let all: Set = (1 << self.leaves.len()) - 1;
        let mut states: Vec<State> = (0..=all).map(|_| State::default()).collect();
        for (at, leaf) in self.leaves.iter().enumerate() {
            *states.get_mut(1 << at)? = scans(at, leaf, order);
        }
        for (set, first) in self.created() {
            let rows = |of: Set| states.get(usize::from(of)).map_or(1.0, |state| state.rows);
            let mut found =
                State { rows: self.rows(&first, rows(first.left), rows(first.right)), ..State::default() };
            let mut left = (set - 1) & set;
            while left > 0 {
                let right = set & !left;
                let (one, other) = (states.get(usize::from(left))?, states.get(usize::from(right))?);
                if !one.paths.is_empty()
                    && !other.paths.is_empty()
                    && let Some(pair) = self.pair(left, right)
                {
                    if !reading.may_join(one.paths.len() * other.paths.len()) {
                        return None;
                    }
                    self.join(&pair, one, other, order, &mut found);
                }
                left = (left - 1) & set;
            }
            if !found.paths.is_empty() {
                found.prune();
                *states.get_mut(usize::from(set))? = found;
            }
        }
        let is_joined = states.last().is_some_and(|last| !last.paths.is_empty());
        is_joined.then_some(states)
    }

    /// Whether and how two sets may be joined, by the planner's rules about outer joins.
    pub(super) fn pair(&self, left: Set, right: Set) -> Option<Pair<'_>> {
        let set = left | right;
        let mut outer: Option<&Outer> = None;
        let mut must_be_left = false;
        for join in &self.outer {
            let whole = join.needs | join.brings;
            if set & join.brings == 0 || set & !join.brings == 0 {
                continue;
            }
            if whole & !left == 0 || whole & !right == 0 {
                continue;
            }
            if join.needs & !left == 0 && join.brings & !right == 0 {
                if outer.is_some()
                    || join.kind == OuterKind::Full && (join.needs != left || join.brings != right)
                {
                    return None;
                }
                outer = Some(join);
            } else if left & join.brings != 0 && right & join.brings != 0 {
            } else if join.kind == OuterKind::Left && set & join.needs == 0 {
                must_be_left = true;
            } else {
                return None;
            }
        }
        if must_be_left && outer.is_none_or(|join| join.kind != OuterKind::Left || !join.is_strict) {
            return None;
        }
        let is_new = |clause: &&Clause| {
            clause.needs & !set == 0 && clause.needs & !left != 0 && clause.needs & !right != 0
        };
        let mut on: Vec<&Clause> = self.clauses.iter().filter(is_new).collect();
        match outer {
            Some(join) => {
                on = join.on.iter().collect();
                Some(Pair { left, right, outer, on })
            }
            None if !self.links(left, right) && (self.is_linked(left) || self.is_linked(right)) => None,
            None => Some(Pair { left, right, outer, on }),
        }
    }

    /// Whether a condition of an inner join links a set with others.
    fn is_linked(&self, set: Set) -> bool {
        self.linked().any(|of| of & set != 0 && of & !set != 0)
    }

    /// Whether a condition mentions both of two sets: it need not hold for them alone to have the planner join them.
    fn links(&self, left: Set, right: Set) -> bool {
        self.linked().any(|of| of & left != 0 && of & right != 0)
    }

    /// The relations of each condition, of those that constants replace as well.
    fn linked(&self) -> impl Iterator<Item = Set> {
        self.clauses.iter().map(|clause| clause.needs).chain(self.replaced.iter().copied())
    }
}
