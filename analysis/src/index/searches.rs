//! How the indexes of a table can be used: matches each condition with the indexes once, then answers for
//! each set of available rows.

use std::borrow::Cow;

use super::affinity::filters_key;
use super::condition::{Compare, Condition};
use super::estimate::{ROWS, SHARED};
use super::relations::Relations;
use super::serve::{By, Indexes, Knows};
use super::wanted::is_condition;
use crate::schema::prepared::{Predicate, PreparedIndex};
use crate::sql::expr::{ColumnRef, Expr, Test};
use crate::sql::query::RelationId;
use crate::sql::{Dialect, predicates};

/// An index that serves an access.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Served {
    /// What is searched.
    pub(super) by: By,
    /// How it is used.
    pub(super) how: How,
    /// The part of the table's rows that it selects, from 0 to 1.
    pub(super) kept: f64,
}

/// How an index is used, from worst to best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum How {
    /// Scanned in full, comparing a key after the first.
    WalkedWhole,
    /// Scanned in full: it is partial, but the query wants only few of its rows.
    FilteredPartial,
    /// Scanned in full: it is partial, and contains only wanted rows.
    WalkedPartial,
    /// Searched by this many keys.
    Searched(usize),
}

/// An index read in order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Walk {
    /// Scanned in full.
    Whole,
    /// From a search position, or because it contains only wanted rows.
    Served(Served),
}

/// The conditions on one table of a query, matched with its indexes.
pub(super) struct Searches {
    pub(super) conditions: Vec<Condition>,
    /// Positions in `conditions` of those on the physical row location: SQLite's rowid, by alias or built-in
    /// name, and PostgreSQL's `ctid`.
    on_place: Vec<usize>,
    candidates: Vec<Candidate>,
    /// The first index that stores what a condition compares, if it is unknown whether it serves the
    /// comparison.
    in_doubt: Option<usize>,
}

/// An index that contains every wanted row.
struct Candidate {
    /// Its position among the indexes of the table.
    at: usize,
    /// For each key, the conditions that can search it, best first. Trailing keys that no condition searches
    /// are omitted.
    keys: Vec<Vec<usize>>,
    /// How a full scan of it counts, if it is partial.
    whole: How,
}

/// How far the conditions match an index.
struct Matched {
    /// The number of matching keys.
    keys: usize,
    /// The part of the rows that remains.
    kept: f64,
}

impl Served {
    /// Whether it counts as served. A full scan filtered by conditions that the index does not imply does not
    /// count.
    pub(super) fn leads(&self) -> bool {
        matches!(self.how, How::WalkedPartial | How::Searched(_))
    }

    /// Whether it selects fewer rows, or as many by more keys.
    fn is_better_than(&self, other: &Served) -> bool {
        match (self.how, other.how) {
            (How::Searched(keys), How::Searched(others)) => {
                self.kept < other.kept || self.kept == other.kept && keys > others
            }
            (how, other) => how > other,
        }
    }
}

/// The maximum selectivity of an equality on a column with many values.
pub(super) const MAX_EQUALITY_SELECTIVITY: f64 = 0.05;

impl Searches {
    /// Stands for a match on a key other than the first.
    const LATER_KEY: usize = usize::MAX;

    /// Matches `conditions` on `relation` with the indexes; `demands` is everything that the query requires
    /// of the relation.
    pub(super) fn new(
        indexes: &Indexes<'_>,
        relation: RelationId,
        conditions: Vec<Condition>,
        demands: &[&Expr],
    ) -> Searches {
        let is_on_place = |condition: &Condition| {
            let column = condition.operand.as_column().filter(|column| column.relation == Some(relation));
            column.is_some_and(|column| indexes.is_rowid(&column.name))
                && matches!(condition.compare, Compare::Equal | Compare::Range | Compare::Null)
        };
        let all = conditions.iter().enumerate();
        let on_place = all.filter(|(_, condition)| is_on_place(condition)).map(|(at, _)| at).collect();
        let mut in_doubt = None;
        let mut candidates = Vec::new();
        let type_of = |column: &ColumnRef| {
            let own = Some(column).filter(|column| column.relation == Some(relation))?;
            indexes.table().column(&own.name).map(|column| column.ty.as_str())
        };
        let is_partial = |resolved: &PreparedIndex| !matches!(resolved.predicate, Predicate::None);
        let is_said = indexes.dialect() == Dialect::Postgres && indexes.list().iter().any(is_partial);
        let written = demands.iter().filter(|_| is_said);
        let said: Vec<Cow<'_, Expr>> = written.map(|it| predicates::with_casts(it, &type_of)).collect();
        let said: Vec<&Expr> = said.iter().map(|demand| demand.as_ref()).collect();
        let demands = if said.is_empty() { demands } else { said.as_slice() };
        for (at, resolved) in indexes.list().iter().enumerate() {
            if !indexes.is_usable(at) || !resolved.allowed(indexes.dialect(), relation, demands) {
                continue;
            }
            let Serving { keys, is_doubtful } = serving_keys(indexes, resolved, relation, &conditions);
            let mut whole = how_whole(resolved, indexes.dialect(), relation, &conditions);
            if indexes.dialect() == Dialect::Sqlite && filters_key(resolved, relation, demands) {
                whole = How::FilteredPartial;
            }
            candidates.push(Candidate { at, keys, whole });
            in_doubt = in_doubt.or(is_doubtful.then_some(at));
        }
        Searches { in_doubt, conditions, on_place, candidates }
    }

    /// The best index to search, with the rows of `reached` available.
    pub(super) fn best(&self, indexes: &Indexes<'_>, reached: Relations) -> Option<Served> {
        let mut best = self.by_place(reached);
        for candidate in &self.candidates {
            let Some(resolved) = indexes.list().get(candidate.at) else { continue };
            let partial = !matches!(resolved.predicate, Predicate::None);
            let matched = self.matched(candidate, resolved, indexes.dialect(), reached);
            let how = match matched.keys {
                0 | Self::LATER_KEY if partial => candidate.whole,
                0 => continue,
                Self::LATER_KEY => How::WalkedWhole,
                keys => How::Searched(keys),
            };
            let served = Served { by: By::Index(candidate.at), how, kept: matched.kept };
            if best.as_ref().is_none_or(|best| served.is_better_than(best)) {
                best = Some(served);
            }
        }
        best
    }

    /// How an index returns the rows of `relation` in the order of `key`, if one does; keys fixed to one
    /// value are skipped. With `nulls_turned`, NULL is wanted at the opposite end from the default.
    pub(super) fn ordered(
        &self,
        indexes: &Indexes<'_>,
        relation: RelationId,
        key: &Expr,
        nulls_turned: bool,
    ) -> Option<Walk> {
        let by_rowid = key
            .as_column()
            .filter(|column| column.relation == Some(relation) && indexes.is_rowid(&column.name));
        let mut walk = match by_rowid {
            Some(_) if indexes.dialect() == Dialect::Sqlite => {
                Some(self.by_place(Relations::NONE).map_or(Walk::Whole, Walk::Served))
            }
            _ => None,
        };
        let is_stored =
            |own: &Expr, other: &Expr| predicates::is_stored(own, other, relation, indexes.dialect());
        let fixed = |own: &Expr| {
            self.conditions
                .iter()
                .filter(|condition| condition.needs.is_empty())
                .any(|condition| condition.one_value && is_stored(own, &condition.operand))
        };
        for candidate in &self.candidates {
            let Some(resolved) = indexes.list().get(candidate.at) else { continue };
            if resolved.index.method != "btree" {
                continue;
            }
            let mut keys = resolved.index.keys.iter().zip(resolved.keys.iter().map_while(Option::as_ref));
            let Some((first, own)) = keys.find(|(_, own)| !fixed(own)) else {
                // The rows of one value of all keys are in the order of what identifies a row.
                if resolved.ends_in_order() && indexes.ends_with(key, relation) {
                    let matched = self.matched(candidate, resolved, indexes.dialect(), Relations::NONE);
                    let (by, how) = (By::Index(candidate.at), How::Searched(matched.keys));
                    let is_better = !matches!(&walk, Some(Walk::Served(served)) if how <= served.how);
                    if is_better && !matches!(matched.keys, 0 | Self::LATER_KEY) {
                        walk = Some(Walk::Served(Served { by, how, kept: matched.kept }));
                    }
                }
                continue;
            };
            let has_turned = indexes.dialect() == Dialect::Postgres && first.nulls_first != first.desc;
            if !is_stored(own, key) || has_turned != nulls_turned {
                continue;
            }
            let matched = self.matched(candidate, resolved, indexes.dialect(), Relations::NONE);
            let how = match matched.keys {
                0 if matches!(resolved.predicate, Predicate::None) => {
                    walk = walk.or(Some(Walk::Whole));
                    continue;
                }
                0 => candidate.whole,
                Self::LATER_KEY if !matches!(resolved.predicate, Predicate::None) => candidate.whole,
                Self::LATER_KEY => How::WalkedWhole,
                keys => How::Searched(keys),
            };
            let better = match &walk {
                Some(Walk::Served(served)) => how > served.how,
                _ => true,
            };
            if better {
                walk = Some(Walk::Served(Served { by: By::Index(candidate.at), how, kept: matched.kept }));
            }
        }
        walk
    }

    /// Whether some condition is selective.
    pub(super) fn ask_for_some(&self) -> bool {
        self.conditions.iter().any(narrows)
    }

    /// An index that the conditions may or may not be able to search.
    pub(super) fn in_doubt(&self) -> Option<usize> {
        self.in_doubt
    }

    /// The most selective search by physical row location.
    fn by_place(&self, reached: Relations) -> Option<Served> {
        let usable = self.on_place.iter().filter_map(|at| self.conditions.get(*at));
        let usable = usable.filter(|condition| reached.contains_all(condition.needs));
        let kept = usable.map(|condition| condition.kept).reduce(f64::min)?;
        Some(Served { by: By::Place, how: How::Searched(1), kept })
    }

    /// How many keys of an index narrow the search, and the part of the rows that remains.
    fn matched(
        &self,
        candidate: &Candidate,
        resolved: &PreparedIndex,
        dialect: Dialect,
        reached: Relations,
    ) -> Matched {
        let serves = |key: usize| -> Option<&Condition> {
            let mut serving = candidate.keys.get(key)?.iter().filter_map(|at| self.conditions.get(*at));
            serving.find(|condition| reached.contains_all(condition.needs))
        };
        let count = resolved.index.keys.len();
        let first = |keys: usize| {
            let found = || (0..keys).filter_map(serves);
            let kept: f64 = found().map(|condition| condition.kept).product();
            let one_row = resolved.index.unique
                && keys == count
                && found().all(|condition| condition.compare.is_equality());
            // PostgreSQL has statistics on how many rows share a key; the others assume a few.
            let kept = if one_row || dialect == Dialect::Postgres { kept } else { kept.max(SHARED / ROWS) };
            let partial = !matches!(resolved.predicate, Predicate::None);
            Matched { keys, kept: if partial { kept / 2.0 } else { kept } }
        };
        match resolved.index.method.as_str() {
            "btree" => {
                let mut matched = 0;
                while let Some(condition) = serves(matched) {
                    matched += 1;
                    if !condition.compare.is_equality() {
                        break;
                    }
                }
                // PostgreSQL also compares later keys, scanning the whole index. That beats scanning the
                // table, but is a poor search and its last choice. Several values would take as many scans.
                let once = |condition: &Condition| {
                    condition.compare != Compare::Equal || condition.one_value || !condition.needs.is_empty()
                };
                if matched == 0
                    && dialect == Dialect::Postgres
                    && (1..count).any(|at| serves(at).is_some_and(once))
                {
                    return Matched { keys: Self::LATER_KEY, kept: 1.0 };
                }
                first(matched)
            }
            "hash" => first(usize::from(count == 1 && serves(0).is_some())),
            "spgist" => first(usize::from(serves(0).is_some())),
            // Any key narrows the search.
            "gist" | "gin" | "brin" | "bloom" | "fulltext" | "spatial" => {
                let all = (0..count).filter_map(serves);
                let (keys, kept) = all.fold((0, 1.0), |(n, kept), one| (n + 1, kept * one.kept));
                Matched { keys, kept }
            }
            _ => first(0),
        }
    }
}

/// The conditions that serve an index.
struct Serving {
    /// For each key, those that can search it.
    keys: Vec<Vec<usize>>,
    /// Whether it is unknown of one that the index stores the operand of whether it can search it.
    is_doubtful: bool,
}

/// For each key of an index, the conditions that can search it: equalities first, then by selectivity.
fn serving_keys(
    indexes: &Indexes<'_>,
    resolved: &PreparedIndex,
    relation: RelationId,
    conditions: &[Condition],
) -> Serving {
    let mut keys = Vec::new();
    let mut is_doubtful = false;
    for (number, (key, own)) in resolved.index.keys.iter().zip(&resolved.keys).enumerate() {
        let Some(own) = own else { continue };
        let mut serving: Vec<(usize, &Condition)> = Vec::new();
        for (at, condition) in conditions.iter().enumerate() {
            if !holds(own, condition, relation, indexes.dialect()) {
                continue;
            }
            // Behind another key, a range of a btree is no search of its own.
            let is_later = number > 0
                && resolved.index.method == "btree"
                && matches!(condition.compare, Compare::Given(_));
            match resolved.operator(indexes, key, condition) {
                Knows::Yes if condition.compare == Compare::NotNull => {
                    if !is_implied(own, resolved, indexes.dialect()) {
                        serving.push((at, condition));
                    }
                }
                Knows::Yes => serving.push((at, condition)),
                Knows::Unknown => is_doubtful |= !is_later,
                Knows::No => {}
            }
        }
        if serving.is_empty() {
            continue;
        }
        serving.sort_by(|(_, a), (_, b)| {
            let (ranged, other) = (!a.compare.is_equality(), !b.compare.is_equality());
            ranged.cmp(&other).then(a.kept.total_cmp(&b.kept))
        });
        keys.resize(number, Vec::new());
        keys.push(serving.into_iter().map(|(at, _)| at).collect());
    }
    Serving { keys, is_doubtful }
}

/// PostgreSQL drops a condition that the predicate of the index implies: `x IS NOT NULL` of an index on `x` that holds
/// no other rows.
fn is_implied(own: &Expr, resolved: &PreparedIndex, dialect: Dialect) -> bool {
    let (Predicate::Known(predicate), Some(key)) = (&resolved.predicate, own.as_column()) else {
        return false;
    };
    let says = |part: &Expr| {
        matches!(part, Expr::Is { expr, test: Test::Null, negated: true }
            if expr.as_column().is_some_and(|column| column.name == key.name))
    };
    dialect == Dialect::Postgres && predicate.conjuncts().iter().any(says)
}

/// Whether a key of an index is the operand of a condition. A multi-valued key,
/// `CAST(j -> '$.ids' AS UNSIGNED ARRAY)`, is matched by the expression inside the cast.
pub(super) fn holds(own: &Expr, condition: &Condition, relation: RelationId, dialect: Dialect) -> bool {
    let is_stored = |own: &Expr| predicates::is_stored(own, &condition.operand, relation, dialect);
    let own = match own {
        Expr::Cast { expr, ty } if ty.ends_with(" array") => {
            let is_member = matches!(&condition.compare, Compare::Operator(op) if op == "member of");
            return is_member && is_stored(expr);
        }
        Expr::Collate { expr, .. } => expr,
        own => own,
    };
    is_stored(own)
}

/// How a full scan of a partial index counts. If a selective equality is not covered by the predicate, few of
/// the index's rows match, and they are searched for one by one.
fn how_whole(
    resolved: &PreparedIndex,
    dialect: Dialect,
    relation: RelationId,
    conditions: &[Condition],
) -> How {
    let Predicate::Known(predicate) = &resolved.predicate else { return How::WalkedPartial };
    let is_said = |condition: &Condition| {
        let is_operand = |own: &Expr| holds(own, condition, relation, dialect);
        predicate.any(|part| match part {
            Expr::Binary { op, left, right } if op.is_comparison() => is_operand(left) || is_operand(right),
            Expr::InList { expr, .. } | Expr::Any { left: expr, .. } | Expr::Like { expr, .. } => {
                is_operand(expr)
            }
            _ => false,
        })
    };
    // One value of a column of which the predicate only says that it is not NULL, or in which range it is.
    let is_one_of_many = |condition: &Condition| {
        let is_operand = |own: &Expr| holds(own, condition, relation, dialect);
        let is_open = |part: &Expr| match part {
            Expr::Binary { op, left, right } => op.is_range() && (is_operand(left) || is_operand(right)),
            Expr::Is { expr, test: Test::Null, negated: true } | Expr::Between { expr, .. } => {
                is_operand(expr)
            }
            _ => false,
        };
        dialect == Dialect::Postgres
            && condition.compare == Compare::Equal
            && condition.needs.is_empty()
            && !is_condition(&condition.operand)
            && predicate.conjuncts().iter().any(is_open)
    };
    let leaves_some =
        |condition: &Condition| narrows(condition) && !is_said(condition) || is_one_of_many(condition);
    match conditions.iter().any(leaves_some) {
        true => How::FilteredPartial,
        false => How::WalkedPartial,
    }
}

/// Whether a condition alone is selective: an equality on a column with many values.
fn narrows(condition: &Condition) -> bool {
    let compare = matches!(condition.compare, Compare::Equal | Compare::Prefix(_) | Compare::Operator(_));
    compare
        && condition.needs.is_empty()
        && condition.kept <= MAX_EQUALITY_SELECTIVITY
        && !is_condition(&condition.operand)
}
