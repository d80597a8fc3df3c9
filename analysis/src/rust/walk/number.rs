//! Numbers of turns, as far as expressions determine them.

use syn::{Expr, Lit};

use super::shape::{DEEPEST, Shapes, is_constant};
use super::sql_text::segments;

/// The greatest number that an expression can be: `3` for `3`, `ids.len().min(3)`, `cmp::min(3, n)` and `n.clamp(1, 3)`.
pub(super) fn most(expression: &Expr, around: &dyn Shapes, depth: usize) -> Option<u64> {
    if depth > DEEPEST {
        return None;
    }
    let next = |inner: &Expr| most(inner, around, depth + 1);
    match expression {
        Expr::Paren(inner) => next(&inner.expr),
        Expr::Cast(inner) => next(&inner.expr),
        Expr::MethodCall(call) if call.method == "min" => {
            let [other] = call.args.iter().collect::<Vec<_>>()[..] else { return None };
            least(next(&call.receiver), next(other))
        }
        Expr::MethodCall(call) if call.method == "clamp" => call.args.last().and_then(next),
        Expr::Call(call) => {
            let Expr::Path(function) = call.func.as_ref() else { return None };
            let [a, b] = call.args.iter().collect::<Vec<_>>()[..] else { return None };
            let is_min = segments(&function.path).last().is_some_and(|last| last == "min");
            least(next(a), next(b)).filter(|_| is_min)
        }
        Expr::Path(path) => {
            let local = path.path.get_ident().and_then(|name| around.local_most(&name.to_string()));
            local.or_else(|| number(expression, around, depth))
        }
        expression => number(expression, around, depth),
    }
}

pub(super) fn least(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.into_iter().chain(b).min()
}

/// Whether an expression consists only of literals and constants.
pub(super) fn is_fixed(expression: &Expr) -> bool {
    match expression {
        Expr::Lit(_) => true,
        Expr::Path(path) => {
            path.path.segments.last().is_some_and(|last| is_constant(&last.ident.to_string()))
        }
        Expr::Paren(inner) => is_fixed(&inner.expr),
        Expr::Cast(inner) => is_fixed(&inner.expr),
        Expr::Binary(binary) => is_fixed(&binary.left) && is_fixed(&binary.right),
        Expr::MethodCall(call) => call.method == "len" && is_fixed(&call.receiver),
        _ => false,
    }
}

/// The number that an expression is.
pub(super) fn number(expression: &Expr, around: &dyn Shapes, depth: usize) -> Option<u64> {
    if depth > DEEPEST {
        return None;
    }
    match expression {
        Expr::Lit(syn::ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        Expr::Paren(inner) => number(&inner.expr, around, depth + 1),
        Expr::Cast(inner) => number(&inner.expr, around, depth + 1),
        Expr::Path(path) => number(around.constant_value(&segments(&path.path))?, around, depth + 1),
        _ => None,
    }
}
