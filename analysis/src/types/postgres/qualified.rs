//! Conditions as the server rewrites them before it plans: rows that are compared become comparisons of their fields,
//! and what all arms of an OR have in common is demanded once.

use crate::sql::Query;
use crate::sql::expr::{Expr, Op};
use crate::sql::query::{Body, From};

/// A query with its conditions rewritten; `None` if there is nothing to rewrite.
pub(super) fn rewritten(query: &Query) -> Option<Query> {
    let is_rewritten = |part: &Expr| match part {
        Expr::Binary { left, .. } => matches!(**left, Expr::Row(_)),
        Expr::InList { expr, .. } => matches!(**expr, Expr::Row(_)),
        Expr::Or(arms) => arms.iter().all(|arm| matches!(arm, Expr::And(_))),
        _ => false,
    };
    let mut conditions = query.blocks.iter().flat_map(|block| block.conditions());
    if !conditions.any(|condition| condition.any(is_rewritten)) {
        return None;
    }
    let mut query = query.clone();
    for block in &mut query.blocks {
        let (from, filter) = match &mut block.body {
            Body::Select(select) => (&mut select.from, &mut select.filter),
            Body::Write(write) => (&mut write.from, &mut write.filter),
            Body::Set { .. } | Body::Values(_) | Body::Unknown => continue,
        };
        *filter = filter.take().map(|filter| condition(filter, 0));
        from.iter_mut().for_each(joins);
    }
    Some(query)
}

fn joins(item: &mut From) {
    let mut open = vec![item];
    while let Some(item) = open.pop() {
        if let From::Join { left, right, on, .. } = item {
            *on = on.take().map(|on| condition(on, 0));
            open.extend([&mut **left, &mut **right]);
        }
    }
}

fn condition(expr: Expr, depth: usize) -> Expr {
    if depth > 64 {
        return expr;
    }
    let each = |parts: Vec<Expr>| parts.into_iter().map(|part| condition(part, depth + 1)).collect();
    match expr {
        Expr::And(parts) => and(each(parts)),
        Expr::Or(parts) => or(each(parts)),
        Expr::Not(inner) => Expr::Not(Box::new(condition(*inner, depth + 1))),
        Expr::Binary { op, left, right } => match (*left, *right) {
            (Expr::Row(left), Expr::Row(right)) => fields(op, left, right),
            (left, right) => Expr::Binary { op, left: Box::new(left), right: Box::new(right) },
        },
        Expr::InList { expr, list, negated } => match *expr {
            Expr::Row(fields) => listed(fields, list, negated),
            expr => Expr::InList { expr: Box::new(expr), list, negated },
        },
        other => other,
    }
}

/// The comparison of two rows: field by field for equality, as a whole for an order.
fn fields(op: Op, left: Vec<Expr>, right: Vec<Expr>) -> Expr {
    let is_whole = !matches!(op, Op::Eq | Op::NotEq) && left.len() > 1;
    let is_plain = |row: &[Expr]| !row.iter().any(|field| matches!(field, Expr::Row(_) | Expr::WholeRow(_)));
    if is_whole || left.len() != right.len() || !is_plain(&left) || !is_plain(&right) {
        return compared(op, Expr::Row(left), Expr::Row(right));
    }
    let all = left.into_iter().zip(right).map(|(left, right)| compared(op.clone(), left, right)).collect();
    if op == Op::NotEq { or(all) } else { and(all) }
}

/// A row among others.
fn listed(row: Vec<Expr>, list: Vec<Expr>, negated: bool) -> Expr {
    if !list.iter().all(|of| matches!(of, Expr::Row(fields) if fields.len() == row.len())) {
        return Expr::InList { expr: Box::new(Expr::Row(row)), list, negated };
    }
    let rows = list.into_iter().filter_map(|of| match of {
        Expr::Row(fields) => Some(fields),
        _ => None,
    });
    let op = if negated { Op::NotEq } else { Op::Eq };
    let all = rows.map(|of| fields(op.clone(), row.clone(), of)).collect();
    if negated { and(all) } else { or(all) }
}

fn compared(op: Op, left: Expr, right: Expr) -> Expr {
    Expr::Binary { op, left: Box::new(left), right: Box::new(right) }
}

fn and(parts: Vec<Expr>) -> Expr {
    let mut all = Vec::new();
    for part in parts {
        match part {
            Expr::And(inner) => all.extend(inner),
            part => all.push(part),
        }
    }
    if all.len() == 1 { all.remove(0) } else { Expr::And(all) }
}

/// Arms of which one has to hold: what is in all of them has to hold in any case.
fn or(parts: Vec<Expr>) -> Expr {
    let mut arms = Vec::new();
    for part in parts {
        match part {
            Expr::Or(inner) => arms.extend(inner),
            part => arms.push(part),
        }
    }
    let Some(first) = arms.first() else { return Expr::Or(arms) };
    let is_common = |part: &&Expr| arms.iter().all(|arm| arm.conjuncts().contains(part));
    let common: Vec<Expr> = first.conjuncts().iter().filter(is_common).cloned().collect();
    if arms.len() == 1 || common.is_empty() {
        return if arms.len() == 1 { arms.remove(0) } else { Expr::Or(arms) };
    }
    let rest = |arm: &Expr| -> Vec<Expr> {
        arm.conjuncts().iter().filter(|part| !common.contains(part)).cloned().collect()
    };
    let rests: Vec<Vec<Expr>> = arms.iter().map(rest).collect();
    let mut all = common;
    // An arm that demands nothing else makes the others superfluous.
    if !rests.iter().any(Vec::is_empty) {
        all.push(Expr::Or(rests.into_iter().map(and).collect()));
    }
    and(all)
}
