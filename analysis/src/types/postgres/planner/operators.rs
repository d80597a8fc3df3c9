//! How many operators and functions the server calls to evaluate a condition.

use super::super::folds::Folds;
use super::estimate::is_fixed;
use super::scans::number;
use super::sizes::OF_UNKNOWN_ARRAY;
use crate::sql::expr::{Expr, Literal, Op};

/// From how many constants on a list is searched by a hash table.
const HASHED: usize = 9;

/// How many operators and functions an expression calls.
pub(super) fn operators(expr: &Expr, folds: &Folds<'_>) -> f64 {
    let mut count = 0.0;
    expr.walk(&mut |part| {
        count += match part {
            Expr::Call(call) if matches!(call.name.as_str(), "coalesce" | "greatest" | "least") => 0.0,
            Expr::Binary { op, left, .. } if op.is_range() && matches!(**left, Expr::Row(_)) => {
                number(left.children().len())
            }
            Expr::Any { right, .. } => elements(right, folds),
            Expr::InList { list, .. } if list.len() >= HASHED && list.iter().all(is_literal) => 2.0,
            Expr::Binary { .. } | Expr::Call(_) | Expr::Like { .. } | Expr::Unary { .. } => 1.0,
            Expr::Between { .. } => 2.0,
            Expr::InList { list, .. } if list.len() > 1 => number(list.len()) * 0.5,
            Expr::InList { .. } => 1.0,
            Expr::Cast { expr, ty } => of_cast(expr, ty),
            _ => 0.0,
        };
    });
    count
}

/// How many operators the search of an array calls: a value is expected half way, or found by a hash table.
fn elements(array: &Expr, folds: &Folds<'_>) -> f64 {
    let (count, is_constant) = match array.without_casts() {
        array if folds.is_null(array) => (0, true),
        Expr::Array(items) => (items.len(), items.iter().all(is_literal)),
        Expr::Literal(Literal::Text(text)) => {
            (text.matches(',').count() + usize::from(text.trim() != "{}"), true)
        }
        _ => return OF_UNKNOWN_ARRAY * 0.5,
    };
    if is_constant && count >= HASHED { 2.0 } else { number(count) * 0.5 }
}

fn is_literal(expr: &Expr) -> bool {
    matches!(expr.without_casts(), Expr::Literal(_))
}

/// How many functions a cast calls: the output of one type and the input of the other if one of them is a text.
fn of_cast(expr: &Expr, ty: &str) -> f64 {
    let is_text = |op: &Op| matches!(op, Op::Other(op) if op == "->>" || op == "#>>");
    match expr {
        _ if is_fixed(expr) => 0.0,
        Expr::Binary { op, .. } if is_text(op) => {
            if ty == "text" {
                0.0
            } else {
                2.0
            }
        }
        _ if ty == "text" || ty.starts_with("varchar") => 2.0,
        _ => 1.0,
    }
}
