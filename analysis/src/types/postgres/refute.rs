//! Which columns a condition proves not to be NULL: if they were, it could not be true.

use std::collections::HashSet;

use crate::sql::expr::{Expr, Op, Test};
use crate::sql::query::RelationId;

/// A column of a relation.
type Of = (RelationId, String);

/// The columns that are not NULL if the condition is true.
pub(super) fn refuted(condition: &Expr) -> HashSet<Of> {
    let mut found = HashSet::new();
    holds(condition, &mut found, 0);
    found
}

fn holds(condition: &Expr, found: &mut HashSet<Of>, depth: usize) {
    if depth > 64 {
        return;
    }
    match condition {
        Expr::And(parts) => parts.iter().for_each(|part| holds(part, found, depth + 1)),
        Expr::Or(parts) => {
            let mut arms = parts.iter().map(|part| {
                let mut arm = HashSet::new();
                holds(part, &mut arm, depth + 1);
                arm
            });
            if let Some(first) = arms.next() {
                let all = arms.fold(first, |all, arm| all.intersection(&arm).cloned().collect());
                found.extend(all);
            }
        }
        Expr::Is { expr, test: Test::Null, negated: true } => value(expr, found, depth),
        Expr::Is { expr, test: Test::True, negated: false } => holds(expr, found, depth + 1),
        Expr::Is { expr, test: Test::False, negated: false } => truth(expr, found, depth + 1),
        Expr::Not(inner) => truth(inner, found, depth + 1),
        Expr::Between { expr, low, high, negated } => {
            value(expr, found, depth);
            if !negated {
                value(low, found, depth);
                value(high, found, depth);
            }
        }
        Expr::Any { left, all: false, .. } | Expr::InQuery { expr: left, negated: false, .. } => {
            value(left, found, depth);
        }
        other => truth(other, found, depth),
    }
}

/// Collects the columns that are not NULL if a condition is true or false.
fn truth(condition: &Expr, found: &mut HashSet<Of>, depth: usize) {
    match condition {
        // Rows are compared field by field, and may differ in one while another is NULL.
        Expr::Binary { left, right, .. }
            if matches!(**left, Expr::Row(_)) || matches!(**right, Expr::Row(_)) => {}
        Expr::Binary { op, left, right } if op.is_comparison() && !matches!(op, Op::Same | Op::NotSame) => {
            value(left, found, depth);
            value(right, found, depth);
        }
        Expr::Like { expr, pattern, .. } => {
            value(expr, found, depth);
            value(pattern, found, depth);
        }
        Expr::InList { expr, .. } => value(expr, found, depth),
        Expr::Column(_) => value(condition, found, depth),
        _ => {}
    }
}

/// Collects the columns whose NULL makes a value NULL.
fn value(expr: &Expr, found: &mut HashSet<Of>, depth: usize) {
    if depth > 64 {
        return;
    }
    match expr {
        Expr::Column(column) => {
            if let Some(relation) = column.relation {
                found.insert((relation, column.name.clone()));
            }
        }
        Expr::Cast { expr, .. } | Expr::Collate { expr, .. } => value(expr, found, depth + 1),
        Expr::Binary { op: Op::Arithmetic(_), left, right } => {
            value(left, found, depth + 1);
            value(right, found, depth + 1);
        }
        _ => {}
    }
}
