//! Walks loops, and closures that run once, maybe, or per element; tracks which loops are left before their
//! next iteration.

use std::rc::Rc;

use proc_macro2::Span;
use syn::{Expr, Pat, Stmt};

use super::Walker;
use super::advance;
use super::excerpt::written;
use super::exits::Target;
use super::locals::Walked;
use super::pace;
use super::purpose::{self, Turns};
use super::shape::{self, Shape};
use super::spans;
use super::variables::{self, LoopBody};
use crate::rust::flow::{Flow, LoopFlow};
use crate::rust::place_at;
use crate::rust::site::{Loop, LoopKind, Origin, Site};
use crate::rust::type_ref::TypeRef;

/// How often a closure runs that is passed to something.
#[derive(Debug, Clone)]
pub(in crate::rust) enum Runs {
    Once,
    Maybe,
    /// Unknown: it is stored, or the method exists on both iterators and options. Holds what is stored, for a
    /// message.
    Unknown(String),
    /// Once per element: a loop.
    PerElement {
        /// What is looped over, as written.
        over: String,
        turns: Turns,
        place: crate::finding::Place,
        /// Where the elements come from.
        origins: Vec<Origin>,
        /// The type of an element.
        element: TypeRef,
        /// The queries that are its elements.
        collected: super::Queries,
        /// Whether it gives a value for each element, `map`, or works on several at once, rather than on one after the other.
        is_map: bool,
    },
}

impl Walker<'_> {
    /// Walks the body of a loop, with the loop around it.
    pub(in crate::rust) fn in_loop(
        &mut self,
        head: Loop,
        turns: Turns,
        enters: bool,
        walk: impl FnOnce(&mut Self),
    ) {
        self.in_labelled_loop(None, head, turns, enters, walk);
    }

    /// [`in_loop`](Self::in_loop) for a loop that may have a label.
    fn in_labelled_loop(
        &mut self,
        label: Option<&syn::Label>,
        head: Loop,
        turns: Turns,
        enters: bool,
        walk: impl FnOnce(&mut Self),
    ) {
        let label = label.map(|label| label.name.ident.to_string());
        self.here.targets.push(Target { label, is_loop: true, loops: self.here.loops.len() });
        self.here.loops.push(head.clone());
        self.here.leaving.push(false);
        let body = self.sequence(walk);
        self.here.leaving.pop();
        self.here.loops.pop();
        self.here.targets.pop();
        if body.runs_something() || body.leaves(1) {
            self.here.flow.push(Flow::Loop(Box::new(LoopFlow { head, body, enters, exact: turns.exact })));
        }
    }

    pub(in crate::rust) fn for_loop(&mut self, node: &syn::ExprForLoop) {
        self.expr(&node.expr);
        let element = self.element_of(&node.expr);
        let shape = match self.is_component(&element) && !self.is_of_rows(&node.expr) {
            true => Shape::Components,
            false => self.shape_drawn(&node.expr, shape::of(&node.expr, self)),
        };
        let turns = purpose::for_loop(&node.pat, &node.expr, shape, &node.body);
        let head = Loop {
            kind: LoopKind::For,
            place: place_at(&self.file, node.for_token.span.start()),
            over: written(&node.expr),
            of: self.type_of_field(&node.expr),
            has_iter: self.has_iter(&self.type_of(&node.expr)),
            pattern: written(&node.pat),
            variables: variables::of_turn(&[&node.pat], LoopBody::Block(&node.body)),
            elements: variables::of_element(&[&node.pat], LoopBody::Block(&node.body)),
            exempt: turns.exempt,
            turns: turns.count,
            origins: self.origins(&node.expr),
            pace: pace::of_for(&node.pat, &node.expr, &node.body),
            refills: false,
            is_joined: false,
            advances: advance::of_range(&node.pat, &node.expr, &node.body),
        };
        let queries = self.collected_in(&node.expr);
        let functions = self.functions_in(&node.expr);
        self.begin_drawing(node);
        let origins = head.origins.clone();
        // The content of a constant's elements is as fixed as the constant.
        let fixed = shape::is_constant_path(&node.expr).then_some(Shape::Fixed(None, true));
        self.in_labelled_loop(node.label.as_ref(), head, turns, false, |walker| {
            walker.scoped(|walker| {
                walker.bind_from(&node.pat, fixed.unwrap_or_default(), &origins);
                walker.type_pattern(&node.pat, element);
                walker.take_queries(&node.pat, queries);
                walker.take_functions(&node.pat, functions);
                walker.take_texts(&node.pat, &node.expr);
                walker.note_number(&node.pat, &node.expr);
                walker.block(&node.body);
            });
            walker.draw(node);
        });
    }

    /// Whether the elements of a value come from a query.
    fn is_of_rows(&self, value: &Expr) -> bool {
        let origins = self.origins(value);
        let is_given = |site: &Site| origins.contains(&Origin::Given(site.place.line, site.place.column));
        self.sites.iter().any(is_given)
    }

    pub(in crate::rust) fn while_loop(&mut self, node: &syn::ExprWhile) {
        let source = drawn_from(&node.cond);
        let shape = source.map(|source| shape::of(source, self));
        let drawn = source.zip(shape).map(|(source, shape)| self.shape_drawn(source, shape));
        let is_listed = shape == Some(Shape::Elements);
        let turns = purpose::while_loop(&node.cond, &node.body, drawn, is_listed);
        let turns = self.counted_turns(&node.cond, &node.body, turns);
        let place = place_at(&self.file, node.while_token.span.start());
        let mut patterns = Vec::new();
        conditions(&node.cond, &mut patterns);
        let variables = variables::of_turn(&patterns, LoopBody::Block(&node.body));
        let elements = variables::of_element(&patterns, LoopBody::Block(&node.body));
        let over = drawn_from(&node.cond).map(written).unwrap_or_default();
        let Turns { exempt, count, .. } = turns;
        let pattern = String::new();
        let head = Loop {
            kind: LoopKind::While,
            place,
            over,
            of: TypeRef::Unknown,
            has_iter: false,
            pattern,
            variables,
            elements,
            exempt,
            turns: count,
            origins: drawn_from(&node.cond)
                .map_or_else(|| vec![Origin::Unknown], |source| self.origins(source)),
            pace: pace::of_while(&node.cond, drawn)
                .or_else(|| pace::follows(&node.cond, &node.body))
                .or_else(|| self.steps(node))
                .or_else(|| pace::found(&node.body)),
            refills: pace::refills(&node.cond, &node.body),
            is_joined: false,
            advances: advance::of_body(&node.body),
        };
        // A query in the condition decides whether the loop continues: it is not repeated work.
        let asked = Loop { exempt: Some(turns.exempt.unwrap_or(purpose::PAGES)), ..head.clone() };
        self.in_labelled_loop(node.label.as_ref(), head.clone(), turns, false, |walker| {
            walker.scoped(|walker| {
                if let Some(around) = walker.here.loops.last_mut() {
                    *around = asked;
                }
                walker.expr(&node.cond);
                if let Some(around) = walker.here.loops.last_mut() {
                    *around = head;
                }
                walker.here.flow.push(Flow::Branch(vec![Flow::Break(0), Flow::EMPTY]));
                walker.block(&node.body);
            });
        });
    }

    /// The type of a field that is iterated.
    fn type_of_field(&self, iterable: &Expr) -> TypeRef {
        match iterable {
            Expr::Reference(inner) => self.type_of_field(&inner.expr),
            Expr::Paren(inner) => self.type_of_field(&inner.expr),
            Expr::MethodCall(call) if matches!(call.method.to_string().as_str(), "iter" | "iter_mut") => {
                self.type_of_field(&call.receiver)
            }
            Expr::Field(_) => self.type_of(iterable),
            _ => TypeRef::Unknown,
        }
    }

    /// The pace of a `while` loop that goes through a range, as `for next in next..=last` does. From a literal on, it counts.
    fn steps(&self, node: &syn::ExprWhile) -> Option<&'static str> {
        let local = self.here.locals.get(&pace::counter(&node.cond, &node.body)?)?;
        (!local.origins.is_empty()).then_some(pace::STEPS)
    }

    /// The shape of what a loop draws from, given that of its expression; a variable or field of a collection's type has elements.
    fn shape_drawn(&self, source: &Expr, shape: Shape) -> Shape {
        match shape {
            Shape::Unknown
                if matches!(source, Expr::Path(_) | Expr::Field(_))
                    && self.has_iter(&self.type_of(source)) =>
            {
                Shape::Elements
            }
            shape => shape,
        }
    }

    pub(in crate::rust) fn endless_loop(&mut self, node: &syn::ExprLoop) {
        let turns = self.endless_turns(&node.body, purpose::endless_loop(&node.body));
        let head = Loop {
            kind: LoopKind::Loop,
            place: place_at(&self.file, node.loop_token.span.start()),
            over: String::new(),
            of: TypeRef::Unknown,
            has_iter: false,
            pattern: String::new(),
            variables: variables::of_turn(&[], LoopBody::Block(&node.body)),
            elements: Vec::new(),
            exempt: turns.exempt,
            turns: turns.count,
            origins: vec![Origin::Unknown],
            pace: None,
            refills: false,
            is_joined: false,
            advances: advance::of_body(&node.body),
        };
        self.in_labelled_loop(node.label.as_ref(), head, turns, true, |walker| {
            walker.block(&node.body);
        });
    }

    /// Walks the body of a closure at the call that it is passed to.
    pub(in crate::rust) fn closure(&mut self, closure: &syn::ExprClosure, runs: &Runs) {
        let walk = |walker: &mut Self| {
            let flow = walker.closed(|walker| {
                walker.scoped(|walker| {
                    let origins = match runs {
                        Runs::PerElement { origins, .. } => origins.as_slice(),
                        _ => &[Origin::Unknown],
                    };
                    closure.inputs.iter().for_each(|input| walker.bind_from(input, Shape::Unknown, origins));
                    walker.type_inputs(closure);
                    if let (Runs::PerElement { element, collected, .. }, Some(input)) =
                        (runs, closure.inputs.last())
                    {
                        walker.type_pattern(input, element.clone());
                        walker.take_queries(input, collected.clone());
                    }
                    for input in &closure.inputs {
                        if let Pat::Type(typed) = input {
                            let ty = walker.type_ref(&typed.ty);
                            walker.type_pattern(&typed.pat, ty);
                        }
                    }
                    walker.expr(&closure.body);
                });
            });
            walker.emit(flow);
        };
        match runs {
            Runs::Once => walk(self),
            Runs::Maybe => {
                let flow = self.sequence(walk);
                self.emit(flow.maybe());
            }
            Runs::Unknown(written) => {
                let body = self.sequence(walk);
                self.keep(spans::of(&closure.body), written.clone(), body);
            }
            Runs::PerElement { over, turns, place, origins, is_map, .. } => {
                let patterns: Vec<&Pat> = closure.inputs.iter().collect();
                let body = LoopBody::Expr(&closure.body);
                let mut head = combinator(over, turns, place, origins);
                head.variables = variables::of_turn(&patterns, body);
                head.elements = variables::of_element(&patterns, body);
                head.is_joined = *is_map && makes_future(closure);
                self.in_loop(head, *turns, false, walk);
            }
        }
    }

    /// Handles a call of a closure in a local variable, which is walked at its first call; returns whether
    /// the name is such a variable.
    pub(in crate::rust) fn local_closure(&mut self, name: &str, runs: &Runs) -> bool {
        let Some(at) = self.here.locals.closure_at(name) else { return false };
        let Some(local) = self.here.locals.at_mut(at) else { return false };
        if let Some(parameter) = local.parameter {
            self.parameter(parameter, runs);
            return true;
        }
        if let Some(walked) = local.walked.clone() {
            self.walked_again(&walked, runs);
            return true;
        }
        let Some(closure) = local.closure.take() else { return false };
        // Its parameters vary between iterations of the loops that call it.
        let names: Vec<String> = closure.inputs.iter().flat_map(variables::bindings).collect();
        let declared = local.loops;
        for around in self.here.loops.iter_mut().skip(declared) {
            around.variables.extend(names.iter().cloned());
            around.elements.extend(names.iter().cloned());
            around.variables.extend(variables::of_turn(&[], LoopBody::Expr(&closure.body)));
        }
        let first = self.sites.len();
        let flow = self.sequence(|walker| walker.closure(&closure, runs));
        self.emit(flow.clone());
        let walked = Walked { flow, sites: first..self.sites.len(), loops: self.here.loops.len() };
        if let Some(local) = self.here.locals.at_mut(at) {
            local.walked = Some(Rc::new(walked));
        }
        true
    }

    /// Records a call of a parameter of the current function.
    fn parameter(&mut self, parameter: usize, runs: &Runs) {
        let call = |walker: &mut Self| walker.here.flow.push(Flow::Parameter(parameter));
        match runs {
            Runs::Once => call(self),
            Runs::Maybe => {
                let flow = self.sequence(call);
                self.emit(flow.maybe());
            }
            Runs::Unknown(written) => {
                let body = self.sequence(call);
                self.keep(Span::call_site(), written.clone(), body);
            }
            Runs::PerElement { over, turns, place, origins, .. } => {
                self.in_loop(combinator(over, turns, place, origins), *turns, false, call);
            }
        }
    }

    /// Records a further call of a closure: it runs the same again, in the current loops.
    fn walked_again(&mut self, walked: &Walked, runs: &Runs) {
        let again = |walker: &mut Self| {
            let here = walker.loops_here();
            for site in walker.sites.get_mut(walked.sites.clone()).unwrap_or_default() {
                if here.len() > walked.loops && site.loops.len() >= walked.loops {
                    let inside = site.loops.split_off(walked.loops);
                    site.loops = here.iter().cloned().chain(inside).collect();
                }
            }
            walker.emit(walked.flow.clone());
        };
        match runs {
            Runs::Once => again(self),
            Runs::Maybe => {
                let flow = self.sequence(again);
                self.emit(flow.maybe());
            }
            Runs::Unknown(written) => {
                let body = self.sequence(again);
                self.keep(Span::call_site(), written.clone(), body);
            }
            Runs::PerElement { over, turns, place, origins, .. } => {
                self.in_loop(combinator(over, turns, place, origins), *turns, false, again);
            }
        }
    }
}

/// Whether what a closure gives is a future.
fn makes_future(closure: &syn::ExprClosure) -> bool {
    let last = match closure.body.as_ref() {
        Expr::Block(block) => match block.block.stmts.last() {
            Some(Stmt::Expr(last, None)) => last,
            _ => return false,
        },
        body => body,
    };
    matches!(last, Expr::Async(_))
}

/// The loop of an iterator or stream method.
pub(in crate::rust) fn combinator(
    over: &str,
    turns: &Turns,
    place: &crate::finding::Place,
    origins: &[Origin],
) -> Loop {
    Loop {
        kind: LoopKind::Combinator,
        place: place.clone(),
        over: over.to_owned(),
        of: TypeRef::Unknown,
        has_iter: false,
        pattern: String::new(),
        variables: Vec::new(),
        elements: Vec::new(),
        exempt: turns.exempt,
        turns: turns.count,
        origins: origins.to_vec(),
        pace: None,
        refills: false,
        is_joined: false,
        advances: Vec::new(),
    }
}

/// What a `while let` draws its elements from: `xs` in `while let Some(x) = xs.next().await`.
fn drawn_from(condition: &Expr) -> Option<&Expr> {
    let mut expression = pace::drawn(condition)?;
    loop {
        expression = match expression {
            Expr::Await(node) => &node.base,
            Expr::Try(node) => &node.expr,
            Expr::Paren(node) => &node.expr,
            Expr::MethodCall(node) => match node.method.to_string().as_str() {
                "transpose" | "unwrap" | "expect" | "context" | "map_err" => &node.receiver,
                _ => return Some(&node.receiver),
            },
            _ => return None,
        };
    }
}

/// The patterns that a condition binds.
fn conditions<'a>(condition: &'a Expr, patterns: &mut Vec<&'a Pat>) {
    match condition {
        Expr::Let(node) => patterns.push(&node.pat),
        Expr::Binary(node) => {
            conditions(&node.left, patterns);
            conditions(&node.right, patterns);
        }
        _ => {}
    }
}
