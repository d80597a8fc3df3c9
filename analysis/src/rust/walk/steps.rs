//! Values that follow one after the other: the next number, the next day.

use crate::rust::methods::{Yields, yields};
use syn::{BinOp, Expr, Lit, UnOp};

/// Whether a value is one, or a length of time of one unit: `1`, `Days::new(1)`, `Duration::days(1)`.
pub(super) fn is_step_of_one(value: &Expr) -> bool {
    let is_one = |value: &Expr| matches!(value, Expr::Lit(syn::ExprLit { lit: Lit::Int(n), .. }) if n.base10_digits() == "1");
    match value {
        Expr::Call(call) => call.args.len() == 1 && call.args.iter().all(is_one),
        value => is_one(value),
    }
}

/// Whether a value is the successor of `name`: `name + 1`, `name + Days::new(1)`, `name.succ_opt()`.
pub(super) fn steps_from(value: &Expr, name: &str) -> bool {
    let is_it = |value: &Expr| match value {
        Expr::Unary(inner) if matches!(inner.op, UnOp::Deref(_)) => {
            matches!(inner.expr.as_ref(), Expr::Path(path) if path.path.is_ident(name))
        }
        value => matches!(value, Expr::Path(path) if path.path.is_ident(name)),
    };
    match value {
        Expr::Binary(sum) if matches!(sum.op, BinOp::Add(_) | BinOp::Sub(_)) => {
            is_step_of_one(&sum.right) && is_it(&sum.left)
        }
        Expr::MethodCall(call) => match call.method.to_string().as_str() {
            "succ_opt" | "succ" | "pred_opt" | "pred" | "next_day" | "previous_day" => is_it(&call.receiver),
            "checked_add_days" | "checked_sub_days" | "checked_add_signed" | "checked_sub_signed"
            | "checked_add_months" | "checked_sub_months" | "checked_add" | "checked_sub" => {
                is_it(&call.receiver) && call.args.first().is_some_and(is_step_of_one)
            }
            "ok_or" | "ok_or_else" | "context" => steps_from(&call.receiver, name),
            method => yields(method) == Some(Yields::Content) && steps_from(&call.receiver, name),
        },
        Expr::Paren(inner) => steps_from(&inner.expr, name),
        Expr::Try(inner) => steps_from(&inner.expr, name),
        _ => false,
    }
}

/// Whether such a value follows by a length of time, or is the next day, rather than the next number.
pub(super) fn is_step_of_days(value: &Expr) -> bool {
    match value {
        Expr::Binary(sum) => !matches!(sum.right.as_ref(), Expr::Lit(_)),
        Expr::MethodCall(call) if call.args.is_empty() && !call.method.to_string().starts_with("unwrap") => {
            true
        }
        Expr::MethodCall(call) => {
            let is_length = |value: &Expr| matches!(value, Expr::Call(_));
            call.method.to_string().starts_with("checked_") && call.args.first().is_some_and(is_length)
                || is_step_of_days(&call.receiver)
        }
        Expr::Paren(inner) => is_step_of_days(&inner.expr),
        Expr::Try(inner) => is_step_of_days(&inner.expr),
        _ => false,
    }
}

/// Whether a closure gives the successor of its argument, which takes no query: `|day| day.succ_opt()`.
pub(super) fn is_step(function: &Expr) -> bool {
    let Expr::Closure(closure) = function else { return false };
    let Some(name) = closure.inputs.first().map(super::variables::bindings) else { return false };
    let [name] = name.as_slice() else { return false };
    match closure.body.as_ref() {
        Expr::Call(call) if matches!(call.func.as_ref(), Expr::Path(path) if path.path.is_ident("Some")) => {
            call.args.first().is_some_and(|value| steps_from(value, name))
        }
        value => steps_from(value, name),
    }
}
