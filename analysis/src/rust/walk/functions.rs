//! Functions that are values: in variables, in constants, and in lists of them.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{Expr, ExprCall, ExprPath, Pat};

use super::excerpt::written;
use super::handed::{member, path_in, variable};
use super::loops::Runs;
use super::sql_text::{Surroundings, segments};
use super::{Queries, Walker};
use super::{shape, spans};
use crate::rust::flow::{Callee, FieldRef};
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
        if !self.local_closure(name, &Runs::Once) {
            let of = self.here.locals.get(name).and_then(|local| kept_in(&local.ty));
            let callee = of.map_or_else(|| Callee::Value(name.to_owned()), Callee::Field);
            self.call_of_code(callee, node.func.span(), name.to_owned(), node, awaited);
        }
        Queries::new()
    }

    /// Handles a call of the code in a field or an element, or that a call gives: `(self.load)(id)`, `self.handlers[kind](id)`.
    pub(super) fn call_of_value(&mut self, node: &ExprCall, function: &Expr, awaited: bool) {
        self.expr(function);
        self.arguments(node.args.iter(), &Runs::Once);
        let (callee, text) = match function {
            Expr::Field(field) => {
                let of = FieldRef { of: self.type_of(&field.base), name: member(&field.member) };
                (Callee::Field(of), format!("({})", written(function)))
            }
            value => {
                let of = kept_in(&self.type_of(value));
                (of.map_or_else(|| Callee::Value(String::new()), Callee::Field), written(value))
            }
        };
        let span = match function {
            Expr::Field(field) => field.dot_token.spans[0],
            value => spans::of(value),
        };
        self.call_of_code(callee, span, text, node, awaited);
    }

    fn call_of_code(&mut self, callee: Callee, span: Span, written: String, node: &ExprCall, awaited: bool) {
        self.here.takes_connection = node.args.iter().any(|it| self.is_handle(it));
        self.emit_call(span, written, callee, awaited, node.args.len());
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

/// The field whose code a value is, by its type: by reference, as a copy, or out of an option. Of a list or a map, no element is
/// known.
fn kept_in(ty: &TypeRef) -> Option<FieldRef> {
    match ty {
        TypeRef::Field(of, name) => Some(FieldRef { of: of.as_ref().clone(), name: name.clone() }),
        TypeRef::Inside(of) => kept_in(of),
        TypeRef::Method(of, name) => {
            let keeps = ["as_ref", "as_mut", "as_deref", "as_deref_mut", "clone", "expect", "take", "unwrap"];
            keeps.contains(&name.as_str()).then(|| kept_in(of)).flatten()
        }
        _ => None,
    }
}
