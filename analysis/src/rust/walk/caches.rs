//! What is kept once it is read: values asked for before a query and filled after it, and the calls of libraries that do so.

use syn::visit::{self, Visit};
use syn::{Block, Expr, Pat};

/// Whether a method of a cache runs what it is given only where it holds nothing yet.
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

/// Whether a method of this project's caches and their transactions names what is written, or takes all for written.
pub(in crate::rust) fn tells(method: &str, arguments: usize) -> bool {
    match arguments {
        0 => matches!(method, "invalidate_all" | "connection"),
        1 => matches!(method, "invalidate" | "invalidates" | "connection_writing"),
        _ => false,
    }
}

/// What an `if` asks for and fills where it is missing: `if x.is_none() { x = .. }`, `if !known.contains_key(k) { .. }`;
/// the name of the variable or field.
pub(in crate::rust) fn fills_what_it_asked(node: &syn::ExprIf) -> Option<String> {
    let root = asked(&node.cond)?;
    let mut fills = Fills { root: root.clone(), found: false };
    fills.visit_block(&node.then_branch);
    fills.found.then_some(root)
}

/// Whether a function answers from what it keeps and asks for what it does not keep: it leaves early with what a map
/// holds, and puts into that map what it found. Attributes of caching crates say the same.
pub(in crate::rust) fn reads_through(attributes: &[syn::Attribute], body: Option<&Block>) -> bool {
    let is_cached = |attribute: &syn::Attribute| {
        let last = attribute.path().segments.last();
        last.is_some_and(|last| {
            matches!(last.ident.to_string().as_str(), "cached" | "once" | "memoize" | "io_cached")
        })
    };
    if attributes.iter().any(is_cached) {
        return true;
    }
    let Some(body) = body else { return false };
    let mut misses = Misses::default();
    misses.visit_block(body);
    if misses.keeps && !misses.queries {
        return true;
    }
    let mut asks = Asks::default();
    asks.visit_block(body);
    asks.roots.into_iter().any(|root| {
        let mut fills = Fills { root, found: false };
        fills.visit_block(body);
        fills.found
    })
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

/// The variable, static or field that a chain of methods begins at.
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

/// Finds where a variable or field is assigned, or something is inserted into it.
struct Fills {
    root: String,
    found: bool,
}

impl<'ast> Visit<'ast> for Fills {
    fn visit_expr_assign(&mut self, node: &'ast syn::ExprAssign) {
        self.found |= root(&node.left).as_ref() == Some(&self.root);
        visit::visit_expr_assign(self, node);
    }

    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        let fills =
            matches!(node.method.to_string().as_str(), "insert" | "replace" | "put" | "set" | "extend");
        self.found |= fills && root(&node.receiver).as_ref() == Some(&self.root);
        visit::visit_expr_method_call(self, node);
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// Finds what is asked only where a cell or cache that outlives the function holds nothing yet: all that a function
/// queries, where `queries` stays false.
#[derive(Default)]
struct Misses {
    keeps: bool,
    queries: bool,
}

impl<'ast> Visit<'ast> for Misses {
    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        if runs_on_miss(&node.method.to_string()) && outlives(&node.receiver) {
            self.keeps = true;
            return visit::visit_expr(self, &node.receiver);
        }
        self.queries |= crate::rust::query_names::is_executor(&node.method.to_string());
        visit::visit_expr_method_call(self, node);
    }

    fn visit_macro(&mut self, node: &'ast syn::Macro) {
        let name = node.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        self.queries |= crate::rust::query_names::makes_query(&name);
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// Whether a value is a field of `self`, or a static.
fn outlives(expression: &Expr) -> bool {
    match expression {
        Expr::Field(field) => outlives(&field.base),
        Expr::MethodCall(call) => outlives(&call.receiver),
        Expr::Reference(inner) => outlives(&inner.expr),
        Expr::Await(inner) => outlives(&inner.base),
        Expr::Try(inner) => outlives(&inner.expr),
        Expr::Paren(inner) => outlives(&inner.expr),
        Expr::Path(path) => path.path.segments.last().is_some_and(|last| {
            last.ident == "self" || last.ident.to_string().starts_with(char::is_uppercase)
        }),
        _ => false,
    }
}

/// Finds the maps of which a function returns what they hold: `if let Some(v) = known.get(&k) { return .. }`.
#[derive(Default)]
struct Asks {
    roots: Vec<String>,
    /// Guards by the maps they lock: `let known = self.known.lock().await;`.
    guards: Vec<(String, String)>,
}

impl Asks {
    fn add(&mut self, value: &Expr) {
        let Some(name) = gets(value) else { return };
        let map = self.guards.iter().rfind(|(guard, _)| *guard == name).map_or(name, |(_, map)| map.clone());
        self.roots.push(map);
    }
}

impl<'ast> Visit<'ast> for Asks {
    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let (Pat::Ident(name), Some(init)) = (&local.pat, &local.init)
            && let Some(map) = root(&init.expr)
        {
            self.guards.push((name.ident.to_string(), map));
        }
        visit::visit_local(self, local);
    }

    fn visit_expr_if(&mut self, node: &'ast syn::ExprIf) {
        if let Expr::Let(condition) = node.cond.as_ref()
            && matches!(&*condition.pat, Pat::TupleStruct(some) if some.path.is_ident("Some"))
            && leaves(&node.then_branch)
        {
            self.add(&condition.expr);
        }
        visit::visit_expr_if(self, node);
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// The map that a chain looks a key up in.
fn gets(expression: &Expr) -> Option<String> {
    match expression {
        Expr::MethodCall(call) if call.method == "get" && call.args.len() == 1 => root(&call.receiver),
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
mod tests {
    use super::*;

    #[track_caller]
    fn check(function: &str, expected: bool) {
        let function: syn::ItemFn = syn::parse_str(function).expect("a function");
        assert_eq!(reads_through(&function.attrs, Some(&function.block)), expected);
    }

    #[test]
    fn a_cache_is_asked_first_and_filled_after() {
        check(
            "fn f() { if let Some(v) = C.read().get(&k) { return v.clone(); } let v = q(); C.write().insert(k, v); v }",
            true,
        );
        check(
            "fn f(&self) { { let m = self.m.lock(); if let Some(v) = m.get(&k) { return 1; } } self.m.lock().insert(k, 1); }",
            true,
        );
        check("#[cached] fn f() { q() }", true);
        check("fn f(&self) { self.cell.get_or_try_init(|| q().fetch_one(db)).await }", true);
        check("fn f() { static C: OnceCell<i64> = OnceCell::new(); C.get_or_init(|| q()).await }", true);
    }

    #[test]
    fn a_map_that_is_only_filled_or_only_asked_is_none() {
        check("fn f() { let v = q(); seen.insert(k, v); }", false);
        check("fn f() { let cell = OnceCell::new(); cell.get_or_init(|| q()).await }", false);
        check("fn f(&self) { self.cell.get_or_init(|| q()).await; q().fetch_one(db).await }", false);
        check("fn f() { if let Some(v) = known.get(&k) { return 1; } q() }", false);
        check("fn f() { if let Some(v) = known.get(&k) { return 1; } other.insert(k, q()); }", false);
    }
}
