//! Closures and functions that are passed to a call, or stored: they run as often as their holder calls them.

use proc_macro2::Span;
use syn::Expr;

use super::everyday::is_everyday;
use super::loops::Runs;
use super::reach::may_run;
use super::spans;
use super::sql_text::{plain, segments};
use super::{Queries, Walker};
use crate::rust::flow::{Callee, FieldRef, Flow, Handed};
use crate::rust::place_at;
use crate::rust::type_ref::TypeRef;

/// Library functions and methods that call their closure at most once.
const ONCE: &[&str] = &[
    "transaction",
    "with_transaction",
    "block_in_place",
    "block_on",
    "in_scope",
    "catch_unwind",
    "with_subscriber",
    "with_default",
    "call_once",
    "once",
    "tap",
    "pipe",
    "scope",
    "defer",
    "timeout",
];

impl Walker<'_> {
    /// Walks the arguments of a call that may be resolved later. Closures and functions among them, and
    /// parameters passed on, run as often as the callee calls them. Returns the queries among the arguments,
    /// and the number of the call.
    pub(super) fn handed<'e>(
        &mut self,
        to: &str,
        arguments: impl Iterator<Item = &'e Expr>,
        receivers: usize,
    ) -> (Queries, usize) {
        self.handed_to(to, ONCE.contains(&to), arguments, receivers)
    }

    /// [`handed`](Self::handed), where `once` says whether a library's function of this name calls its argument once.
    pub(super) fn handed_to<'e>(
        &mut self,
        to: &str,
        once: bool,
        arguments: impl Iterator<Item = &'e Expr>,
        receivers: usize,
    ) -> (Queries, usize) {
        let call = self.calls;
        self.calls += 1;
        let (mut queries, mut code) = (Queries::new(), Vec::new());
        let callee = std::mem::take(&mut self.here.callee);
        for (position, argument) in arguments.enumerate() {
            let argument = self.opened(argument);
            let mut is_function = matches!(argument, Expr::Closure(_));
            // A wrapper of a closure calls it no more often than the function that gets the whole.
            let wraps = to == "new" || to == "pin" || to.starts_with(char::is_uppercase);
            let wrapped = closure_in(argument).filter(|_| !wraps && !is_function);
            if !wraps {
                let is_given = closure_in(argument).is_some() && callee != TypeRef::Unknown;
                self.here.handing = is_given.then(|| (callee.clone(), position + receivers));
            }
            let body = self.sequence(|walker| match variable(argument) {
                _ if wrapped.is_some() => {
                    is_function = true;
                    if let Some(closure) = wrapped {
                        match is_of_jobs(to) {
                            true => walker.outside_loops(|walker| walker.closure(closure, &Runs::Once)),
                            false => walker.closure(closure, &Runs::Once),
                        }
                    }
                }
                Some(name) if walker.code_in_variable(&name) => is_function = true,
                _ if walker.is_function(argument) => {
                    is_function = true;
                    walker.function_value(argument);
                }
                _ if is_callback(to, argument) => walker.outside_loops(|walker| {
                    queries.extend(walker.arguments(std::iter::once(argument), &Runs::Once));
                }),
                _ => queries.extend(walker.arguments(std::iter::once(argument), &Runs::Once)),
            });
            if is_function {
                code.push(position + receivers);
            }
            if !is_function {
                self.emit(body);
            } else if body.runs_something() {
                let handed = Handed {
                    call: Some(call),
                    parameter: position + receivers,
                    place: place_at(&self.file, spans::of(argument).start()),
                    written: format!("closure passed to {to}"),
                    once,
                    body,
                    field: None,
                };
                self.here.flow.push(Flow::Handed(Box::new(handed)));
            }
        }
        self.here.handing = None;
        self.here.code = code;
        (queries, call)
    }

    /// The closure that a block evaluates to, after walking what the block does before:
    /// `{ let db = db.clone(); move |id| .. }`.
    pub(super) fn opened<'e>(&mut self, value: &'e Expr) -> &'e Expr {
        let Expr::Block(node) = value else { return value };
        match node.block.stmts.split_last() {
            Some((syn::Stmt::Expr(tail, None), before))
                if node.label.is_none() && closure_in(tail).is_some() =>
            {
                before.iter().for_each(|statement| drop(self.statement(statement)));
                tail
            }
            _ => value,
        }
    }

    /// Walks what does not run in the loops around it.
    fn outside_loops(&mut self, walk: impl FnOnce(&mut Self)) {
        let (loops, leaving) = (std::mem::take(&mut self.here.loops), std::mem::take(&mut self.here.leaving));
        let closure = std::mem::take(&mut self.here.closure);
        walk(self);
        (self.here.loops, self.here.leaving, self.here.closure) = (loops, leaving, closure);
    }

    /// Records what a stored closure does.
    pub(super) fn keep(&mut self, span: Span, written: String, body: Flow) {
        self.keep_in(None, span, written, body);
    }

    fn keep_in(&mut self, field: Option<FieldRef>, span: Span, written: String, body: Flow) {
        if body.runs_something() {
            let place = place_at(&self.file, span.start());
            let handed = Handed { call: None, parameter: 0, place, written, once: false, body, field };
            self.here.flow.push(Flow::Handed(Box::new(handed)));
        }
    }

    /// Walks the value of a field: the code that it is runs where the field is called. Returns whether it is code.
    pub(super) fn kept_in_field(&mut self, of: &syn::Path, field: &syn::FieldValue) -> bool {
        let value = self.opened(&field.expr);
        let may_be_code = |walker: &Self, name: &str| {
            walker.here.locals.get(name).is_some_and(|it| it.parameter.is_none() || may_run(&it.ty))
        };
        let mut is_code = closure_in(value).is_some();
        let body = self.sequence(|walker| match (closure_in(value), variable(value), path_in(value)) {
            (Some(closure), ..) => walker.closure(closure, &Runs::Once),
            (None, Some(name), _) if may_be_code(walker, &name) => is_code = walker.code_in_variable(&name),
            (None, _, Some(path)) if walker.is_function(&Expr::Path(path.clone())) => {
                is_code = true;
                walker.function_value(&Expr::Path(path.clone()));
            }
            _ => {}
        });
        let name = member(&field.member);
        let written = format!("code in the field `{name}`");
        let stored = FieldRef { of: self.constructed(of), name };
        self.keep_in(Some(stored), spans::of(value), written, body);
        is_code
    }

    /// Walks the code that a variable holds, as if it ran here once. Returns whether it holds any.
    fn code_in_variable(&mut self, name: &str) -> bool {
        let functions = self.functions_of(name);
        if let Some(parameter) = self.here.locals.get(name).and_then(|local| local.parameter) {
            self.here.flow.push(Flow::Parameter(parameter));
        } else if self.is_closure(name) {
            self.local_closure(name, &Runs::Once);
        } else if !functions.is_empty() {
            self.each_function(&functions, |walker, path| walker.function_value(&Expr::Path(path)));
        } else {
            return false;
        }
        true
    }

    /// The parameter of the current function that an expression is, directly or by reference.
    pub(super) fn passed_on(&self, argument: &Expr) -> Option<usize> {
        self.here.locals.get(&variable(argument)?)?.parameter
    }

    /// Whether a variable is a closure.
    pub(super) fn is_closure(&self, name: &str) -> bool {
        let local = self.here.locals.closure_at(name).and_then(|at| self.here.locals.at(at));
        local.is_some_and(|local| local.closure.is_some() || local.walked.is_some())
    }

    /// Whether an argument is the path of a function of the project: `load`, `Self::store`.
    pub(super) fn is_function(&self, argument: &Expr) -> bool {
        let Expr::Path(path) = argument else { return false };
        let parts = segments(&path.path);
        let [.., last] = parts.as_slice() else { return false };
        let is_lower = last.starts_with(|c: char| c.is_lowercase());
        is_lower && last != "self" && (parts.len() > 1 || self.here.locals.get(last).is_none())
    }

    /// Handles a method of a function itself, `load.retry(policy)`: it may call it any number of times.
    pub(super) fn extended(&mut self, node: &syn::ExprMethodCall, method: &str) {
        if self.is_function(&node.receiver) && !is_everyday(method) {
            let body = self.sequence(|walker| walker.function_value(&node.receiver));
            self.keep(node.method.span(), format!("function passed to {method}"), body);
        }
    }

    /// Records a call of a function that is passed as a value.
    fn function_value(&mut self, argument: &Expr) {
        let Expr::Path(path) = argument else { return };
        let Some(last) = path.path.segments.last() else { return };
        let parts = segments(&path.path);
        let callee = Callee::Path(self.imports.resolve(&parts));
        self.emit_call(last.ident.span(), parts.join("::"), callee, false, 1);
    }
}

/// The name of a field, or its position.
pub(super) fn member(of: &syn::Member) -> String {
    match of {
        syn::Member::Named(name) => plain(name),
        syn::Member::Unnamed(index) => index.index.to_string(),
    }
}

/// Whether a closure runs when something comes, rather than now: what is constructed with it keeps it, as do the tables of
/// events, jobs and routes that it is entered in.
fn is_callback(to: &str, argument: &Expr) -> bool {
    let Expr::Closure(closure) = argument else { return false };
    let enters = matches!(to, "on" | "listen" | "subscribe" | "add_listener" | "add_handler")
        || ["new_", "on_", "register"].iter().any(|begin| to.starts_with(begin));
    // `get(move || async ..)` of a router; a map's has no closure.
    let routes = matches!(to, "get" | "post" | "put" | "patch" | "delete" | "any");
    let gives = matches!(closure.body.as_ref(), Expr::Async(_)) || closure.asyncness.is_some();
    (to == "new" || enters) && !closure.inputs.is_empty() || routes && gives || is_of_jobs(to)
}

/// Whether a function enters what it is given in a table of jobs, which run at their time: `run` of `every(1.day()).run(job)`.
fn is_of_jobs(to: &str) -> bool {
    matches!(
        to,
        "every" | "add_job" | "new_job" | "schedule_job" | "run_interval" | "run_later" | "with_run_async"
    )
}

/// What a method is that enters a job by the time that it is called on: `scheduler.every(10.minutes()).plus(30.seconds()).run(job)`.
pub(super) fn job_of(node: &syn::ExprMethodCall) -> Option<&'static str> {
    let mut on = node.receiver.as_ref();
    if !(node.method == "run" || node.method == "perform") {
        return None;
    }
    loop {
        on = match on {
            Expr::MethodCall(call) if call.method == "every" && call.args.len() == 1 => return Some("every"),
            Expr::MethodCall(call) => &call.receiver,
            Expr::Call(call) => {
                let Expr::Path(function) = call.func.as_ref() else { return None };
                return segments(&function.path).last().filter(|last| *last == "every").map(|_| "every");
            }
            _ => return None,
        };
    }
}

/// The closure that an expression is, by reference, behind a pointer or as a trait object: `&mut |id| ..`,
/// `Box::new(|id| ..)`, `Some(&|id| ..)`.
pub(super) fn closure_in(expression: &Expr) -> Option<&syn::ExprClosure> {
    match expression {
        Expr::Closure(closure) => Some(closure),
        expression => closure_in(behind(expression)?),
    }
}

/// The variable that an expression is, by reference, as a clone or behind a pointer.
pub(super) fn variable(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Path(path) => Some(path.path.get_ident()?.to_string()),
        expression => variable(behind(expression)?),
    }
}

/// The path that an expression is, by reference or behind a pointer.
pub(super) fn path_in(expression: &Expr) -> Option<&syn::ExprPath> {
    match expression {
        Expr::Path(path) => Some(path),
        expression => path_in(behind(expression)?),
    }
}

/// The value behind a reference or pointer, or in an option that holds it.
fn behind(expression: &Expr) -> Option<&Expr> {
    match expression {
        Expr::Reference(inner) => Some(&inner.expr),
        Expr::Paren(inner) => Some(&inner.expr),
        Expr::Group(inner) => Some(&inner.expr),
        Expr::Cast(inner) if !matches!(*inner.ty, syn::Type::Path(_)) || wraps_trait_object(&inner.ty) => {
            Some(&inner.expr)
        }
        Expr::Unary(inner) if matches!(inner.op, syn::UnOp::Deref(_)) => Some(&inner.expr),
        Expr::MethodCall(call) if call.args.is_empty() => {
            let method = call.method.to_string();
            let is_same =
                matches!(method.as_str(), "clone" | "as_ref" | "as_mut" | "as_deref" | "as_deref_mut");
            is_same.then_some(call.receiver.as_ref())
        }
        Expr::Call(call) => {
            let Expr::Path(function) = call.func.as_ref() else { return None };
            let parts = segments(&function.path);
            let is_pointer = matches!(
                parts.iter().map(String::as_str).collect::<Vec<_>>().as_slice(),
                [.., "Arc" | "Box" | "Rc", "new" | "clone" | "pin"] | ["Some"]
            );
            call.args.first().filter(|_| is_pointer && call.args.len() == 1)
        }
        _ => None,
    }
}

/// Whether a type is a pointer to what implements a trait: `Box<dyn Fn(i64)>`.
fn wraps_trait_object(ty: &syn::Type) -> bool {
    let syn::Type::Path(path) = ty else { return false };
    let Some(syn::PathArguments::AngleBracketed(arguments)) =
        path.path.segments.last().map(|last| &last.arguments)
    else {
        return false;
    };
    arguments.args.iter().any(|argument| {
        matches!(argument, syn::GenericArgument::Type(syn::Type::TraitObject(_) | syn::Type::Infer(_)))
    })
}
