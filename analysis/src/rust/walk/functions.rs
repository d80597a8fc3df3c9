//! Functions that are values: in variables, in constants, and in lists of them.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Expr, ExprCall, ExprPath, Pat};

use super::handed::{path_in, variable};
use super::loops::Runs;
use super::shape;
use super::sql_text::{Surroundings, segments};
use super::{Queries, Walker};
use crate::rust::flow::Callee;
use crate::rust::type_ref::TypeRef;

/// How many functions a value may be, and still be followed to each of them.
const MAX_CANDIDATES: usize = 16;

impl Walker<'_> {
    /// Handles a call of a local variable: of the closure or function in it, which may be unknown.
    pub(super) fn call_of_variable(&mut self, name: &str, node: &ExprCall, awaited: bool) -> Queries {
        let functions = self.functions_of(name);
        if !functions.is_empty() && matches!(node.func.as_ref(), Expr::Path(_) | Expr::Paren(_)) {
            return self.call_each(&functions, node, node.func.span(), awaited);
        }
        self.arguments(node.args.iter(), &Runs::Once);
        if !self.local_closure(name, &Runs::Once) && awaited {
            let callee = Callee::Method { name: name.to_owned(), on: TypeRef::Unknown };
            self.emit_call(node.func.span(), name.to_owned(), callee, awaited, node.args.len());
        }
        Queries::new()
    }

    /// Handles a call of one of these functions, as if each were called by its name.
    pub(super) fn call_each(
        &mut self,
        functions: &[ExprPath],
        node: &ExprCall,
        at: Span,
        awaited: bool,
    ) -> Queries {
        let with_span = |mut path: ExprPath| {
            path.path.segments.iter_mut().for_each(|segment| segment.ident.set_span(at));
            path
        };
        if let [only] = functions {
            let call = ExprCall { func: Box::new(Expr::Path(with_span(only.clone()))), ..node.clone() };
            return self.call(&call, awaited);
        }
        // The arguments are computed once, whichever is called; what each does with a closure is not followed.
        let unknown = Runs::Unknown("closure passed to one of several functions".to_owned());
        let (mut given, mut queries) = (Queries::new(), Queries::new());
        for argument in &node.args {
            let is_closure = || variable(argument).is_some_and(|name| self.is_closure(&name));
            let is_code = matches!(argument, Expr::Closure(_)) || self.is_function(argument) || is_closure();
            let runs = if is_code { &unknown } else { &Runs::Once };
            given.extend(self.arguments(std::iter::once(argument), runs));
        }
        self.each_function(functions, |walker, path| {
            let path = with_span(path);
            match walker.made_by(&path, node) {
                Some(made) => queries.push(made),
                None => walker.call_of_path(&path, node, None, awaited),
            }
        });
        let last = functions.first().and_then(|path| path.path.segments.last());
        let to = last.map(|last| last.ident.to_string()).unwrap_or_default();
        queries.extend(self.given(given, &to, at, awaited, node.args.iter()));
        queries
    }

    /// Walks with each of some functions, of which one is meant.
    pub(super) fn each_function(
        &mut self,
        functions: &[ExprPath],
        mut walk: impl FnMut(&mut Self, ExprPath),
    ) {
        if let [only] = functions {
            return walk(self, only.clone());
        }
        let arms = functions.iter().map(|path| self.sequence(|walker| walk(walker, path.clone()))).collect();
        self.emit_branch(arms);
    }

    /// The functions that a local variable may be.
    pub(super) fn functions_of(&self, name: &str) -> Vec<ExprPath> {
        self.here.locals.get(name).map(|local| local.functions.clone()).unwrap_or_default()
    }

    /// The functions that a constant may be: `HANDLER(id)`.
    pub(super) fn constant_functions(&self, path: &syn::Path) -> Option<Vec<ExprPath>> {
        let names = segments(path);
        if !names.last().is_some_and(|last| shape::is_constant(last)) {
            return None;
        }
        let found = self.functions_in_value(Surroundings::constant(self, &names)?);
        (!found.is_empty()).then_some(found)
    }

    /// The functions that a value may be; none where it may be something else.
    pub(super) fn functions_in_value(&self, value: &Expr) -> Vec<ExprPath> {
        let mut found = Vec::new();
        if self.add_functions(value, &mut found) { found } else { Vec::new() }
    }

    /// Adds the functions that a value may be; returns whether it is certainly one of them.
    fn add_functions(&self, value: &Expr, found: &mut Vec<ExprPath>) -> bool {
        let last = |block: &syn::Block| match block.stmts.as_slice() {
            [syn::Stmt::Expr(tail, None)] => Some(tail.clone()),
            _ => None,
        };
        match value {
            _ if found.len() >= MAX_CANDIDATES => false,
            Expr::Block(block) => last(&block.block).is_some_and(|tail| self.add_functions(&tail, found)),
            Expr::If(node) => {
                let then = last(&node.then_branch).is_some_and(|tail| self.add_functions(&tail, found));
                then && node.else_branch.as_ref().is_some_and(|(_, it)| self.add_functions(it, found))
            }
            Expr::Match(node) => {
                !node.arms.is_empty() && node.arms.iter().all(|arm| self.add_functions(&arm.body, found))
            }
            value => {
                let known = variable(value).map(|name| self.functions_of(&name)).unwrap_or_default();
                if !known.is_empty() {
                    found.extend(known);
                    return true;
                }
                let path = path_in(value).filter(|path| self.is_function(&Expr::Path((*path).clone())));
                found.extend(path.cloned());
                path.is_some()
            }
        }
    }

    /// The functions in a list, by reference, by iterator or as a constant.
    pub(super) fn functions_in(&self, list: &Expr) -> Vec<ExprPath> {
        match list {
            Expr::Reference(inner) => self.functions_in(&inner.expr),
            Expr::Paren(inner) => self.functions_in(&inner.expr),
            Expr::MethodCall(call) if call.args.is_empty() => self.functions_in(&call.receiver),
            Expr::Array(array) => {
                let mut found = Vec::new();
                let all = !array.elems.is_empty()
                    && array.elems.iter().all(|element| self.add_functions(element, &mut found));
                if all { found } else { Vec::new() }
            }
            Expr::Path(path) => {
                let names = segments(&path.path);
                let is_constant = names.last().is_some_and(|last| shape::is_constant(last));
                match Surroundings::constant(self, &names).filter(|_| is_constant) {
                    Some(Expr::Reference(inner)) if matches!(*inner.expr, Expr::Array(_)) => {
                        self.functions_in(&inner.expr)
                    }
                    Some(array @ Expr::Array(_)) => self.functions_in(array),
                    _ => Vec::new(),
                }
            }
            _ => Vec::new(),
        }
    }

    /// Notes that other code is assigned to a variable than the closure in it.
    pub(super) fn put_other_code(&mut self, name: &str) {
        let Some(local) = self.here.locals.get_mut(name) else { return };
        local.walked = None;
        if let Some(closure) = local.closure.take() {
            self.closure(&closure, &Runs::Unknown(format!("closure {name}")));
        }
    }

    /// Assigns functions to the variable of a pattern, which is in scope already.
    pub(super) fn take_functions(&mut self, pattern: &Pat, functions: Vec<ExprPath>) {
        match pattern {
            Pat::Ident(name) => {
                if let Some(local) = self.here.locals.get_mut(&name.ident.to_string()) {
                    local.functions = functions;
                }
            }
            Pat::Reference(inner) => self.take_functions(&inner.pat, functions),
            _ => {}
        }
    }

    /// The position of the variable whose closure a value is by another name: `let again = &save;`.
    pub(super) fn same_closure(&self, value: &Expr) -> Option<usize> {
        let name = variable(value)?;
        self.here.locals.closure_at(&name).filter(|_| self.is_closure(&name))
    }
}
