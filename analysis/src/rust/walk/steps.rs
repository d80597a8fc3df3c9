//! Variables that a loop counts, one step a turn.

use syn::Expr;

use super::variables;

/// Whether a condition compares one of these variables with something that the source does not determine.
pub(super) fn compares(condition: &Expr, steps: &[String]) -> Vec<String> {
    let Expr::Binary(node) = condition else { return Vec::new() };
    let is_comparison = matches!(
        node.op,
        syn::BinOp::Gt(_) | syn::BinOp::Ge(_) | syn::BinOp::Lt(_) | syn::BinOp::Le(_) | syn::BinOp::Eq(_)
    );
    let stepped = |side: &Expr| match side {
        Expr::Path(path) => {
            path.path.get_ident().map(ToString::to_string).filter(|name| steps.contains(name))
        }
        _ => None,
    };
    let varies = |side: &Expr| variables::mentions(side).iter().any(|name| name.contains(char::is_lowercase));
    let of = |side: &Expr, other: &Expr| stepped(side).filter(|_| is_comparison && varies(other));
    of(&node.left, &node.right).into_iter().chain(of(&node.right, &node.left)).collect()
}

/// Whether a value is one step: `1`, `Duration::days(1)`.
pub(super) fn is_one_step(value: &Expr) -> bool {
    let is_one = |value: &Expr| matches!(value, Expr::Lit(syn::ExprLit { lit: syn::Lit::Int(n), .. }) if n.base10_digits() == "1");
    match value {
        Expr::Call(call) => call.args.len() == 1 && call.args.iter().all(is_one),
        value => is_one(value),
    }
}

/// Whether a value is the successor of `name`: `name + 1`, `name + Days::new(1)`, `name.succ_opt()`.
pub(super) fn steps_from(value: &Expr, name: &str) -> bool {
    match value {
        Expr::Binary(sum) if matches!(sum.op, syn::BinOp::Add(_) | syn::BinOp::Sub(_)) => {
            is_one_step(&sum.right)
                && matches!(sum.left.as_ref(), Expr::Path(path) if path.path.is_ident(name))
        }
        Expr::MethodCall(call) => match call.method.to_string().as_str() {
            "succ_opt" | "succ" | "pred_opt" | "pred" | "next_day" => {
                matches!(call.receiver.as_ref(), Expr::Path(path) if path.path.is_ident(name))
            }
            "unwrap" | "expect" | "unwrap_or_default" => steps_from(&call.receiver, name),
            _ => false,
        },
        Expr::Try(inner) => steps_from(&inner.expr, name),
        _ => false,
    }
}
