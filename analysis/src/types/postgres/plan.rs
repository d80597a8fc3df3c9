//! What sqlx reads from the plan of a query: which columns an outer join at its top may fill with NULL.
//!
//! sqlx prepares a statement and explains its execution with NULL for every parameter. Only joins at the very top of the
//! plan are looked at, and only columns that the inner side puts out as they are.

use std::collections::HashSet;

use super::session::{Field, Session};
use crate::sql::expr::{Expr, LikeKind, Op, Test};
use crate::sql::query::{Body, From, JoinKind, RelationId};

/// What the plan says of a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patch {
    pub(super) nullable: bool,
    pub(super) certain: bool,
}

/// What the plan says of each column.
pub(super) fn patches(session: &mut Session<'_>, fields: &[Field]) -> Vec<Patch> {
    let mut patches = vec![Patch { nullable: false, certain: true }; fields.len()];
    let Some(inner) = inner_sides(session) else { return patches };
    let query = session.query;
    let Some(outputs) = query.root.and_then(|root| query.block(root).outputs.as_ref()) else { return patches };
    let mut seen: Vec<&Expr> = Vec::new();
    for (patch, output) in patches.iter_mut().zip(outputs) {
        let relation = match &output.expr {
            Expr::Column(column) => column.relation,
            Expr::WholeRow(relation) => Some(*relation),
            _ => None,
        };
        // Of equal columns sqlx marks the first.
        if relation.is_some_and(|relation| inner.contains(&relation)) && !seen.contains(&&output.expr) {
            patch.nullable = true;
            seen.push(&output.expr);
        }
    }
    patches
}

/// The relations whose columns stand on the inner side of outer joins at the top of the plan.
fn inner_sides(session: &mut Session<'_>) -> Option<HashSet<RelationId>> {
    let query = session.query;
    let block = query.block(query.root?);
    let Body::Select(select) = &block.body else { return None };
    let grouped = !select.group_by.is_empty() || select.aggregates || select.having.is_some();
    let sorted = !block.order_by.is_empty() || block.limit.is_some() || block.offset.is_some() || block.locks;
    let windowed = select.projection.iter().any(|expr| expr.any(|e| matches!(e, Expr::Call(call) if call.window)));
    if grouped || sorted || windowed || select.distinct.is_some() || select.set_returning {
        return None;
    }
    let [item] = select.from.as_slice() else { return None };
    if block.filters().iter().any(is_never_true) || inner_conditions(item).into_iter().any(is_never_true) {
        return None;
    }
    let mut inner = HashSet::new();
    collect(session, item, &mut inner);
    Some(inner)
}

/// The conditions of joins that every row meets.
fn inner_conditions(item: &From) -> Vec<&Expr> {
    match item {
        From::Join { kind: JoinKind::Inner | JoinKind::Cross, left, right, on } => {
            let mut all: Vec<&Expr> = on.iter().flat_map(Expr::conjuncts).collect();
            all.extend(inner_conditions(left));
            all.extend(inner_conditions(right));
            all
        }
        From::Join { kind: JoinKind::Left, left, .. } => inner_conditions(left),
        From::Join { kind: JoinKind::Right, right, .. } => inner_conditions(right),
        _ => Vec::new(),
    }
}

fn collect(session: &mut Session<'_>, item: &From, inner: &mut HashSet<RelationId>) {
    let From::Join { kind, left, right, .. } = item else { return };
    let is_outer = |side: &From| side.relations().iter().any(|id| session.outer.contains(id));
    match kind {
        JoinKind::Left if is_outer(right) => {
            inner.extend(right.relations());
            collect(session, left, inner);
        }
        JoinKind::Right if is_outer(left) => {
            inner.extend(left.relations());
            collect(session, right, inner);
        }
        JoinKind::Full => inner.extend(item.relations()),
        _ => {}
    }
}

/// Whether a condition is false or NULL once its parameters are NULL, so that the planner leaves the query out.
fn is_never_true(condition: &Expr) -> bool {
    match condition {
        Expr::And(parts) => parts.iter().any(is_never_true),
        Expr::Or(parts) => parts.iter().all(is_never_true),
        Expr::Between { expr, low, high, .. } => is_null(expr) || is_null(low) || is_null(high),
        Expr::Is { expr, test: Test::Null, negated: true } => is_null(expr),
        Expr::Is { expr, test: Test::True, negated: false } => is_never_true(expr),
        Expr::InList { expr, list, negated: false } => {
            is_null(expr) || matches!(list.as_slice(), [only] if is_null(only))
        }
        Expr::Literal(crate::sql::expr::Literal::Bool(false)) => true,
        other => is_null(other),
    }
}

/// Whether an expression is NULL once its parameters are, as far as the planner works it out beforehand.
fn is_null(expr: &Expr) -> bool {
    match expr {
        Expr::Parameter(_) | Expr::Literal(crate::sql::expr::Literal::Null) => true,
        Expr::Cast { expr, .. } | Expr::Collate { expr, .. } | Expr::Not(expr) | Expr::Unary { expr, .. } => is_null(expr),
        Expr::Binary { op, left, right } => {
            !matches!(op, Op::Same | Op::NotSame) && (is_null(left) || is_null(right))
        }
        Expr::Like { expr, pattern, kind, .. } => *kind != LikeKind::Glob && (is_null(expr) || is_null(pattern)),
        Expr::Any { left, right, .. } => is_null(left) && is_null(right),
        Expr::Call(call) => match call.name.as_str() {
            "coalesce" => call.args.iter().all(is_null),
            "lower" | "upper" | "length" | "trim" | "date_trunc" | "to_tsquery" | "plainto_tsquery"
            | "websearch_to_tsquery" => call.args.iter().any(is_null),
            _ => false,
        },
        Expr::Other { what, parts } if what == "at time zone" || what.starts_with("extract") => parts.iter().any(is_null),
        _ => false,
    }
}
