//! Calls whose result is only demanded: what they do not find ends the function.

use proc_macro2::Span;
use syn::{Expr, Pat, Stmt};

use crate::rust::flow::Demanded;

/// The call in a statement whose result the function cannot do without, and whether anything is kept of that:
/// `find(id).await?.ok_or(NotFound)?;`, `let id = find(name).await?.ok_or(NotFound)?;`.
pub(super) fn demanded(statement: &Stmt) -> Option<(Span, Demanded)> {
    match statement {
        Stmt::Expr(value, Some(_)) => Some((checked(value)?, Demanded::Dropped)),
        Stmt::Local(local) => {
            let pattern = if let Pat::Type(typed) = &local.pat { typed.pat.as_ref() } else { &local.pat };
            let init = local
                .init
                .as_ref()
                .filter(|init| init.diverge.is_none() && matches!(pattern, Pat::Ident(_)))?;
            Some((missed(&init.expr)?, Demanded::Named))
        }
        _ => None,
    }
}

/// The call whose result is there, or also passes a check that runs no query: `.ok_or(NotFound)?.may_read(user)?`.
fn checked(value: &Expr) -> Option<Span> {
    let passed = || {
        let Expr::Try(node) = value else { return None };
        let Expr::MethodCall(check) = node.expr.as_ref() else { return None };
        missed(&check.receiver)
    };
    missed(value).or_else(passed)
}

/// The call in `call().await?.ok_or(..)?`.
fn missed(value: &Expr) -> Option<Span> {
    let Expr::Try(node) = value else { return None };
    let Expr::MethodCall(demand) = node.expr.as_ref() else { return None };
    if !matches!(demand.method.to_string().as_str(), "ok_or" | "ok_or_else") {
        return None;
    }
    let Expr::Try(found) = demand.receiver.as_ref() else { return None };
    awaited(&found.expr)
}

/// The name of the function in a call that is waited for, whose error may be turned into another.
fn awaited(value: &Expr) -> Option<Span> {
    match value {
        Expr::Await(node) => match node.base.as_ref() {
            Expr::MethodCall(call) => Some(call.method.span()),
            Expr::Call(call) => match call.func.as_ref() {
                Expr::Path(path) => path.path.segments.last().map(|last| last.ident.span()),
                _ => None,
            },
            _ => None,
        },
        Expr::MethodCall(call)
            if matches!(call.method.to_string().as_str(), "map_err" | "context" | "with_context") =>
        {
            awaited(&call.receiver)
        }
        _ => None,
    }
}
