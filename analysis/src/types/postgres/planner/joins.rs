//! The ways to join two sets of relations.

use super::cost::{self, Cost, Input, Match, Search, clamped};
use super::estimate::Keyed;
use super::order::Order;
use super::partial::Usable;
use super::paths::{Pair, Path, State, WHOLE};
use super::scans::number;
use super::tree::{Clause, OuterKind, Set, Tree};
use super::{COARSELY, ROUGHLY};

/// By how much costs that are the same may differ.
const ROUNDING: f64 = 1e-9;
/// How much more the first row may cost for it to cost the same.
const FUZZ: f64 = 1.01;

/// The columns or expressions of an equality.
type Equality = [(usize, String); 2];

/// Whether two ways to join cost the same.
fn is_same(one: Cost, other: Cost) -> bool {
    (one.total - other.total).abs() <= ROUNDING
}

/// Whether a way to join is taken instead of another that costs the same: its first row costs less.
fn is_sooner(way: Cost, than: Cost) -> bool {
    is_same(way, than) && than.startup > way.startup * FUZZ
}

/// Two sides as they are read, and how they are compared.
struct Sides<'j> {
    pair: &'j Pair<'j>,
    one: &'j Path,
    other: &'j Path,
    outer: Input,
    inner: Input,
    equalities: &'j [&'j Equality],
    /// How many other conditions there are.
    others: f64,
    /// Whether there are none, so that a merge can tell which rows of both sides find none.
    is_all: bool,
    on: Match,
    order: Option<&'j Order>,
}

impl Sides<'_> {
    fn kind(&self) -> Option<OuterKind> {
        self.pair.outer.map(|join| join.kind)
    }

    /// A way to join them; the inner side may be read without a step between.
    fn path(&self, cost: Cost, marks: Set, is_direct: bool, is_ordered: bool) -> Path {
        let right = self.pair.right;
        let own = if is_direct && right.count_ones() == 1 { right } else { 0 };
        let slack = self.one.slack + self.other.slack;
        Path { cost, slack, marks, direct: (self.one.direct | own) & marks, is_ordered }
    }

    /// The path of a join whose other side becomes the outer one.
    fn swapped(&self, cost: Cost, marks: Set, is_direct: bool) -> Path {
        let left = self.pair.left;
        let own = if is_direct && left.count_ones() == 1 { left } else { 0 };
        Path { direct: (self.other.direct | own) & marks, ..self.path(cost, marks, false, false) }
    }

    fn marks(&self) -> Set {
        match self.kind() {
            None | Some(OuterKind::Anti) => 0,
            Some(OuterKind::Left) => self.pair.right | self.one.marks & !WHOLE,
            Some(OuterKind::Full) => self.pair.left | self.pair.right | WHOLE,
        }
    }
}

impl Tree<'_> {
    /// Adds the ways to join two sets.
    pub(super) fn join(
        &self,
        pair: &Pair<'_>,
        left: &State,
        right: &State,
        order: Option<&Order>,
        into: &mut State,
    ) {
        // What depends on other rows is read for each of them.
        let is_lateral = self.dependencies(pair.right) & pair.left != 0;
        let is_full = pair.outer.is_some_and(|join| join.kind == OuterKind::Full);
        if self.dependencies(pair.left) & pair.right != 0 || is_lateral && is_full {
            return;
        }
        let (equal, others): (Vec<&Clause>, Vec<&Clause>) = pair
            .on
            .iter()
            .copied()
            .partition(|clause| clause.equal.as_ref().is_some_and(|it| pair.is_across(it)));
        let equalities: Vec<&Equality> = equal.iter().filter_map(|clause| clause.equal.as_ref()).collect();
        let is_all = others.is_empty();
        let others = others.iter().map(|clause| clause.operators).sum();
        let compared = equal.iter().map(|clause| clause.operators).sum();
        // A foreign key counts for the rows of the join, and not for what it costs to find them.
        let selectivity = equalities.iter().map(|equality| self.equal(equality)).product();
        let count = number(equalities.len());
        let on = Match { selectivity, equalities: count, compared, others, unique: None };
        for one in &left.paths {
            for other in &right.paths {
                let outer = Input { cost: one.cost, rows: left.rows };
                let inner = Input { cost: other.cost, rows: right.rows };
                let equalities = equalities.as_slice();
                let sides = Sides { pair, one, other, outer, inner, equalities, others, is_all, on, order };
                self.loops(&sides, is_lateral, into);
                if !is_lateral {
                    self.by_equality(&sides, into);
                }
            }
        }
    }

    /// Nested loops.
    fn loops(&self, sides: &Sides<'_>, is_lateral: bool, into: &mut State) {
        let Sides { pair, one, outer, inner, equalities, .. } = *sides;
        let (kind, marks, is_ordered) = (sides.kind(), sides.marks(), one.is_ordered);
        if kind == Some(OuterKind::Full) {
            // Without a condition, the sides are merged.
            if pair.on.is_empty() {
                into.add(sides.path(cost::merge(outer, inner, sides.on), marks, false, false));
            }
            return;
        }
        let on = Match { unique: self.unique(pair.right, equalities), ..sides.on };
        let again = cost::nested(outer, inner, inner.cost, on, false);
        if matches!(kind, None | Some(OuterKind::Left))
            && let Some(search) = self.searched_below(pair, equalities)
        {
            let path = sides.path(again, marks, true, is_ordered);
            let slack = (again.total - outer.cost.total - outer.rows * search).max(path.slack);
            into.add(Path { slack, ..path });
        }
        into.add(sides.path(again, marks, true, is_ordered));
        if is_lateral {
            return;
        }
        let (first, later) = cost::kept(inner);
        let kept = cost::nested(outer, Input { cost: first, ..inner }, later, on, false);
        // The planner tries to keep the rows last, and only takes that if it is cheaper.
        if kept.total < again.total {
            into.add(sides.path(kept, marks, false, is_ordered));
        }
        if let Some((inner, is_all)) = self.searched(pair.right, equalities) {
            let is_all = is_all && sides.others == 0.0;
            let searched = cost::nested(outer, inner, inner.cost, on, is_all);
            into.add(sides.path(searched, marks, true, is_ordered));
        }
    }

    /// Hash and merge joins.
    fn by_equality(&self, sides: &Sides<'_>, into: &mut State) {
        let Sides { pair, outer, inner, equalities, order, .. } = *sides;
        let Some(first) = equalities.first() else { return };
        let (kind, marks) = (sides.kind(), sides.marks());
        let of_right = Match { unique: self.unique(pair.right, equalities), ..sides.on };
        let by_hash = cost::hash(outer, inner, of_right, self.bucket(pair.right, equalities, inner.rows));
        let hashed = sides.path(by_hash, marks, false, false);
        let is_left = kind == Some(OuterKind::Left);
        let is_by = order.is_some_and(|order| order.is_by(equalities, pair.left));
        let is_back = is_by && is_left && order.is_some_and(Order::is_descending);
        let mut merges = self.merges((pair.left, outer), (pair.right, inner), first, of_right, is_back);
        if kind == Some(OuterKind::Full) && !sides.is_all {
            merges.clear();
        }
        // Below a sort, nothing more is marked.
        let below = if is_left { pair.right } else { marks };
        let leaf = self.only(pair.left).and_then(|at| self.leaf(at));
        let may_be_sorted = leaf.is_some_and(|leaf| leaf.may_be_sorted);
        for (cost, is_direct) in &merges {
            let path = sides.path(*cost, below, *is_direct, is_by && kind != Some(OuterKind::Full));
            let saved = cost::sorted(outer.cost, outer.rows).total - outer.cost.total;
            let slack = path.slack + if may_be_sorted { saved } else { 0.0 } + self.error(pair, *cost);
            into.add(Path { slack, ..path });
        }
        // Rows in the order of the query may be merged as they come.
        if sides.one.is_ordered && order.is_some_and(|order| order.begins_with(equalities, pair.left)) {
            let sorted = Input { cost: cost::sorted(inner.cost, inner.rows), ..inner };
            let is_ordered = kind != Some(OuterKind::Full);
            into.add(sides.path(cost::merge(outer, sorted, of_right), marks, false, is_ordered));
        }
        if !is_left {
            into.add(hashed);
            return;
        }
        let of_left = Match { unique: self.unique(pair.left, equalities), ..sides.on };
        let swapped = cost::hash(inner, outer, of_left, self.bucket(pair.left, equalities, outer.rows));
        // Of ways that cost the same in every respect, the first stays.
        if !is_same(swapped, by_hash) || is_sooner(swapped, by_hash) {
            into.add(sides.swapped(swapped, pair.left | sides.other.marks & !WHOLE, false));
        }
        if !is_sooner(swapped, by_hash) {
            into.add(hashed);
        }
        if !sides.is_all {
            return;
        }
        // Its rows are in no order: those that find none come in between.
        for (cost, is_direct) in self.merges((pair.right, inner), (pair.left, outer), first, of_left, false) {
            if merges.iter().all(|(than, _)| !is_same(cost, *than) || is_sooner(cost, *than)) {
                let path = sides.swapped(cost, pair.left, is_direct);
                into.add(Path { slack: path.slack + self.error(pair, cost), ..path });
            }
        }
    }

    /// By how much a merge may be cheaper than its estimate: several relations on one side may come in order.
    fn error(&self, pair: &Pair<'_>, cost: Cost) -> f64 {
        let factor = match self.leaves.len() {
            _ if (pair.left | pair.right).count_ones() <= 2 => 1.0,
            3 => ROUGHLY,
            _ => COARSELY,
        };
        cost.total - cost.total / factor
    }

    /// The ways to merge two sides by an equality: the planner sorts both, or else reads the outer side in the order
    /// of an index; it never sorts that side alone. With each, whether its inner side is not sorted.
    fn merges(
        &self,
        (left, outer): (Set, Input),
        (right, inner): (Set, Input),
        first: &Equality,
        on: Match,
        is_back: bool,
    ) -> Vec<(Cost, bool)> {
        let sorted = |of: Input| Input { cost: cost::sorted(of.cost, of.rows), ..of };
        let walked = |set: Set, of: Input| Some(Input { cost: self.walked(set, first)?, ..of });
        let against = sorted(inner);
        let mut ways = vec![(cost::merge(sorted(outer), against, on), false)];
        // Several relations may come in order by a join of theirs, which costs about as much as to sort them.
        let several = (left.count_ones() > 1).then(|| sorted(outer));
        if let Some(outer) = walked(left, outer).or(several) {
            // What an outer join finds has no reason to be read backwards.
            let inner = walked(right, inner).filter(|of| !is_back && of.cost.total < against.cost.total);
            ways.push((cost::merge(outer, inner.unwrap_or(against), on), inner.is_some()));
        }
        ways
    }

    /// A relation read by an index that begins with the column of an equality.
    fn walked(&self, of: Set, equality: &Equality) -> Option<Cost> {
        let (leaf, column) = equality.iter().find(|(leaf, _)| of == 1 << leaf)?;
        let leaf = self.leaf(*leaf)?;
        let leads = |usable: &Usable<'_, '_>| {
            let first = usable.index.keys.first();
            usable.index.method == "btree" && first.is_some_and(|key| key.as_column() == Some(column))
        };
        leaf.usable().find(leads).map(|usable| usable.leaf.heap().by_index(usable.walk()))
    }

    /// The least that a search of one of several relations on the right side costs.
    fn searched_below(&self, pair: &Pair<'_>, equalities: &[&Equality]) -> Option<f64> {
        if self.only(pair.right).is_some() {
            return None;
        }
        let relations = (0..self.leaves.len()).map(|at| 1 << at).filter(|of| pair.right & of != 0);
        let searches = relations.filter_map(|of| self.searched(of, equalities));
        searches.map(|(input, _)| input.cost.total).reduce(f64::min)
    }

    /// The right side searched by an index for each row of the left side, and whether that checks all equalities.
    fn searched(&self, right: Set, equalities: &[&Equality]) -> Option<(Input, bool)> {
        let at = self.only(right)?;
        let leaf = self.leaf(at)?;
        let sides = equalities.iter().filter_map(|equality| match equality {
            [one, other] if one.0 == at => Some((&one.1, other)),
            [one, other] if other.0 == at => Some((&other.1, one)),
            _ => None,
        });
        let sides: Vec<(&String, &(usize, String))> = sides.collect();
        // A value of another relation counts as a constant.
        let all: f64 = sides.iter().map(|(column, _)| leaf.of_equality(column)).product();
        let mut heap = leaf.heap();
        heap.operators += number(sides.len());
        let mut best: Option<(Cost, bool)> = None;
        for usable in leaf.usable() {
            if !matches!(usable.index.method.as_str(), "btree" | "hash") {
                continue;
            }
            let (mut joined, mut loops) = (0, f64::INFINITY);
            let found = usable.search(|column| {
                let (name, other) = sides.iter().find(|(name, _)| name.as_str() == column)?;
                loops = loops.min(self.leaf(other.0).map_or(1.0, |leaf| leaf.rows));
                joined += 1;
                let selectivity = leaf.of_equality(name);
                Some(Keyed { selectivity, operators: 1.0, descents: 1.0, is_equal: true, is_bound: true })
            });
            let Some(found) = found.filter(|_| joined > 0) else { continue };
            let search = Search { loops, ..found };
            let mut by_index = usable.leaf.heap();
            by_index.operators += number(sides.len());
            let cost = [by_index.by_index(search), heap.by_bitmap(search)];
            let cost = if cost[0].total <= cost[1].total { cost[0] } else { cost[1] };
            if best.is_none_or(|(than, _)| cost.total < than.total) {
                best = Some((cost, joined == sides.len()));
            }
        }
        let rows = clamped(leaf.tuples * leaf.of_filters() * all);
        best.map(|(cost, is_all)| (Input { cost, rows }, is_all))
    }
}
