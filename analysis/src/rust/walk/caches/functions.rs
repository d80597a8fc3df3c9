//! Functions that look in a cache, and query on a miss.

use std::collections::HashSet;

use syn::visit::{self, Visit};
use syn::{Block, Expr, Stmt};

use super::{
    Fills, Made, Names, arm_leaves, asked_present, holds, is_locked, kept_in_arm, kept_in_diverging,
    kept_in_else, kept_in_then, lacks, leaves, plain, runs_on_miss,
};

/// Whether a function is a read-through cache: it returns early with an entry of a map, and inserts what it
/// found into the same map. Attributes of caching crates count as well.
pub(in crate::rust) fn reads_through(
    attributes: &[syn::Attribute],
    body: Option<&Block>,
    names: &Names,
) -> bool {
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
    let mut misses = Misses { made: made.0, names, keeps: false, queries: false };
    misses.visit_block(body);
    if misses.keeps && !misses.queries {
        return true;
    }
    let mut asks = Asks { names, roots: Vec::new(), entries: Vec::new() };
    asks.visit_block(body);
    asks.add_last(body);
    if asks.entries.iter().any(|root| !misses.made.contains(root)) {
        return true;
    }
    let mut roots = asks.roots.into_iter().filter(|root| !misses.made.contains(root));
    roots.any(|root| Fills::of(&root, names, |fills| fills.visit_block(body)))
}

/// Finds queries that run only on a miss of a cell, map or cache that outlives the function. If `queries`
/// stays false, that is true of all queries of the function.
struct Misses<'a> {
    names: &'a Names,
    made: HashSet<String>,
    keeps: bool,
    queries: bool,
}

impl Misses<'_> {
    /// Whether a variable outlives the function, so that filling it happens only on a miss.
    fn outlives(&self, root: &str) -> bool {
        !self.made.contains(root)
    }
}

impl<'ast> Visit<'ast> for Misses<'_> {
    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        let outlives = || self.names.root(&node.receiver).is_some_and(|root| self.outlives(&root));
        if runs_on_miss(node) && outlives() {
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
        match kept_in_then(node, self.names).is_some_and(|root| self.outlives(&root)) {
            true => self.keeps = true,
            false => self.visit_block(&node.then_branch),
        }
        match kept_in_else(node, self.names).is_some_and(|root| self.outlives(&root)) {
            true => self.keeps = true,
            false => node.else_branch.iter().for_each(|(_, otherwise)| self.visit_expr(otherwise)),
        }
    }

    fn visit_local(&mut self, node: &'ast syn::Local) {
        match kept_in_diverging(node, self.names).is_some_and(|root| self.outlives(&root)) {
            true => self.keeps = true,
            false => visit::visit_local(self, node),
        }
    }

    fn visit_expr_match(&mut self, node: &'ast syn::ExprMatch) {
        self.visit_expr(&node.expr);
        for arm in &node.arms {
            match kept_in_arm(&node.expr, arm, self.names).is_some_and(|root| self.outlives(&root)) {
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
struct Asks<'a> {
    names: &'a Names,
    roots: Vec<String>,
    /// The maps whose entries are returned, or filled otherwise.
    entries: Vec<String>,
}

impl Asks<'_> {
    fn add(&mut self, value: &Expr) {
        let held = || {
            let is_held = plain(value) && (is_locked(value) || is_of_self(value));
            is_held.then(|| self.names.root(value)).flatten()
        };
        self.roots.extend(self.names.looked_up(value).or_else(held));
    }

    /// Adds what a condition finds present.
    fn add_present(&mut self, condition: &Expr) {
        match condition {
            Expr::Binary(both) if matches!(both.op, syn::BinOp::And(_)) => {
                self.add_present(&both.left);
                self.add_present(&both.right);
            }
            Expr::Let(condition) if holds(&condition.pat) => self.add(&condition.expr),
            Expr::MethodCall(call) if call.method == "contains_key" => {
                self.roots.extend(asked_present(condition, self.names));
            }
            _ => {}
        }
    }

    /// Adds the lookups of the last expression of a function: `match cached { Some(v) => v, None => .. }`.
    fn add_last(&mut self, body: &Block) {
        let Some(Stmt::Expr(Expr::Match(node), _)) = body.stmts.last() else { return };
        let gives = |arm: &syn::Arm| holds(&arm.pat) && !awaits(&arm.body);
        if node.arms.iter().any(gives) && node.arms.iter().any(|arm| lacks(&arm.pat)) && plain(&node.expr) {
            self.roots.extend(self.names.looked_up(&node.expr));
        }
    }
}

impl<'ast> Visit<'ast> for Asks<'_> {
    fn visit_expr_if(&mut self, node: &'ast syn::ExprIf) {
        if leaves(&node.then_branch) {
            self.add_present(&node.cond);
        }
        visit::visit_expr_if(self, node);
    }

    /// `let None = known.get(&k) else { return .. };`
    fn visit_local(&mut self, node: &'ast syn::Local) {
        if let Some(init) = node.init.as_ref().filter(|init| init.diverge.is_some())
            && lacks(&node.pat)
            && !matches!(node.pat, syn::Pat::Wild(_))
        {
            self.add(&init.expr);
        }
        visit::visit_local(self, node);
    }

    /// `match known.entry(k) { Entry::Occupied(entry) => return .., Entry::Vacant(entry) => entry }`
    fn visit_expr_match(&mut self, node: &'ast syn::ExprMatch) {
        let returns = |arm: &syn::Arm| holds(&arm.pat) && arm_leaves(arm);
        if node.arms.iter().any(returns) {
            match node.expr.as_ref() {
                Expr::MethodCall(call) if call.method == "entry" => {
                    self.entries.extend(self.names.root(&call.receiver));
                }
                value => self.add(value),
            }
        }
        visit::visit_expr_match(self, node);
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}
