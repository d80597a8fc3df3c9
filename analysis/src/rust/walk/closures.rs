//! Arguments of calls, and how often methods run the closures and functions that are passed to them.

use syn::{Expr, ExprMethodCall};

use super::excerpt::written_receiver;
use super::handed::{path_in, variable};
use super::loops::{self, Runs};
use super::purpose;
use super::reach::may_run;
use super::shape::{self, Shape};
use super::sql_text::segments;
use super::{Queries, Walker};
use crate::rust::flow::Callee;
use crate::rust::place_at;
use crate::rust::type_ref::{MAX_TYPE_STEPS, TypeRef};

impl Walker<'_> {
    /// How often a method runs its closure, if it is known to run closures.
    pub(super) fn runs_of(&self, node: &ExprMethodCall, method: &str, awaited: bool) -> Option<Runs> {
        // What these return for an iterator or stream is not a future.
        let is_other = awaited && matches!(method, "filter" | "find" | "partition" | "position");
        let takes_function = node.args.iter().any(|argument| match argument {
            Expr::Closure(_) => true,
            // The type may be an alias of another file.
            Expr::Path(_) if only_takes_code(method) => true,
            Expr::Path(path) => !self.is_value(path, is_other),
            // By reference, what is known to be a function.
            argument => path_in(argument).is_some_and(|path| self.is_code_variable(path)),
        });
        if !takes_function {
            return None;
        }
        let per_element = |shape| Runs::PerElement {
            over: written_receiver(&node.receiver),
            turns: purpose::over(shape),
            place: place_at(&self.file, node.method.span().start()),
            origins: self.origins(&node.receiver),
            element: match method.starts_with("try_") || method.ends_with("_ok") {
                true => self.element_of(&node.receiver).step(TypeRef::Inside),
                false => self.element_of(&node.receiver),
            },
            collected: self.collected_in(&node.receiver),
            is_map: matches!(method, "map" | "for_each_concurrent" | "try_for_each_concurrent"),
        };
        let shape = || shape::of(&node.receiver, self);
        match method {
            // Only iterators and streams have these.
            "for_each"
            | "for_each_concurrent"
            | "try_for_each"
            | "try_for_each_concurrent"
            | "filter_map"
            | "flat_map"
            | "fold"
            | "try_fold"
            | "scan"
            | "take_while"
            | "skip_while"
            | "map_while"
            | "find_map"
            | "retain"
            | "partition"
            | "any"
            | "all"
            | "position"
            | "sort_by_key"
            | "sort_by_cached_key"
            | "max_by_key"
            | "min_by_key"
            | "try_filter"
            | "try_filter_map"
            | "flat_map_unordered"
            | "for_each_init" => Some(per_element(match shape() {
                Shape::Single => Shape::Unknown,
                shape => shape,
            })),
            // Options, results, booleans and futures also have these: it is a loop only if the receiver is
            // known to be a sequence.
            "map" | "then" | "and_then" | "or_else" | "filter" | "inspect" | "map_ok" | "map_err"
            | "inspect_ok" | "map_or" | "map_or_else" | "unwrap_or_else" | "ok_or_else" | "then_some"
            | "is_some_and" | "is_ok_and" | "get_or_insert_with" | "or_insert_with" | "find" => {
                Some(match shape() {
                    Shape::Single => Runs::Maybe,
                    Shape::Unknown if is_once(method) => Runs::Maybe,
                    Shape::Unknown => Runs::Unknown(format!("closure passed to {method}")),
                    shape => self.as_drawn(node, per_element(shape)),
                })
            }
            _ => None,
        }
    }

    /// Whether a path is a variable that does not hold a function, judging by its type or the call: `repo.all(ids)` returns no
    /// closure.
    pub(super) fn is_value(&self, path: &syn::ExprPath, is_told: bool) -> bool {
        let local = path.path.get_ident().and_then(|name| self.here.locals.get(&name.to_string()));
        local.is_some_and(|local| {
            let is_code = local.closure.is_some()
                || local.walked.is_some()
                || local.same_as.is_some()
                || !local.functions.is_empty();
            let is_given = local.parameter.is_some() && !is_told && !self.is_no_function(&local.ty, 0);
            !is_code && !is_given
        })
    }

    /// Whether a path is a variable that holds a closure, or a parameter that may.
    fn is_code_variable(&self, path: &syn::ExprPath) -> bool {
        let local = path.path.get_ident().and_then(|name| self.here.locals.get(&name.to_string()));
        local.is_some_and(|local| {
            let is_given = local.parameter.is_some() && local.ty != TypeRef::Unknown && may_run(&local.ty);
            local.closure.is_some() || local.walked.is_some() || local.same_as.is_some() || is_given
        })
    }

    fn is_no_function(&self, ty: &TypeRef, depth: u8) -> bool {
        match ty {
            _ if depth > MAX_TYPE_STEPS => false,
            TypeRef::Named(path, arguments) => {
                let last = path.last().map_or("", String::as_str);
                let mut aliases = self.items.iter().flat_map(|items| &items.aliases);
                match aliases.find(|(name, _)| name == last) {
                    Some((_, of)) => self.is_no_function(of, depth + 1),
                    None if matches!(last, "Arc" | "Box" | "Rc") => {
                        arguments.first().is_some_and(|of| self.is_no_function(of, depth + 1))
                    }
                    None => true,
                }
            }
            TypeRef::Element(of) | TypeRef::Inside(of) => {
                content(of).is_some_and(|of| self.is_no_function(of, depth + 1))
            }
            _ => false,
        }
    }

    /// Walks arguments. Closures among them, including those in variables, run as `runs` says; functions
    /// passed to be called per element count as calls.
    pub(in crate::rust) fn arguments<'e>(
        &mut self,
        arguments: impl Iterator<Item = &'e Expr>,
        runs: &Runs,
    ) -> Queries {
        let mut queries = Queries::new();
        for argument in arguments {
            match argument {
                Expr::Closure(closure) => self.closure(closure, runs),
                // A closure by reference.
                Expr::Reference(_) | Expr::Paren(_)
                    if !matches!(runs, Runs::Once)
                        && path_in(argument).is_some_and(|path| self.is_code_variable(path)) =>
                {
                    let name = variable(argument).unwrap_or_default();
                    self.local_closure(&name, runs);
                }
                Expr::Path(path) => {
                    let name = path.path.get_ident().map(ToString::to_string).unwrap_or_default();
                    if self.local_closure(&name, runs) {
                        continue;
                    }
                    let functions = self.functions_of(&name);
                    if !matches!(runs, Runs::Once) && !functions.is_empty() {
                        self.each_function(&functions, |walker, path| walker.named_function(&path, runs));
                        continue;
                    }
                    if !matches!(runs, Runs::Once) && self.here.locals.get(&name).is_none() {
                        self.named_function(path, runs);
                    } else {
                        queries.extend(self.expr(argument));
                    }
                }
                argument => queries.extend(self.expr(argument)),
            }
        }
        queries
    }

    /// `.map(load)`, `.for_each(Self::store)`: one call per element.
    pub(super) fn named_function(&mut self, path: &syn::ExprPath, runs: &Runs) {
        let parts = segments(&path.path);
        let Some(last) = path.path.segments.last() else { return };
        if parts.last().is_none_or(|name| name.starts_with(char::is_uppercase)) {
            return;
        }
        let span = last.ident.span();
        let callee = Callee::Path(self.imports.resolve(&parts));
        let text = parts.join("::");
        match runs {
            Runs::PerElement { over, turns, place, origins, .. } => {
                let head = loops::combinator(over, turns, place, origins);
                self.in_loop(head, *turns, false, |walker| walker.emit_call(span, text, callee, false, 1));
            }
            Runs::Once | Runs::Maybe => {
                let flow = self.sequence(|walker| walker.emit_call(span, text, callee, false, 1));
                self.emit(flow.maybe());
            }
            Runs::Unknown(written) => {
                let body = self.sequence(|walker| walker.emit_call(span, text, callee, false, 1));
                self.keep(span, written.clone(), body);
            }
        }
    }
}

/// Whether every argument of a method is code.
fn only_takes_code(method: &str) -> bool {
    matches!(
        method,
        "for_each"
            | "try_for_each"
            | "filter_map"
            | "flat_map"
            | "take_while"
            | "skip_while"
            | "map_while"
            | "sort_by_key"
            | "sort_by_cached_key"
    )
}

/// Whether a method that takes a closure, other than an iterator's, calls it at most once.
pub(super) fn is_once(method: &str) -> bool {
    !matches!(method, "map" | "then" | "and_then" | "filter" | "inspect" | "map_ok" | "inspect_ok" | "find")
}

/// What a collection, option or result of a known type holds.
fn content(ty: &TypeRef) -> Option<&TypeRef> {
    match ty {
        TypeRef::Named(_, arguments) => arguments.first(),
        TypeRef::Element(of) | TypeRef::Inside(of) => content(of).and_then(content),
        _ => None,
    }
}
