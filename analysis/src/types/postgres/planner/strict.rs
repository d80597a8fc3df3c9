//! Which relations a condition demands: it does not hold for a row in which an outer join left them out.

use std::collections::HashSet;

use super::super::plan::Reading;
use super::super::refute;
use crate::sql::expr::{ColumnRef, Expr, Op, Test};
use crate::sql::query::RelationId;
use crate::types::Planned;

/// The relations that a condition demands.
#[derive(Debug, Default, Clone)]
pub(super) struct Demand {
    pub(super) sure: HashSet<RelationId>,
    /// Those that it demands as well if its functions return NULL for NULL.
    pub(super) possible: HashSet<RelationId>,
    /// Whether the rows that it is about may be left out as a whole.
    pub(super) is_optional: bool,
}

impl Demand {
    pub(super) fn of<'q>(reading: &Reading<'q>, conditions: impl IntoIterator<Item = &'q Expr>) -> Demand {
        let mut all = Demand::default();
        for condition in conditions {
            all.add(demand(reading, condition, true, 0));
        }
        all
    }

    pub(super) fn add(&mut self, other: Demand) {
        self.sure.extend(other.sure);
        self.possible.extend(other.possible);
    }

    fn common(self, other: Demand) -> Demand {
        let possible = self.possible.intersection(&other.possible).copied().collect();
        let sure = self.sure.intersection(&other.sure).copied().collect();
        Demand { sure, possible, is_optional: false }
    }

    /// The demand without anything that is sure; what is possible stays.
    fn doubted(self) -> Demand {
        Demand { sure: HashSet::new(), ..self }
    }
}

/// What an expression demands to be true, or to be anything but NULL.
fn demand(reading: &Reading<'_>, expr: &Expr, is_true: bool, depth: usize) -> Demand {
    if depth > 64 {
        return Demand::default();
    }
    let all = |parts: &[&Expr]| {
        parts.iter().fold(Demand::default(), |mut all, part| {
            all.add(demand(reading, part, false, depth + 1));
            all
        })
    };
    let common = |parts: &[Expr]| {
        // In a condition, the planner drops arms that never hold.
        let arms = parts.iter().filter(|part| !is_true || !reading.is_never_true(part, 0));
        let of = arms.map(|part| demand(reading, part, is_true, depth + 1));
        of.reduce(Demand::common).unwrap_or_default()
    };
    match expr {
        Expr::Column(column) => column.relation.map(|id| relation(reading, expr, id)).unwrap_or_default(),
        Expr::And(parts) if is_true => parts.iter().fold(Demand::default(), |mut all, part| {
            all.add(demand(reading, part, true, depth + 1));
            all
        }),
        Expr::And(parts) | Expr::Or(parts) => common(parts),
        // The planner turns what is denied into what holds.
        Expr::Not(inner) if is_true => match &**inner {
            Expr::Not(inner) => demand(reading, inner, true, depth + 1),
            Expr::Is { expr, test: Test::Null, negated: false } => all(&[expr]),
            Expr::Or(parts) => all(&parts.iter().collect::<Vec<_>>()),
            inner => all(&[inner]),
        },
        Expr::Not(inner) => all(&[inner]),
        Expr::Cast { expr, .. } | Expr::Collate { expr, .. } | Expr::Unary { expr, .. } => all(&[expr]),
        Expr::Is { expr, test: Test::Null, negated: true }
        | Expr::Is { expr, test: Test::True | Test::False, negated: false } => match is_true {
            true => all(&[expr]),
            false => Demand::default(),
        },
        Expr::Binary { op: Op::Same | Op::NotSame, .. } => Demand::default(),
        Expr::Binary { op, left, right } if op.is_range() && is_row(left) && is_row(right) => {
            Demand::default()
        }
        // Rows are compared field by field, and may differ in one while another is NULL.
        Expr::Binary { left, right, .. } if is_row(left) || is_row(right) => all(&[left, right]).doubted(),
        // Of the server's operators, only those that append to an array accept NULL.
        Expr::Binary { op: Op::Concat, left, right } => all(&[left, right]).doubted(),
        Expr::Binary { left, right, .. } => all(&[left, right]),
        Expr::Like { expr, pattern, .. } => all(&[expr, pattern]),
        Expr::Between { expr, low, high, negated: false } => all(&[expr, low, high]),
        Expr::Between { expr, .. } | Expr::InList { expr, .. } => all(&[expr]),
        Expr::Any { left, all: false, .. } | Expr::InQuery { expr: left, negated: false, .. } => all(&[left]),
        Expr::Call(call) => {
            let args = all(&call.args.iter().collect::<Vec<_>>());
            match reading.folds.is_strict(call) {
                Some(true) => args,
                Some(false) => Demand::default(),
                None => args.doubted(),
            }
        }
        Expr::Case { .. } | Expr::Is { .. } | Expr::Exists { .. } => Demand::default(),
        other => other.children().into_iter().fold(Demand::default(), |mut all, part| {
            all.add(demand(reading, part, false, depth + 1).doubted());
            all
        }),
    }
}

/// A column's relation, if it is scanned; an expression behind it may be anything.
fn relation(reading: &Reading<'_>, column: &Expr, id: RelationId) -> Demand {
    match reading.leaf(column, 0) {
        Some((leaf, _)) => Demand { sure: [leaf].into(), possible: [leaf].into(), is_optional: false },
        None => {
            let is_computed = reading.pulled_up(id).is_some();
            let sure = if is_computed { HashSet::new() } else { [id].into() };
            Demand { sure, possible: [id].into(), is_optional: false }
        }
    }
}

/// Whether a condition reads a query more than once, or may become a join.
pub(super) fn has_subquery(reading: &Reading<'_>, condition: &Expr) -> bool {
    condition.any(|part| match part {
        Expr::Subquery(query) => reading.query.block(*query).correlated,
        other => other.own_subquery().is_some(),
    })
}

/// The only arm of a condition that may hold, as the planner knows in advance: it drops the others.
pub(super) fn living<'q>(reading: &Reading<'q>, condition: &'q Expr) -> Option<&'q Expr> {
    let parts = match condition {
        Expr::Or(parts) => parts,
        Expr::Case { .. } => return reading.folds.case(condition).flatten(),
        _ => return None,
    };
    let mut left = parts.iter().filter(|part| !reading.is_never_true(part, 0));
    let (Some(only), None) = (left.next(), left.next()) else { return None };
    (parts.len() > 1).then_some(only)
}

/// Whether the planner drops an arm of a condition that never holds.
pub(super) fn has_dead_arm(reading: &Reading<'_>, condition: &Expr) -> bool {
    let is_case = |part: &Expr| matches!(part, Expr::Case { .. }) && reading.folds.case(part).is_some();
    is_case(condition)
        || condition.any(|part| match part {
            Expr::Or(parts) => parts.iter().any(|part| reading.is_never_true(part, 0)),
            // It is below the one, or above the other.
            Expr::Between { low, high, negated: true, .. } => reading.is_null(low) || reading.is_null(high),
            _ => false,
        })
}

/// Whether a condition that reads no row is evaluated once before all joins; the planner puts that above them. What it
/// is if it consists of constants is not known here.
pub(super) fn is_gate(reading: &Reading<'_>, condition: &Expr) -> bool {
    let is_value = |part: &Expr| match part {
        Expr::Parameter(_) => reading.planned == Planned::ForAny,
        Expr::Subquery(_) => true,
        other => other.own_subquery().is_some(),
    };
    condition.any(is_value) && !condition.any(|part| matches!(part, Expr::Call(_)))
}

fn is_row(expr: &Expr) -> bool {
    matches!(expr, Expr::Row(_))
}

/// Whether it is `column IS NULL`.
pub(super) fn is_null_test(condition: &Expr) -> bool {
    matches!(null_test(condition), Some((_, false)))
}

/// Whether it is `NOT (a <> b)`: the planner reads it as an equality, which is not followed.
pub(super) fn is_denied_inequality(condition: &Expr) -> bool {
    matches!(condition, Expr::Not(inner) if matches!(**inner, Expr::Binary { op: Op::NotEq, .. }))
}

/// What a condition tests for NULL, and whether for anything else: `NOT (a IS NULL)` is `a IS NOT NULL`.
pub(super) fn null_test(condition: &Expr) -> Option<(&Expr, bool)> {
    match condition {
        Expr::Is { expr, test: Test::Null, negated } => Some((&**expr, *negated)),
        Expr::Not(inner) => null_test(inner).map(|(expr, negated)| (expr, !negated)),
        _ => None,
    }
}

/// Whether a condition holds, as the planner knows in advance, so that it drops it.
pub(super) fn is_always_true(reading: &Reading<'_>, condition: &Expr) -> bool {
    reading.folds.is_always_true(condition, 0)
}

/// The scanned columns that are not NULL if a condition is true.
pub(super) fn refuted(reading: &Reading<'_>, condition: &Expr) -> HashSet<(RelationId, String)> {
    let column = |(relation, name): (RelationId, String)| {
        let column = ColumnRef { relation: Some(relation), name, span: None };
        let leaf = reading.leaf(&Expr::Column(column.clone()), 0);
        leaf.unwrap_or((relation, column.name))
    };
    refute::refuted(condition).into_iter().map(column).collect()
}
