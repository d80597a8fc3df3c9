//! Recognises caching: values that are checked before a query and filled after it, and library calls that do
//! so.

mod fills;
mod functions;
mod names;

use std::collections::HashSet;

use syn::visit::{self, Visit};
use syn::{Block, Expr, Pat, Stmt};

use self::fills::Fills;
use super::exits;
use crate::rust::methods::{Yields, yields};

pub(in crate::rust) use self::functions::reads_through;
pub(in crate::rust) use self::names::Names;

/// Whether a call of a cache's method runs its closure only on a miss.
pub(in crate::rust) fn runs_on_miss(call: &syn::ExprMethodCall) -> bool {
    // `fetch(key, || ..)` of foyer; sqlx's has one argument.
    let is_foyers = || {
        let closes = matches!(call.args.last(), Some(Expr::Closure(_) | Expr::Async(_)));
        call.method == "fetch" && call.args.len() == 2 && closes
    };
    is_of_cache(&call.method.to_string()) || is_foyers()
}

/// Whether a method is of a cache, and runs its closure only on a miss.
pub(in crate::rust) fn is_of_cache(method: &str) -> bool {
    matches!(
        method,
        "get_with"
            | "try_get_with"
            | "optionally_get_with"
            | "get_or_init"
            | "get_or_try_init"
            | "get_or_insert_with"
            | "try_get_or_insert_with"
            | "or_insert_with"
            | "or_try_insert_with"
            | "get_with_by_ref"
            | "try_get_with_by_ref"
            | "get_or_insert_async"
            | "get_or_fetch"
            | "get_value_or_guard_async"
    )
}

/// Whether a method of this project's caches and their transactions names what is written, or invalidates
/// everything.
pub(in crate::rust) fn tells(method: &str, arguments: usize) -> bool {
    match arguments {
        0 => matches!(method, "invalidate_all" | "connection"),
        1 => matches!(method, "invalidate" | "invalidates" | "connection_writing"),
        _ => false,
    }
}

/// The name of the variable or field that an `if` checks, and fills in its first branch if missing:
/// `if x.is_none() { x = .. }`, `if !known.contains_key(k) { .. }`,
/// `if let Entry::Vacant(e) = known.entry(k) { .. }`.
pub(in crate::rust) fn kept_in_then(node: &syn::ExprIf, names: &Names) -> Option<String> {
    let then = |fills: &mut Fills<'_>| fills.visit_block(&node.then_branch);
    match node.cond.as_ref() {
        Expr::Let(condition) => filled(&condition.pat, &condition.expr, names, then),
        condition => asked(condition, names).filter(|root| Fills::of(root, names, then)),
    }
}

/// Like [`kept_in_then`], for the second branch: `if let Some(v) = known.get(&k) { .. } else { .. }`.
pub(in crate::rust) fn kept_in_else(node: &syn::ExprIf, names: &Names) -> Option<String> {
    let (_, otherwise) = node.else_branch.as_ref()?;
    let mut roots = asked_present(&node.cond, names).into_iter();
    roots.find(|root| Fills::of(root, names, |fills| fills.visit_expr(otherwise)))
}

/// Like [`kept_in_then`], for the block after `else` in `let Some(v) = known.get(&k) else { .. };`.
pub(in crate::rust) fn kept_in_diverging(local: &syn::Local, names: &Names) -> Option<String> {
    let init = local.init.as_ref().filter(|_| holds(&local.pat))?;
    let (_, otherwise) = init.diverge.as_ref()?;
    asked_value(&init.expr, names).filter(|root| Fills::of(root, names, |fills| fills.visit_expr(otherwise)))
}

/// Like [`kept_in_then`], for an arm of a `match`: `match known.get(&k) { Some(v) => .., None => .. }`.
pub(in crate::rust) fn kept_in_arm(matched: &Expr, arm: &syn::Arm, names: &Names) -> Option<String> {
    filled(&arm.pat, matched, names, |fills| fills.visit_expr(&arm.body))
}

/// Like [`kept_in_then`], for what follows a statement that leaves where nothing is missing:
/// `if x.is_some() { continue; }`, `let None = x else { continue };`.
pub(in crate::rust) fn kept_behind(statement: &Stmt, rest: &[Stmt], names: &Names) -> Option<String> {
    let roots = match statement {
        // A set of what has been seen holds no answer.
        Stmt::Expr(Expr::If(node), _)
            if node.else_branch.is_none()
                && leaves(&node.then_branch)
                && !matches!(node.cond.as_ref(), Expr::MethodCall(call) if call.method == "contains") =>
        {
            asked_present(&node.cond, names)
        }
        Stmt::Expr(Expr::Match(node), _)
            if node.arms.iter().any(|arm| holds(&arm.pat) && arm_leaves(arm)) =>
        {
            asked_value(&node.expr, names).into_iter().collect()
        }
        Stmt::Local(local) => {
            let init = local
                .init
                .as_ref()
                .filter(|init| init.diverge.is_some() && !matches!(local.pat, Pat::Wild(_)));
            let asked = init.and_then(|init| asked_value(&init.expr, names));
            asked.filter(|_| lacks(&local.pat)).into_iter().collect()
        }
        _ => Vec::new(),
    };
    // A mark that something was seen, or failed, holds no answer either.
    roots.into_iter().find(|root| {
        Fills::with_answers(root, names, |fills| {
            rest.iter().for_each(|statement| fills.visit_stmt(statement))
        })
    })
}

/// The name of what a pattern found missing in a value, if the code fills it.
fn filled(pattern: &Pat, value: &Expr, names: &Names, code: impl FnOnce(&mut Fills<'_>)) -> Option<String> {
    match pattern {
        Pat::TupleStruct(vacant)
            if vacant.path.segments.last().is_some_and(|last| last.ident == "Vacant") =>
        {
            let Some(Pat::Ident(entry)) = vacant.elems.first() else { return None };
            let entry = names.whole(entry.ident.to_string());
            names.root(value).filter(|_| Fills::with_answers(&entry, names, code))
        }
        pattern if lacks(pattern) => {
            asked_value(value, names).filter(|root| Fills::with_answers(root, names, code))
        }
        _ => None,
    }
}

/// Whether a pattern matches a present value.
fn holds(pattern: &Pat) -> bool {
    match pattern {
        Pat::TupleStruct(pattern) => {
            let name = pattern.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
            match name.as_str() {
                "Some" | "Occupied" => true,
                "Ok" => pattern.elems.first().is_some_and(holds),
                _ => false,
            }
        }
        Pat::Guard(guarded) => holds(&guarded.pat),
        _ => false,
    }
}

/// Whether a pattern matches a missing value.
fn lacks(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) => true,
        Pat::Ident(name) => name.ident == "None",
        Pat::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "None"),
        Pat::TupleStruct(pattern) => pattern.path.is_ident("Ok") && pattern.elems.first().is_some_and(lacks),
        _ => false,
    }
}

/// What a condition checks for absence: `!known.contains_key(k)`, `x.is_none()`.
fn asked(condition: &Expr, names: &Names) -> Option<String> {
    match condition {
        Expr::Paren(inner) => asked(&inner.expr, names),
        Expr::Binary(both) if matches!(both.op, syn::BinOp::And(_)) => {
            asked(&both.left, names).or_else(|| asked(&both.right, names))
        }
        Expr::MethodCall(call) if call.method == "is_none" && call.args.is_empty() => {
            names.root(&call.receiver)
        }
        Expr::Unary(not) if matches!(not.op, syn::UnOp::Not(_)) => match not.expr.as_ref() {
            Expr::MethodCall(call) if asks_presence(call) => names.root(&call.receiver),
            _ => None,
        },
        _ => None,
    }
}

/// What a condition checks for presence: `known.contains_key(k)`, `x.is_some()`, `let Some(v) = known.get(k)`.
fn asked_present(condition: &Expr, names: &Names) -> Vec<String> {
    match condition {
        Expr::Paren(inner) => asked_present(&inner.expr, names),
        Expr::Binary(both) if matches!(both.op, syn::BinOp::And(_)) => {
            let mut roots = asked_present(&both.left, names);
            roots.extend(asked_present(&both.right, names));
            roots
        }
        Expr::Let(condition) if holds(&condition.pat) => {
            asked_value(&condition.expr, names).into_iter().collect()
        }
        Expr::MethodCall(call) if asks_presence(call) => names.root(&call.receiver).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn asks_presence(call: &syn::ExprMethodCall) -> bool {
    matches!(call.method.to_string().as_str(), "contains_key" | "contains" | "is_some" | "is_some_and")
}

/// The map in which a value is looked up, or the variable or field that may hold it.
fn asked_value(value: &Expr, names: &Names) -> Option<String> {
    names.looked_up(value).or_else(|| plain(value).then(|| names.root(value)).flatten())
}

/// Whether a value is the content of a variable or field, by reference, copy or lock.
fn plain(value: &Expr) -> bool {
    match value {
        Expr::Path(_) | Expr::Field(_) => true,
        Expr::Reference(inner) => plain(&inner.expr),
        Expr::Unary(inner) => plain(&inner.expr),
        Expr::Paren(inner) => plain(&inner.expr),
        Expr::Await(inner) => plain(&inner.base),
        Expr::Try(inner) => plain(&inner.expr),
        Expr::MethodCall(call) => {
            let name = call.method.to_string();
            let keeps = matches!(
                yields(&name),
                Some(Yields::View | Yields::Borrowed | Yields::Copy | Yields::Locked | Yields::Loaded)
            ) || matches!(name.as_str(), "as_deref" | "unwrap" | "get");
            keeps && call.args.is_empty() && plain(&call.receiver)
        }
        _ => false,
    }
}

/// Whether a value is read from behind a lock, and so from what is shared: `self.head.read().await.as_ref()`.
fn is_locked(value: &Expr) -> bool {
    match value {
        Expr::MethodCall(call) => {
            let gives = yields(&call.method.to_string());
            let is_shared = matches!(gives, Some(Yields::Locked | Yields::Borrowed | Yields::Loaded));
            call.args.is_empty() && is_shared || is_locked(&call.receiver)
        }
        Expr::Reference(inner) => is_locked(&inner.expr),
        Expr::Unary(inner) => is_locked(&inner.expr),
        Expr::Paren(inner) => is_locked(&inner.expr),
        Expr::Await(inner) => is_locked(&inner.base),
        Expr::Try(inner) => is_locked(&inner.expr),
        _ => false,
    }
}

/// The connection that a command of Redis runs on: `redis::cmd("GET").arg(k).query_async(&mut connection)`.
fn connection(call: &syn::ExprMethodCall) -> Option<&Expr> {
    let runs = call.args.len() == 1
        && matches!(call.method.to_string().as_str(), "query_async" | "exec_async" | "query" | "exec");
    call.args.first().filter(|_| runs && command(&call.receiver).is_some())
}

/// The name of the command of Redis that a chain builds.
fn command(chain: &Expr) -> Option<String> {
    match chain {
        Expr::MethodCall(call) => command(&call.receiver),
        Expr::Call(call) => match (call.func.as_ref(), call.args.first()) {
            (Expr::Path(path), Some(Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. })))
                if path.path.segments.last().is_some_and(|last| last.ident == "cmd") =>
            {
                Some(name.value().to_ascii_uppercase())
            }
            _ => None,
        },
        _ => None,
    }
}

/// The variables that a function creates empty: their content is lost when it returns.
#[derive(Default)]
struct Made(HashSet<String>);

impl<'ast> Visit<'ast> for Made {
    fn visit_local(&mut self, local: &'ast syn::Local) {
        let pattern = match &local.pat {
            Pat::Type(typed) => typed.pat.as_ref(),
            pattern => pattern,
        };
        if let (Pat::Ident(name), Some(init)) = (pattern, &local.init)
            && is_made(&init.expr)
        {
            self.0.insert(name.ident.to_string());
        }
        visit::visit_local(self, local);
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// Whether a value is created in place: `HashMap::new()`, `None`, `vec![..]`, `xs.collect()`.
fn is_made(value: &Expr) -> bool {
    match value {
        Expr::Call(call) => match call.func.as_ref() {
            Expr::Path(path) => {
                path.path.segments.iter().any(|part| part.ident.to_string().starts_with(char::is_uppercase))
            }
            _ => false,
        },
        Expr::Path(path) => path.path.is_ident("None"),
        Expr::Macro(_) | Expr::Struct(_) => true,
        Expr::MethodCall(call) => matches!(call.method.to_string().as_str(), "collect" | "build"),
        Expr::Try(inner) => is_made(&inner.expr),
        Expr::Await(inner) => is_made(&inner.base),
        _ => false,
    }
}

/// The map in which a call chain looks up a key; `root` names the receiver.
fn gets(expression: &Expr, root: &dyn Fn(&Expr) -> Option<String>) -> Option<String> {
    match expression {
        Expr::MethodCall(call)
            if matches!(call.method.to_string().as_str(), "get" | "get_mut" | "peek" | "hget" | "get_ex")
                && !call.args.is_empty() =>
        {
            root(&call.receiver)
        }
        Expr::MethodCall(call) => match connection(call) {
            Some(on) if command(&call.receiver).is_some_and(|name| name.contains("GET")) => root(on),
            // `KNOWN.with_borrow(|known| known.get(&k).cloned())`
            _ => gets(&call.receiver, root).or_else(|| match call.args.first() {
                Some(Expr::Closure(closure)) => gets(&closure.body, root),
                _ => None,
            }),
        },
        Expr::Await(inner) => gets(&inner.base, root),
        Expr::Try(inner) => gets(&inner.expr, root),
        Expr::Block(block) => match block.block.stmts.last() {
            Some(Stmt::Expr(tail, None)) => gets(tail, root),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a block ends by leaving, in each case or in one: `{ if fresh(at) { return v; } }`.
fn leaves(block: &Block) -> bool {
    exits::block_ends_in(block, &may_leave)
}

fn arm_leaves(arm: &syn::Arm) -> bool {
    exits::ends_in(&arm.body, &may_leave)
}

fn may_leave(code: &Expr) -> bool {
    let in_one = matches!(code, Expr::If(node) if node.else_branch.is_none() && leaves(&node.then_branch));
    in_one || exits::is_exit(code)
}

#[cfg(test)]
mod tests;
