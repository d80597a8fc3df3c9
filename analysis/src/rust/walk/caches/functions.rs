//! Functions that ask a cache, and query where it has nothing.

use std::collections::HashSet;

use syn::visit::{self, Visit};
use syn::{Block, Expr, Pat, Stmt};

use super::{
    Fills, Made, gets, holds, is_locked, kept_in_arm, kept_in_else, kept_in_then, lacks, leaves, plain, root,
    runs_on_miss,
};

/// Whether a function is a read-through cache: it returns early with an entry of a map, and inserts what it
/// found into the same map. Attributes of caching crates count as well.
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
    let mut made = Made::default();
    made.visit_block(body);
    let mut misses = Misses { made: made.0, keeps: false, queries: false };
    misses.visit_block(body);
    if misses.keeps && !misses.queries {
        return true;
    }
    let mut asks = Asks::default();
    asks.visit_block(body);
    asks.add_last(body);
    if asks.entries.iter().any(|root| !misses.made.contains(root)) {
        return true;
    }
    let mut roots = asks.roots.into_iter().filter(|root| !misses.made.contains(root));
    roots.any(|root| Fills::of(&root, |fills| fills.visit_block(body)))
}

/// Finds queries that run only on a miss of a cell, map or cache that outlives the function. If `queries`
/// stays false, that is true of all queries of the function.
struct Misses {
    made: HashSet<String>,
    keeps: bool,
    queries: bool,
}

impl Misses {
    /// Whether a variable outlives the function, so that filling it happens only on a miss.
    fn outlives(&self, root: &str) -> bool {
        !self.made.contains(root)
    }
}

impl<'ast> Visit<'ast> for Misses {
    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        let outlives = || root(&node.receiver).is_some_and(|root| self.outlives(&root));
        if runs_on_miss(&node.method.to_string()) && outlives() {
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

    fn visit_expr_if(&mut self, node: &'ast syn::ExprIf) {
        self.visit_expr(&node.cond);
        match kept_in_then(node).is_some_and(|root| self.outlives(&root)) {
            true => self.keeps = true,
            false => self.visit_block(&node.then_branch),
        }
        match kept_in_else(node).is_some_and(|root| self.outlives(&root)) {
            true => self.keeps = true,
            false => node.else_branch.iter().for_each(|(_, otherwise)| self.visit_expr(otherwise)),
        }
    }

    fn visit_expr_match(&mut self, node: &'ast syn::ExprMatch) {
        self.visit_expr(&node.expr);
        for arm in &node.arms {
            match kept_in_arm(&node.expr, arm).is_some_and(|root| self.outlives(&root)) {
                true => self.keeps = true,
                false => self.visit_arm(arm),
            }
        }
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// Whether a value is a field of `self`, by reference: `&self.me`.
fn is_of_self(value: &Expr) -> bool {
    match value {
        Expr::Reference(inner) => is_of_self(&inner.expr),
        Expr::MethodCall(call) => is_of_self(&call.receiver),
        Expr::Field(field) => matches!(field.base.as_ref(), Expr::Path(path) if path.path.is_ident("self")),
        _ => false,
    }
}

fn awaits(value: &Expr) -> bool {
    struct Awaits(bool);
    impl<'ast> Visit<'ast> for Awaits {
        fn visit_expr_await(&mut self, _: &'ast syn::ExprAwait) {
            self.0 = true;
        }
    }
    let mut finder = Awaits(false);
    finder.visit_expr(value);
    finder.0
}

/// Finds the maps whose entries a function returns: `if let Some(v) = known.get(&k) { return .. }`.
#[derive(Default)]
struct Asks {
    roots: Vec<String>,
    /// Lock guards, with the maps that they lock: `let known = self.known.lock().await;`.
    guards: Vec<(String, String)>,
    /// What was looked up, with the maps: `let cached = known.get(&k).cloned();`.
    values: Vec<(String, String)>,
    /// The maps whose entries are returned, or filled otherwise.
    entries: Vec<String>,
}

impl Asks {
    fn add(&mut self, value: &Expr) {
        let held =
            || (plain(value) && (is_locked(value) || is_of_self(value))).then(|| root(value)).flatten();
        let asked = self.map_of(value).or_else(|| self.looked_up(value)).or_else(held);
        self.roots.extend(asked.map(|name| self.locked_by(name)));
    }

    /// The map that a lock guard of this name locks, or the name itself.
    fn locked_by(&self, name: String) -> String {
        self.guards.iter().rfind(|(guard, _)| *guard == name).map_or(name, |(_, map)| map.clone())
    }

    /// The map in which a value is looked up, in a block of its own or not.
    fn map_of(&self, value: &Expr) -> Option<String> {
        match value {
            Expr::Block(block) => match block.block.stmts.last() {
                Some(Stmt::Expr(tail, None)) => self.map_of(tail),
                _ => None,
            },
            value => gets(value).map(|name| self.locked_by(name)),
        }
    }

    /// The map in which the value of a variable was looked up.
    fn looked_up(&self, value: &Expr) -> Option<String> {
        let name = root(value).filter(|_| plain(value))?;
        self.values.iter().rfind(|(value, _)| *value == name).map(|(_, map)| map.clone())
    }

    /// Adds what the last expression of a function asks: `match cached { Some(v) => v, None => .. }`.
    fn add_last(&mut self, body: &Block) {
        let Some(Stmt::Expr(Expr::Match(node), _)) = body.stmts.last() else { return };
        let gives = |arm: &syn::Arm| holds(&arm.pat) && !awaits(&arm.body);
        if node.arms.iter().any(gives)
            && node.arms.iter().any(|arm| lacks(&arm.pat))
            && let Some(map) = self.looked_up(&node.expr)
        {
            self.roots.push(map);
        }
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
        if let (Pat::Ident(name), Some(init)) = (&local.pat, &local.init)
            && let Some(map) = self.map_of(&init.expr)
        {
            self.values.push((name.ident.to_string(), map));
        }
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

    /// `match known.entry(k) { Entry::Occupied(entry) => return .., Entry::Vacant(entry) => entry }`
    fn visit_expr_match(&mut self, node: &'ast syn::ExprMatch) {
        let returns = |arm: &syn::Arm| holds(&arm.pat) && matches!(arm.body.as_ref(), Expr::Return(_));
        if let Expr::MethodCall(call) = node.expr.as_ref()
            && call.method == "entry"
            && node.arms.iter().any(returns)
        {
            self.entries.extend(root(&call.receiver));
        }
        visit::visit_expr_match(self, node);
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}
