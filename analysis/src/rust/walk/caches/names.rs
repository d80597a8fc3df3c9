//! The names of a cache in a function: the guards of its locks, and what was looked up in it.

use std::collections::{HashMap, HashSet};

use syn::visit::{self, Visit};
use syn::{Block, Expr, Pat, Stmt};

use super::{gets, is_locked, plain};
use crate::rust::walk::origin::root;
use crate::rust::walk::variables;

/// The variables of a function that name something that keeps values.
#[derive(Debug, Default)]
pub(in crate::rust) struct Names {
    /// Variables, with the variable, static or field that each is a part or guard of.
    parts: HashMap<String, String>,
    /// Those that hold what was looked up, or what a lock keeps.
    found: HashSet<String>,
    /// Fields, with the variables that they are fields of: `message` of `message.sources`.
    owners: HashMap<String, HashSet<String>>,
}

impl Names {
    pub(in crate::rust) fn of_block(body: &Block) -> Names {
        let mut names = Names::default();
        names.visit_block(body);
        names
    }

    /// The variables of which something of this name is a field.
    pub(in crate::rust) fn owners(&self, field: &str) -> impl Iterator<Item = &str> {
        self.owners.get(field).into_iter().flatten().map(String::as_str)
    }

    /// The variable, static or field at the start of a method chain, or what a variable there stands for.
    pub(super) fn root(&self, expression: &Expr) -> Option<String> {
        self.direct(expression).map(|name| self.whole(name))
    }

    /// The map in which a value is looked up, or was, if it is a variable.
    pub(super) fn looked_up(&self, value: &Expr) -> Option<String> {
        let found = || self.direct(value).filter(|name| plain(value) && self.found.contains(name));
        gets(value, &|receiver| self.root(receiver)).or_else(|| found().map(|name| self.whole(name)))
    }

    /// The outermost value that a variable is a part of.
    pub(super) fn whole(&self, mut name: String) -> String {
        // A guard may have the name of what it locks, and names may be declared anew.
        let mut seen = HashSet::new();
        while let Some(of) = self.parts.get(&name).filter(|of| **of != name) {
            if !seen.insert(of) {
                return name;
            }
            name.clone_from(of);
        }
        name
    }

    fn direct(&self, expression: &Expr) -> Option<String> {
        match expression {
            Expr::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            Expr::Field(field) => match &field.member {
                syn::Member::Named(name) => Some(name.to_string()),
                syn::Member::Unnamed(_) => None,
            },
            Expr::MethodCall(call) => self.direct(super::connection(call).unwrap_or(&call.receiver)),
            Expr::Await(inner) => self.direct(&inner.base),
            Expr::Try(inner) => self.direct(&inner.expr),
            Expr::Paren(inner) => self.direct(&inner.expr),
            Expr::Reference(inner) => self.direct(&inner.expr),
            Expr::Unary(inner) => self.direct(&inner.expr),
            Expr::Block(block) => match block.block.stmts.last() {
                Some(Stmt::Expr(tail, None)) => self.direct(tail),
                _ => None,
            },
            _ => None,
        }
    }

    /// Notes that the variables of a pattern are a part of a value.
    fn bind(&mut self, pattern: &Pat, value: &Expr) {
        // `None` is not a part of anything either.
        let Some(of) = self.direct(value).filter(|of| of != "self" && of != "None") else { return };
        let found = is_locked(value) || self.looked_up(value).is_some();
        for name in variables::bindings(pattern) {
            if found {
                self.found.insert(name.clone());
            }
            self.parts.insert(name, of.clone());
        }
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_local(&mut self, local: &'ast syn::Local) {
        // What is inside a block is known before its value.
        visit::visit_local(self, local);
        if let Some(init) = &local.init {
            self.bind(&local.pat, &init.expr);
        }
    }

    fn visit_expr_let(&mut self, node: &'ast syn::ExprLet) {
        self.bind(&node.pat, &node.expr);
        visit::visit_expr_let(self, node);
    }

    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        for argument in &node.args {
            if let Expr::Closure(closure) = argument {
                closure.inputs.iter().for_each(|input| self.bind(input, &node.receiver));
            }
        }
        visit::visit_expr_method_call(self, node);
    }

    fn visit_expr_field(&mut self, node: &'ast syn::ExprField) {
        if let (syn::Member::Named(field), Some(owner)) = (&node.member, root(&node.base)) {
            self.owners.entry(field.to_string()).or_default().insert(owner);
        }
        visit::visit_expr_field(self, node);
    }

    fn visit_item(&mut self, _: &'ast syn::Item) {}
}
