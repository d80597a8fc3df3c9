//! Recognises caching: values that are checked before a query and filled after it, and library calls that do
//! so.

mod functions;

use std::collections::HashSet;

use syn::visit::{self, Visit};
use syn::{Block, Expr, Pat, Stmt};

pub(in crate::rust) use self::functions::reads_through;

/// Whether a method of a cache runs its closure only on a miss.
pub(in crate::rust) fn runs_on_miss(method: &str) -> bool {
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
pub(in crate::rust) fn kept_in_then(node: &syn::ExprIf) -> Option<String> {
    let then = |fills: &mut Fills| fills.visit_block(&node.then_branch);
    match node.cond.as_ref() {
        Expr::Let(condition) => filled(&condition.pat, &condition.expr, then),
        condition => asked(condition).filter(|root| Fills::of(root, then)),
    }
}

/// Like [`kept_in_then`], for the second branch: `if let Some(v) = known.get(&k) { .. } else { .. }`.
pub(in crate::rust) fn kept_in_else(node: &syn::ExprIf) -> Option<String> {
    let (_, otherwise) = node.else_branch.as_ref()?;
    let root = match node.cond.as_ref() {
        Expr::Let(condition) if holds(&condition.pat) => asked_value(&condition.expr),
        condition => asked_present(condition),
    };
    root.filter(|root| Fills::of(root, |fills| fills.visit_expr(otherwise)))
}

/// Like [`kept_in_then`], for an arm of a `match`: `match known.get(&k) { Some(v) => .., None => .. }`.
pub(in crate::rust) fn kept_in_arm(matched: &Expr, arm: &syn::Arm) -> Option<String> {
    filled(&arm.pat, matched, |fills| fills.visit_expr(&arm.body))
}

/// Like [`kept_in_then`], for what follows a statement that leaves where nothing is missing:
/// `if x.is_some() { continue; }`, `let None = x else { continue };`.
pub(in crate::rust) fn kept_behind(statement: &Stmt, rest: &[Stmt]) -> Option<String> {
    let root = match statement {
        Stmt::Expr(Expr::If(node), _) if node.else_branch.is_none() => {
            let leaves = match node.then_branch.stmts.last() {
                Some(Stmt::Expr(last, _)) => {
                    matches!(last, Expr::Continue(_) | Expr::Break(_) | Expr::Return(_))
                }
                _ => false,
            };
            match node.cond.as_ref() {
                _ if !leaves => None,
                Expr::Let(condition) if holds(&condition.pat) => asked_value(&condition.expr),
                // A set of what has been seen holds no answer.
                Expr::MethodCall(call) if call.method == "contains" => None,
                condition => asked_present(condition),
            }
        }
        Stmt::Local(local) => {
            let init = local
                .init
                .as_ref()
                .filter(|init| init.diverge.is_some() && !matches!(local.pat, Pat::Wild(_)))?;
            asked_value(&init.expr).filter(|_| lacks(&local.pat))
        }
        _ => None,
    };
    // A mark that something was seen, or failed, holds no answer either.
    root.filter(|root| {
        let mut fills = Fills { root: root.clone(), found: false, with_answers: true };
        rest.iter().for_each(|statement| fills.visit_stmt(statement));
        fills.found
    })
}

/// The name of what a pattern found missing in a value, if the code fills it.
fn filled(pattern: &Pat, value: &Expr, code: impl FnOnce(&mut Fills)) -> Option<String> {
    match pattern {
        Pat::TupleStruct(vacant)
            if vacant.path.segments.last().is_some_and(|last| last.ident == "Vacant") =>
        {
            let Some(Pat::Ident(entry)) = vacant.elems.first() else { return None };
            root(value).filter(|_| Fills::of(&entry.ident.to_string(), code))
        }
        pattern if lacks(pattern) => asked_value(value).filter(|root| Fills::of(root, code)),
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

fn asked(condition: &Expr) -> Option<String> {
    match condition {
        Expr::Paren(inner) => asked(&inner.expr),
        Expr::Binary(both) if matches!(both.op, syn::BinOp::And(_)) => {
            asked(&both.left).or_else(|| asked(&both.right))
        }
        Expr::MethodCall(call) if call.method == "is_none" && call.args.is_empty() => root(&call.receiver),
        Expr::Unary(not) if matches!(not.op, syn::UnOp::Not(_)) => match not.expr.as_ref() {
            Expr::MethodCall(call)
                if matches!(call.method.to_string().as_str(), "contains_key" | "contains" | "is_some") =>
            {
                root(&call.receiver)
            }
            _ => None,
        },
        _ => None,
    }
}

/// What a condition checks for presence: `known.contains_key(k)`, `x.is_some()`.
fn asked_present(condition: &Expr) -> Option<String> {
    match condition {
        Expr::Paren(inner) => asked_present(&inner.expr),
        Expr::MethodCall(call)
            if matches!(call.method.to_string().as_str(), "contains_key" | "contains" | "is_some") =>
        {
            root(&call.receiver)
        }
        _ => None,
    }
}

/// The map in which a value is looked up, or the variable or field that may hold it.
fn asked_value(value: &Expr) -> Option<String> {
    gets(value).or_else(|| plain(value).then(|| root(value)).flatten())
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
            let keeps =
                ["as_ref", "as_deref", "as_mut", "clone", "cloned", "copied", "lock", "read", "borrow"];
            let keeps = keeps.iter().chain(&["unwrap", "get"]).any(|keep| call.method == keep);
            keeps && call.args.is_empty() && plain(&call.receiver)
        }
        _ => false,
    }
}

/// Whether a value is read from behind a lock, and so from what is shared: `self.head.read().await.as_ref()`.
fn is_locked(value: &Expr) -> bool {
    match value {
        Expr::MethodCall(call) => {
            call.args.is_empty() && matches!(call.method.to_string().as_str(), "lock" | "read" | "borrow")
                || is_locked(&call.receiver)
        }
        Expr::Reference(inner) => is_locked(&inner.expr),
        Expr::Unary(inner) => is_locked(&inner.expr),
        Expr::Paren(inner) => is_locked(&inner.expr),
        Expr::Await(inner) => is_locked(&inner.base),
        Expr::Try(inner) => is_locked(&inner.expr),
        _ => false,
    }
}

/// The variable, static or field at the start of a method chain.
fn root(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        Expr::Field(field) => match &field.member {
            syn::Member::Named(name) => Some(name.to_string()),
            syn::Member::Unnamed(_) => None,
        },
        Expr::MethodCall(call) => root(&call.receiver),
        Expr::Await(inner) => root(&inner.base),
        Expr::Try(inner) => root(&inner.expr),
        Expr::Paren(inner) => root(&inner.expr),
        Expr::Reference(inner) => root(&inner.expr),
        Expr::Unary(inner) => root(&inner.expr),
        _ => None,
    }
}

/// Finds assignments to a variable or field, and insertions into it.
struct Fills {
    root: String,
    found: bool,
    /// Whether only values count that are not known beforehand.
    with_answers: bool,
}

impl Fills {
    /// Whether code fills `root`.
    fn of(root: &str, code: impl FnOnce(&mut Fills)) -> bool {
        let mut fills = Fills { root: root.to_owned(), found: false, with_answers: false };
        code(&mut fills);
        fills.found
    }
}

impl<'ast> Visit<'ast> for Fills {
    fn visit_expr_assign(&mut self, node: &'ast syn::ExprAssign) {
        let fills = !(self.with_answers && is_constant(&node.right));
        self.found |= fills && root(&node.left).as_ref() == Some(&self.root);
        visit::visit_expr_assign(self, node);
    }

    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        let fills = matches!(
            node.method.to_string().as_str(),
            "insert"
                | "or_insert"
                | "replace"
                | "put"
                | "push"
                | "set"
                | "set_ex"
                | "pset_ex"
                | "hset"
                | "extend"
        );
        let fills = fills && !(self.with_answers && node.args.last().is_some_and(is_constant));
        self.found |= fills && root(&node.receiver).as_ref() == Some(&self.root);
        visit::visit_expr_method_call(self, node);
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// Whether a value is the same whatever a query gives: `true`, `Some(1)`, `"failed".to_owned()`.
fn is_constant(value: &Expr) -> bool {
    match value {
        Expr::Lit(_) => true,
        Expr::Tuple(tuple) => tuple.elems.iter().all(is_constant),
        Expr::Reference(inner) => is_constant(&inner.expr),
        Expr::Paren(inner) => is_constant(&inner.expr),
        Expr::Unary(inner) => is_constant(&inner.expr),
        Expr::Call(call) => {
            let is_wrapper = matches!(call.func.as_ref(), Expr::Path(path) if path.path.segments.iter().any(|part| {
                part.ident.to_string().starts_with(char::is_uppercase)
            }));
            is_wrapper && !call.args.is_empty() && call.args.iter().all(is_constant)
        }
        Expr::MethodCall(call) => call.args.is_empty() && is_constant(&call.receiver),
        _ => false,
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

/// The map in which a chain looks up a key.
fn gets(expression: &Expr) -> Option<String> {
    match expression {
        Expr::MethodCall(call)
            if call.args.len() == 1
                && matches!(call.method.to_string().as_str(), "get" | "get_mut" | "peek") =>
        {
            root(&call.receiver)
        }
        Expr::MethodCall(call) => gets(&call.receiver),
        Expr::Await(inner) => gets(&inner.base),
        Expr::Try(inner) => gets(&inner.expr),
        _ => None,
    }
}

fn leaves(block: &Block) -> bool {
    matches!(block.stmts.last(), Some(syn::Stmt::Expr(Expr::Return(_), _)))
}

#[cfg(test)]
mod tests;
