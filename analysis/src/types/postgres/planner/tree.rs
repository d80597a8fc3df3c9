//! The joins of a query as the planner sees them: scanned relations, outer joins, and their conditions.

use std::collections::{HashMap, HashSet};

use super::super::plan::{Reading, is_null};
use super::super::refute;
use super::estimate::{Filter, Leaf, operators};
use crate::sql::expr::{Expr, Literal, Op, Test};
use crate::sql::query::{BlockId, Body, From, JoinKind, RelationId, Source};

/// The maximum number of scanned relations; with more, the plan is unknown.
const MOST: usize = 8;

/// Scanned relations, a bit for each.
pub(super) type Set = u16;

/// A condition on several relations.
#[derive(Debug, Clone)]
pub(super) struct Clause {
    pub(super) of: Set,
    /// The two columns whose equality it is.
    pub(super) equal: Option<[(usize, String); 2]>,
    pub(super) operators: f64,
    /// The part of the rows that it keeps if it is no equality.
    pub(super) keeps: f64,
}

/// An outer join.
#[derive(Debug, Clone)]
pub(super) struct Outer {
    /// The relations on its kept side that it compares with.
    pub(super) needs: Set,
    pub(super) right: Set,
    pub(super) kind: Kind,
    pub(super) on: Vec<Clause>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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
    /// Whether a subquery may become one of the joins.
    pub(super) is_loose: bool,
    /// Columns that WHERE demands to be NULL.
    missing: HashSet<(RelationId, String)>,
    pub(super) bits: HashMap<RelationId, Set>,
}

/// What is assumed where nothing is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guess {
    /// The rows of a relation that is no table.
    pub(super) rows: f64,
    /// The part of rows that a condition keeps.
    pub(super) keeps: f64,
}

impl<'q> Tree<'q> {
    /// The joins of a block; `None` if there are too many, or they are not understood.
    pub(super) fn new(reading: &Reading<'q>, root: BlockId, guess: Guess) -> Option<Tree<'q>> {
        let mut tree = Tree::default();
        for condition in reading.query.block(root).filters() {
            if let Expr::Is { expr, test: Test::Null, negated: false } = condition
                && let Some(leaf) = reading.leaf(expr, 0)
            {
                tree.missing.insert(leaf);
            }
        }
        tree.block(reading, root, &HashSet::new(), guess)?;
        tree.spread_constants();
        tree.drop_useless(reading, root);
        for leaf in &mut tree.leaves {
            leaf.estimate();
        }
        Some(tree)
    }

    fn block(
        &mut self,
        reading: &Reading<'q>,
        id: BlockId,
        present: &HashSet<RelationId>,
        guess: Guess,
    ) -> Option<Set> {
        let block = reading.query.block(id);
        let (target, from) = match &block.body {
            Body::Select(select) => (None, &select.from),
            Body::Write(write) => (Some(write.target), &write.from),
            _ => return None,
        };
        let mut present = present.clone();
        for condition in block.filters() {
            present.extend(refuted(reading, condition).into_iter().map(|(relation, _)| relation));
        }
        let mut all = match target {
            Some(target) => self.relation(reading, target, guess)?,
            None => 0,
        };
        for item in from {
            all |= reading.deeper(|| self.item(reading, item, &present, guess))??;
        }
        for condition in block.filters() {
            self.condition(reading, condition, guess);
        }
        Some(all)
    }

    fn item(
        &mut self,
        reading: &Reading<'q>,
        item: &'q From,
        present: &HashSet<RelationId>,
        guess: Guess,
    ) -> Option<Set> {
        match item {
            From::Relation(id) => {
                let set = match reading.pulled_up(*id) {
                    Some(block) => self.block(reading, block, present, guess)?,
                    None => self.relation(reading, *id, guess)?,
                };
                self.bits.insert(*id, set);
                Some(set)
            }
            From::Join { kind, left, right, on } => {
                let mut inner = present.clone();
                let strict: HashSet<_> = on.iter().flat_map(|on| refuted(reading, on)).collect();
                inner.extend(strict.iter().map(|(relation, _)| *relation));
                let has = |side: &From| leaves_of(reading, side).iter().any(|id| present.contains(id));
                let kind = match kind {
                    JoinKind::Left if has(right) => JoinKind::Inner,
                    JoinKind::Right if has(left) => JoinKind::Inner,
                    JoinKind::Full => match (has(left), has(right)) {
                        (true, true) => JoinKind::Inner,
                        (true, false) => JoinKind::Left,
                        (false, true) => JoinKind::Right,
                        (false, false) => JoinKind::Full,
                    },
                    kind => *kind,
                };
                let (kept, optional) = if kind == JoinKind::Right { (right, left) } else { (left, right) };
                let is_inner = !matches!(kind, JoinKind::Left | JoinKind::Right | JoinKind::Full);
                let full = HashSet::new();
                let for_kept = if is_inner {
                    &inner
                } else if kind == JoinKind::Full {
                    &full
                } else {
                    present
                };
                let for_optional = if kind == JoinKind::Full { &full } else { &inner };
                let left = reading.deeper(|| self.item(reading, kept, for_kept, guess))??;
                let right = reading.deeper(|| self.item(reading, optional, for_optional, guess))??;
                let on = on.iter().flat_map(Expr::conjuncts);
                if is_inner {
                    on.for_each(|condition| self.condition(reading, condition, guess));
                } else {
                    self.outer_join(reading, (left, right), kind, on, &strict, guess);
                }
                Some(left | right)
            }
        }
    }

    fn outer_join(
        &mut self,
        reading: &Reading<'q>,
        (left, right): (Set, Set),
        kind: JoinKind,
        on: impl Iterator<Item = &'q Expr>,
        strict: &HashSet<(RelationId, String)>,
        guess: Guess,
    ) {
        let mut clauses = Vec::new();
        for condition in on.filter(|condition| !is_always_true(condition)) {
            let of = self.of(reading, condition);
            if let (true, Some(leaf)) = (kind != JoinKind::Full && of & !right == 0, self.only(of)) {
                self.filter(leaf, condition);
            } else {
                clauses.push(self.clause(reading, condition, of, guess));
            }
        }
        let needs = clauses.iter().fold(0, |needs, clause| needs | clause.of & left);
        let is_missing = self.missing.iter().any(|of| strict.contains(of) && self.bit(of.0) & right != 0);
        let (needs, kind) = match kind {
            JoinKind::Full => (left, Kind::Full),
            _ => (if needs == 0 { left } else { needs }, if is_missing { Kind::Anti } else { Kind::Left }),
        };
        self.outer.push(Outer { needs, right, kind, on: clauses });
    }

    fn relation(&mut self, reading: &Reading<'q>, id: RelationId, guess: Guess) -> Option<Set> {
        if self.leaves.len() >= MOST {
            return None;
        }
        let (table, rows) = match &reading.query.relation(id).source {
            Source::Table(name) => {
                let table = reading.schema.stored(name)?;
                if table.partition_by.is_some() || reading.schema.children_of(name).next().is_some() {
                    return None;
                }
                (Some(table), 1.0)
            }
            Source::Cte(block) | Source::Derived(block) | Source::View(_, block) => {
                let rows = reading.deeper(|| rows_of(reading, *block, guess))?;
                (None, rows.unwrap_or(guess.rows))
            }
            Source::Function(name, args) if name == "unnest" && args.iter().all(is_null) => (None, 1.0),
            _ => (None, guess.rows),
        };
        self.leaves.push(Leaf::new(id, table, rows, guess.keeps, reading.schema));
        let set = 1 << (self.leaves.len() - 1);
        self.bits.insert(id, set);
        Some(set)
    }

    /// Adds a condition that all rows satisfy.
    fn condition(&mut self, reading: &Reading<'q>, condition: &'q Expr, guess: Guess) {
        if is_always_true(condition) {
            return;
        }
        if matches!(condition, Expr::Exists { .. } | Expr::InQuery { negated: false, .. }) {
            self.is_loose = true;
            return;
        }
        let of = self.of(reading, condition);
        let is_right = |kind: Kind| self.outer.iter().any(|join| join.right & of != 0 && join.kind == kind);
        let is_missing = is_right(Kind::Anti) && is_null_test(condition);
        let is_optional = is_right(Kind::Left) || is_right(Kind::Full);
        match self.only(of) {
            // It is checked after the join that makes its column NULL.
            Some(_) if is_optional && refuted(reading, condition).is_empty() => {
                let clause = self.clause(reading, condition, of, guess);
                self.clauses.push(clause);
            }
            Some(_) if is_missing => {}
            Some(leaf) => self.filter(leaf, condition),
            None if of == 0 => {}
            None => {
                let clause = self.clause(reading, condition, of, guess);
                self.clauses.push(clause);
            }
        }
    }

    fn filter(&mut self, leaf: usize, condition: &'q Expr) {
        if let Some(leaf) = self.leaves.get_mut(leaf) {
            leaf.filters.push(Filter::Written(condition));
        }
    }

    fn clause(&self, reading: &Reading<'q>, condition: &Expr, of: Set, guess: Guess) -> Clause {
        let equal = match condition {
            Expr::Binary { op: Op::Eq, left, right } => {
                let side = |expr: &Expr| {
                    let (id, name) = reading.leaf(expr, 0)?;
                    Some((self.only(self.bit(id))?, name))
                };
                side(left).zip(side(right)).filter(|(left, right)| left.0 != right.0)
            }
            _ => None,
        };
        let keeps = match condition {
            Expr::Binary { op, .. } if op.is_range() => 1.0 / 3.0,
            Expr::Binary { op: Op::Eq, .. } => 0.005,
            _ => guess.keeps,
        };
        Clause { of, equal: equal.map(|(left, right)| [left, right]), operators: operators(condition), keeps }
    }

    fn bit(&self, id: RelationId) -> Set {
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

/// The scanned columns that are not NULL if a condition is true.
fn refuted(reading: &Reading<'_>, condition: &Expr) -> HashSet<(RelationId, String)> {
    let column = |(relation, name): (RelationId, String)| {
        let column = crate::sql::expr::ColumnRef { relation: Some(relation), name, span: None };
        let leaf = reading.leaf(&Expr::Column(column.clone()), 0);
        leaf.unwrap_or((relation, column.name))
    };
    refute::refuted(condition).into_iter().map(column).collect()
}

fn leaves_of(reading: &Reading<'_>, item: &From) -> HashSet<RelationId> {
    let mut found: HashSet<_> = item.relations().into_iter().collect();
    reading.leaves(item, &mut found);
    found
}

/// Whether it is `column IS NULL`.
fn is_null_test(condition: &Expr) -> bool {
    matches!(condition, Expr::Is { test: Test::Null, negated: false, .. })
}

/// Whether a condition holds if its parameters are NULL, so that the planner drops it.
fn is_always_true(condition: &Expr) -> bool {
    match condition {
        Expr::Literal(Literal::Bool(true)) => true,
        Expr::Is { expr, test: Test::Null, negated: false } => is_null(expr),
        Expr::Or(parts) => parts.iter().any(is_always_true),
        Expr::And(parts) => parts.iter().all(is_always_true),
        Expr::Call(call) if call.name == "coalesce" => {
            call.args.iter().find(|arg| !is_null(arg)).is_some_and(is_always_true)
        }
        _ => false,
    }
}

/// How many rows a query expression is expected to return; `None` if nothing tells.
fn rows_of(reading: &Reading<'_>, id: BlockId, guess: Guess) -> Option<f64> {
    if !reading.may_estimate() {
        return None;
    }
    let block = reading.query.block(id);
    if matches!(&block.limit, Some(Expr::Literal(Literal::Number(limit))) if limit == "1")
        || block.filters().iter().any(|filter| reading.is_never_true(filter, 0))
    {
        return Some(1.0);
    }
    let (from, is_grouped) = match &block.body {
        Body::Values(rows) => return Some(f64::from(u32::try_from(rows.len()).ok()?)),
        Body::Set { .. } | Body::Unknown => return None,
        Body::Write(write) => match write.source {
            Some(source) => return reading.deeper(|| rows_of(reading, source, guess))?,
            None => (true, false),
        },
        Body::Select(select) if select.aggregates && select.group_by.is_empty() => return Some(1.0),
        Body::Select(select) if select.set_returning => return None,
        Body::Select(select) => {
            (!select.from.is_empty(), !select.group_by.is_empty() || select.distinct.is_some())
        }
    };
    if !from {
        return Some(1.0);
    }
    let rows = reading.deeper(|| Tree::new(reading, id, guess))??.all_rows()?;
    // Groups are fewer than rows.
    (!is_grouped || rows <= 1.0).then_some(rows)
}
