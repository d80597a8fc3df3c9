//! The planner's costs of scans and joins without statistics, by its own formulas and default settings.

const PAGE: f64 = 1.0;
const RANDOM_PAGE: f64 = 4.0;
pub(super) const TUPLE: f64 = 0.01;
const INDEX_TUPLE: f64 = 0.005;
pub(super) const OPERATOR: f64 = 0.0025;
/// What the descent into an index without pages costs.
const DESCENT: f64 = 50.0 * OPERATOR;

/// The cost until the first row, and that of all rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cost {
    pub(super) startup: f64,
    pub(super) total: f64,
}

impl Cost {
    fn run(self) -> f64 {
        self.total - self.startup
    }
}

/// A row estimate as the planner keeps it.
pub(super) fn clamped(rows: f64) -> f64 {
    rows.round().max(1.0)
}

/// A table as scans see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heap {
    pub(super) pages: f64,
    pub(super) tuples: f64,
    /// How many operators its conditions apply to each row.
    pub(super) operators: f64,
}

impl Heap {
    pub(super) fn sequential(self) -> Cost {
        let total = self.pages * PAGE + self.tuples * (TUPLE + self.operators * OPERATOR);
        Cost { startup: 0.0, total }
    }

    /// The entries of an index without pages that one of `loops` searches reads.
    fn index(self, search: Search) -> Cost {
        let entries = if search.is_unique { 1.0 } else { (search.bound * self.tuples).round() };
        let entries = entries.min(search.entries);
        // The one page is read once for all loops.
        let page = if search.loops > 1.0 { pages_of(search.loops, 1.0) / search.loops } else { 1.0 };
        let startup = self.tuples.min(search.entries).max(1.0).log2().ceil() * OPERATOR + DESCENT;
        let entry = INDEX_TUPLE + search.operators * OPERATOR;
        let total = page * RANDOM_PAGE + entries * entry + startup * search.descents;
        Cost { startup, total }
    }

    /// A scan in the order of an index.
    pub(super) fn by_index(self, search: Search) -> Cost {
        let index = self.index(search);
        let fetched = clamped(search.selectivity * self.tuples);
        let pages = match search.loops > 1.0 {
            true => pages_of(fetched * search.loops, self.pages) / search.loops,
            false => pages_of(fetched, self.pages),
        };
        let rest = (self.operators - search.operators).max(0.0);
        let total = index.total + pages * RANDOM_PAGE + fetched * (TUPLE + rest * OPERATOR);
        Cost { startup: index.startup, total }
    }

    /// A scan of the pages that a search of an index finds, in their own order.
    pub(super) fn by_bitmap(self, search: Search) -> Cost {
        let index = self.index(search);
        let fetched = clamped(search.selectivity * self.tuples);
        let startup = index.total + 0.1 * OPERATOR * fetched;
        let pages = match search.loops > 1.0 {
            true => pages_of(fetched * search.loops, self.pages) / search.loops,
            false => {
                let pages = 2.0 * self.pages * fetched / (2.0 * self.pages + fetched);
                if pages >= self.pages { self.pages } else { pages.ceil() }
            }
        };
        let each = match pages >= 2.0 {
            true => RANDOM_PAGE - (RANDOM_PAGE - PAGE) * (pages / self.pages).sqrt(),
            false => RANDOM_PAGE,
        };
        let operators = self.operators.max(search.operators);
        Cost { startup, total: startup + pages * each + fetched * (TUPLE + operators * OPERATOR) }
    }
}

/// A search of an index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search {
    /// The part of the rows that it finds.
    pub(super) selectivity: f64,
    /// The part of the index that it reads: the first columns bound it.
    pub(super) bound: f64,
    /// How often it descends into the index: once for each value of a list.
    pub(super) descents: f64,
    /// How many operators it applies to each entry.
    pub(super) operators: f64,
    /// Whether it finds at most one row.
    pub(super) is_unique: bool,
    /// How often it is repeated with other values.
    pub(super) loops: f64,
    /// How many entries the index has; infinite if it has one for each row.
    pub(super) entries: f64,
}

impl Search {
    /// A walk from end to end.
    pub(super) const ALL: Search = Search {
        selectivity: 1.0,
        bound: 1.0,
        descents: 1.0,
        operators: 0.0,
        is_unique: false,
        loops: 1.0,
        entries: f64::INFINITY,
    };
}

/// How many of a table's pages are read to fetch rows at random places.
fn pages_of(fetched: f64, pages: f64) -> f64 {
    let found = 2.0 * pages * fetched / (2.0 * pages + fetched);
    if found >= pages { pages } else { found.ceil() }
}

/// The sort of rows.
pub(super) fn sorted(of: Cost, rows: f64) -> Cost {
    let rows = rows.max(2.0);
    let startup = of.total + 2.0 * OPERATOR * rows * rows.log2();
    Cost { startup, total: startup + OPERATOR * rows }
}

/// One side of a join: the cost of its rows, and how many there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input {
    pub(super) cost: Cost,
    pub(super) rows: f64,
}

impl Input {
    /// So many rows at no cost.
    pub(super) fn rows(rows: f64) -> Input {
        Input { cost: Cost { startup: 0.0, total: 0.0 }, rows }
    }
}

/// What a join compares.
#[derive(Debug, Clone, Copy)]
pub(super) struct Match {
    /// The part of all pairs of rows that satisfies the equalities.
    pub(super) selectivity: f64,
    /// How many equalities there are.
    pub(super) equalities: f64,
    /// How many operators and functions they call.
    pub(super) compared: f64,
    /// How many other conditions there are.
    pub(super) others: f64,
    /// If a row of the outer side finds at most one of the inner side.
    pub(super) unique: Option<Unique>,
}

/// The outer rows that find one, and how much of the inner side is read until then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unique {
    pub(super) found: f64,
    pub(super) read: f64,
}

/// A hash join; `bucket` is the part of the inner rows that share a bucket.
pub(super) fn hash(outer: Input, inner: Input, on: Match, bucket: f64) -> Cost {
    let (hash, compare) = (on.equalities * OPERATOR, on.compared * OPERATOR);
    let startup = outer.cost.startup + inner.cost.total + (hash + TUPLE) * inner.rows;
    let mut run = outer.cost.run() + hash * outer.rows;
    let buckets = inner.rows.max(1024.0).log2().ceil().exp2();
    let matches = match on.unique {
        Some(Unique { found, read }) => {
            let matched = (outer.rows * found).round();
            run += compare * matched * clamped(inner.rows * bucket * read) * 0.5;
            run += compare * (outer.rows - matched) * clamped(inner.rows / buckets) * 0.05;
            matched
        }
        None => {
            run += compare * outer.rows * clamped(inner.rows * bucket) * 0.5;
            clamped(on.selectivity * outer.rows * inner.rows)
        }
    };
    run += (TUPLE + on.others * OPERATOR) * matches;
    Cost { startup, total: startup + run }
}

/// A merge of two sides that are in order.
pub(super) fn merge(outer: Input, inner: Input, on: Match) -> Cost {
    let matches = clamped(on.selectivity * outer.rows * inner.rows);
    let again = if on.unique.is_some() { 0.0 } else { (matches - inner.rows).max(0.0) };
    let ratio = 1.0 + again / inner.rows;
    let repeated = inner.cost.run() * ratio;
    let kept = inner.cost.run() + OPERATOR * inner.rows * ratio;
    let compare = on.compared * OPERATOR * (outer.rows + inner.rows * ratio);
    let startup = outer.cost.startup + inner.cost.startup;
    let run = outer.cost.run() + repeated.min(kept) + compare;
    Cost { startup, total: startup + run + (TUPLE + on.others * OPERATOR) * matches }
}

/// A nested loop whose inner side is read again for each outer row; `again` is what that costs.
pub(super) fn nested(outer: Input, inner: Input, again: Cost, on: Match, is_searched: bool) -> Cost {
    let operators = on.others + if is_searched { 0.0 } else { on.compared };
    let startup = outer.cost.startup + inner.cost.startup;
    let mut run = outer.cost.run() + (outer.rows - 1.0).max(0.0) * again.startup;
    let (first, later) = (inner.cost.run(), again.run());
    let pairs = match on.unique {
        Some(Unique { found, read }) => {
            let matched = (outer.rows * found).round();
            let unmatched = outer.rows - matched;
            if is_searched {
                run += (first + (matched - 1.0).max(0.0) * later) * read;
                run += unmatched * later / inner.rows.max(1.0);
                matched * inner.rows * read
            } else {
                run += first + (unmatched - 1.0).max(0.0) * later + matched * later * read;
                matched * inner.rows * read + unmatched * inner.rows
            }
        }
        None => {
            run += first + (outer.rows - 1.0).max(0.0) * later;
            outer.rows * inner.rows
        }
    };
    Cost { startup, total: startup + run + pairs * (TUPLE + operators * OPERATOR) }
}

/// The rows of a side kept in memory: what the first reading costs, and each later one.
pub(super) fn kept(of: Input) -> (Cost, Cost) {
    let total = of.cost.total + 2.0 * OPERATOR * of.rows;
    let again = Cost { startup: 0.0, total: OPERATOR * of.rows };
    (Cost { startup: of.cost.startup, total }, again)
}
