//! The ways to join relations, and what each costs.

use super::super::plan::Reading;
use super::ORDERED;
use super::cost::{self, Cost, Input, Match, Search, clamped};
use super::estimate::{Filter, Keyed};
use super::scans::{number, scans, search, walk};
use super::tree::{Clause, Kind, Outer, Set, Tree};
use crate::schema::Index;
use crate::sql::query::BlockId;

/// By how much costs that are the same may differ.
const ROUNDING: f64 = 1e-9;

/// The order that a query asks for, by columns of one relation.
#[derive(Debug)]
pub(super) struct Order {
    leaf: usize,
    columns: Vec<String>,
    /// Whether all of it is ascending, or all descending.
    is_uniform: bool,
}

impl Order {
    /// The order of a block, if an index could deliver it, and whether its rows are sorted at the end in any
    /// case.
    pub(super) fn of(reading: &Reading<'_>, root: BlockId, tree: &Tree<'_>) -> (Option<Order>, bool) {
        let keys = &reading.query.block(root).order_by;
        let mut order: Option<Order> = None;
        for key in keys {
            let leaf = reading.leaf(&key.expr, 0);
            let leaf =
                leaf.and_then(|(id, name)| Some((tree.leaves.iter().position(|leaf| leaf.id == id)?, name)));
            let Some((at, name)) = leaf else { return (None, true) };
            let is_optional = tree.outer.iter().any(|join| join.right >> at & 1 == 1);
            let leaf = tree.leaves.get(at).filter(|_| !is_optional);
            let mut fixed = leaf.iter().flat_map(|leaf| &leaf.filters).filter_map(Filter::compared);
            if fixed.any(|(column, equal)| equal && column == name) {
                continue;
            }
            let is_uniform = keys.iter().all(|other| other.desc == key.desc && other.nulls_first.is_none());
            let order = order.get_or_insert(Order { leaf: at, columns: Vec::new(), is_uniform });
            if order.leaf != at {
                return (None, true);
            }
            order.columns.push(name);
        }
        (order, false)
    }

    /// Whether it is that of a merge by two equal columns, one of which is on its outer side.
    fn is_by(&self, equality: &[(usize, String); 2], outer: Set) -> bool {
        let is_one = |(of, name): &(usize, String)| *of == self.leaf && self.columns == [name.as_str()];
        outer >> self.leaf & 1 == 1 && equality.iter().any(is_one)
    }

    pub(super) fn is_of(&self, index: &Index) -> bool {
        let keys = index.keys.iter().map(|key| if key.desc { None } else { key.as_column() });
        index.method == "btree"
            && index.predicate.is_none()
            && self.is_uniform
            && self.columns.len() <= index.keys.len()
            && self.columns.iter().zip(keys).all(|(column, key)| key == Some(column))
    }
}

/// A way to read some relations.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path {
    pub(super) cost: Cost,
    /// By how much it may be cheaper than that: a nested loop may search below an inner join.
    pub(super) slack: f64,
    /// What sqlx marks below it, if it is at the top or below outer joins only.
    pub(super) marks: Set,
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
        let same = |of: &Path| of.marks == path.marks && of.is_ordered == path.is_ordered;
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
}

/// How two sets of relations are joined.
pub(super) struct Pair<'t> {
    pub(super) left: Set,
    pub(super) right: Set,
    /// `None` for an inner join.
    pub(super) outer: Option<&'t Outer>,
    pub(super) on: Vec<&'t Clause>,
}

/// Stands for all columns, beside those of relations.
pub(super) const WHOLE: Set = 1 << 15;

impl Tree<'_> {
    /// How many rows all joins together are expected to return.
    pub(super) fn all_rows(&self, reading: &Reading<'_>) -> Option<f64> {
        self.states(reading, None)?.pop().map(|last| last.rows)
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
            Total { least: most - path.slack, most, marks }
        };
        Some(last.paths.iter().map(end).collect())
    }

    /// The ways to read each set of relations; the last one is all of them.
    fn states(&self, reading: &Reading<'_>, order: Option<&Order>) -> Option<Vec<State>> {
        let all: Set = (1 << self.leaves.len()) - 1;
        let mut states: Vec<State> = (0..=all).map(|_| State::default()).collect();
        for (at, leaf) in self.leaves.iter().enumerate() {
            *states.get_mut(1 << at)? = scans(leaf, order.filter(|order| order.leaf == at));
        }
        for set in 1..=all {
            let mut found = State::default();
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
                    if found.paths.is_empty() {
                        found.rows = self.rows(&pair, one.rows, other.rows);
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
    fn pair(&self, left: Set, right: Set) -> Option<Pair<'_>> {
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
                if outer.is_some() || join.kind == Kind::Full && (join.needs != left || join.brings != right)
                {
                    return None;
                }
                outer = Some(join);
            } else if left & join.brings != 0 && right & join.brings != 0 {
            } else if join.kind == Kind::Left && set & join.needs == 0 {
                must_be_left = true;
            } else {
                return None;
            }
        }
        if must_be_left && outer.is_none_or(|join| join.kind != Kind::Left || !join.is_strict) {
            return None;
        }
        let is_new =
            |clause: &&Clause| clause.of & !set == 0 && clause.of & !left != 0 && clause.of & !right != 0;
        let mut on: Vec<&Clause> = self.clauses.iter().filter(is_new).collect();
        match outer {
            Some(join) => {
                on = join.on.iter().collect();
                Some(Pair { left, right, outer, on })
            }
            None if on.is_empty() && (self.is_linked(left) || self.is_linked(right)) => None,
            None => Some(Pair { left, right, outer, on }),
        }
    }

    /// Whether a condition of an inner join links a set with others.
    fn is_linked(&self, set: Set) -> bool {
        let links = |clause: &Clause| clause.of & set != 0 && clause.of & !set != 0;
        self.clauses.iter().any(links)
    }

    fn join(&self, pair: &Pair<'_>, left: &State, right: &State, order: Option<&Order>, into: &mut State) {
        let equalities: Vec<&[(usize, String); 2]> =
            pair.on.iter().filter_map(|clause| clause.equal.as_ref()).collect();
        let others =
            pair.on.iter().filter(|clause| clause.equal.is_none()).map(|clause| clause.operators).sum();
        let equal: Vec<&Clause> = pair.on.iter().filter(|clause| clause.equal.is_some()).copied().collect();
        let selectivity = self.selectivity(&equal);
        let on = Match { selectivity, equalities: number(equalities.len()), others, unique: None };
        let of_right = Match { unique: self.unique(pair.right, &equalities), ..on };
        let of_left = Match { unique: self.unique(pair.left, &equalities), ..on };
        let kind = pair.outer.map(|join| join.kind);
        for one in &left.paths {
            for other in &right.paths {
                let (outer, inner) =
                    (Input { cost: one.cost, rows: left.rows }, Input { cost: other.cost, rows: right.rows });
                let marks = match kind {
                    None | Some(Kind::Anti) => 0,
                    Some(Kind::Left) => pair.right | one.marks & !WHOLE,
                    Some(Kind::Full) => pair.left | pair.right | WHOLE,
                };
                let slack = one.slack + other.slack;
                let mut add_with = |cost: Cost, slack, marks, is_ordered| {
                    into.add(Path { cost, slack, marks, is_ordered });
                };
                if matches!(kind, None | Some(Kind::Left))
                    && let Some(search) = self.searched_below(pair, &equalities)
                {
                    let cost = cost::nested(outer, inner, inner.cost, of_right, false);
                    let least = outer.cost.total + left.rows * search;
                    let slack = (cost.total - least).max(slack);
                    add_with(cost, slack, marks, one.is_ordered);
                }
                let mut add = |cost, marks, is_ordered| add_with(cost, slack, marks, is_ordered);
                if kind != Some(Kind::Full) {
                    add(cost::nested(outer, inner, inner.cost, of_right, false), marks, one.is_ordered);
                    let (first, again) = cost::kept(inner);
                    let inner = Input { cost: first, rows: right.rows };
                    add(cost::nested(outer, inner, again, of_right, false), marks, one.is_ordered);
                    if let Some((inner, is_all)) = self.searched(pair.right, &equalities) {
                        let is_all = is_all && others == 0.0;
                        add(cost::nested(outer, inner, inner.cost, of_right, is_all), marks, one.is_ordered);
                    }
                }
                if pair.on.is_empty() && kind == Some(Kind::Full) {
                    add(cost::merge(outer, inner, on), marks, false);
                }
                let Some(first) = equalities.first() else { continue };
                let hashed = self.bucket(pair.right, &equalities, right.rows);
                let by_hash = cost::hash(outer, inner, of_right, hashed);
                add(by_hash, marks, false);
                let sorted = Input { cost: self.in_order(pair.left, outer, first), ..outer };
                let against = Input { cost: self.in_order(pair.right, inner, first), ..inner };
                // Below a sort, nothing more is marked.
                let is_left = kind == Some(Kind::Left);
                let below = if is_left && sorted.cost != outer.cost { pair.right } else { marks };
                let by_merge = cost::merge(sorted, against, of_right);
                let is_ordered = kind != Some(Kind::Full);
                add(by_merge, below, is_ordered && order.is_some_and(|order| order.is_by(first, pair.left)));
                if is_left {
                    let hashed = self.bucket(pair.left, &equalities, left.rows);
                    let swapped = [
                        (
                            cost::hash(inner, outer, of_left, hashed),
                            by_hash,
                            pair.left | other.marks & !WHOLE,
                            false,
                        ),
                        // Its rows are in no order: those that find none come in between.
                        (cost::merge(against, sorted, of_left), by_merge, pair.left, false),
                    ];
                    // Of ways that cost the same, the first stays.
                    for (cost, than, marks, is_ordered) in swapped {
                        if (cost.total - than.total).abs() > ROUNDING {
                            add(cost, marks, is_ordered);
                        }
                    }
                }
            }
        }
    }

    /// The rows of a side sorted by the column of an equality.
    fn in_order(&self, of: Set, input: Input, equality: &[(usize, String); 2]) -> Cost {
        let sorted = cost::sorted(input.cost, input.rows);
        let Some((leaf, column)) = equality.iter().find(|(leaf, _)| of == 1 << leaf) else { return sorted };
        let Some(leaf) = self.leaf(*leaf) else { return sorted };
        let leads = |index: &&Index| {
            index.method == "btree"
                && index.predicate.is_none()
                && index.keys.first().is_some_and(|key| key.as_column() == Some(column))
        };
        let indexed = leaf.table.and_then(|table| table.indexes.iter().find(leads)).map(|_| walk(leaf));
        match indexed {
            Some(indexed) if indexed.total < sorted.total => indexed,
            _ => sorted,
        }
    }

    /// The least that a search of one of several relations on the right side costs.
    fn searched_below(&self, pair: &Pair<'_>, equalities: &[&[(usize, String); 2]]) -> Option<f64> {
        if self.only(pair.right).is_some() {
            return None;
        }
        let relations = (0..self.leaves.len()).map(|at| 1 << at).filter(|of| pair.right & of != 0);
        let searches = relations.filter_map(|of| self.searched(of, equalities));
        searches.map(|(input, _)| input.cost.total).reduce(f64::min)
    }

    /// The right side searched by an index for each row of the left side, and whether that checks all equalities.
    fn searched(&self, right: Set, equalities: &[&[(usize, String); 2]]) -> Option<(Input, bool)> {
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
        heap.operators += f64::from(u32::try_from(sides.len()).ok()?);
        let mut best: Option<(Cost, bool)> = None;
        for index in leaf.table?.indexes.iter().filter(|index| index.predicate.is_none() && !index.hidden) {
            if !matches!(index.method.as_str(), "btree" | "hash") {
                continue;
            }
            let (mut joined, mut loops) = (0, f64::INFINITY);
            let found = search(index, |column| {
                let Some((name, other)) = sides.iter().find(|(name, _)| name.as_str() == column) else {
                    return leaf.keyed(column);
                };
                loops = loops.min(self.leaf(other.0).map_or(1.0, |leaf| leaf.rows));
                joined += 1;
                let selectivity = leaf.of_equality(name);
                Some(Keyed { selectivity, operators: 1.0, descents: 1.0, is_equal: true, is_bound: true })
            });
            let Some(found) = found.filter(|_| joined > 0) else { continue };
            let search = Search { loops, ..found };
            let cost = [heap.by_index(search), heap.by_bitmap(search)];
            let cost = if cost[0].total <= cost[1].total { cost[0] } else { cost[1] };
            if best.is_none_or(|(than, _)| cost.total < than.total) {
                best = Some((cost, joined == sides.len()));
            }
        }
        let rows = clamped(leaf.tuples * leaf.of_filters() * all);
        best.map(|(cost, is_all)| (Input { cost, rows }, is_all))
    }
}
