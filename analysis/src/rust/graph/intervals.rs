//! Computes the bounds of all functions of a set of sources: calls are followed through the call graph, a
//! function with a budget counts as its budget, and unresolved calls are reported as unknown.

use std::collections::{HashMap, HashSet};

use super::bounds::{self, Called, Calls};
use super::calls::CallGraph;
use super::handed::Field;
use crate::rust::drivers;
use crate::rust::flow::{CallRef, Callee, FieldRef};
use crate::rust::function::{Bound, Function, Step, Upper};
use crate::rust::methods::{Yields, yields};
use crate::rust::site::Form;
use crate::rust::source::FunctionId;
use crate::rust::type_ref::TypeRef;

/// The maximum depth of calls for which bounds are computed.
const MAX_CALL_DEPTH: usize = 64;

/// The bound of each function, by source and position.
pub(in crate::rust) fn intervals(graph: &CallGraph<'_>) -> Vec<Vec<Bound>> {
    let sources = graph.sources();
    let known = sources.iter().map(|source| vec![None; source.scan.functions.len()]).collect();
    let mut bounder = Bounder {
        graph,
        known,
        times: HashMap::new(),
        open: Vec::new(),
        handing: 0,
        querying: graph.querying_methods(),
        fields: HashMap::new(),
        blocks: sources.iter().any(|source| source.scan.sites.iter().any(|site| site.form == Form::Driver)),
    };
    for (source, file) in sources.iter().enumerate() {
        for function in 0..file.scan.functions.len() {
            bounder.bound(FunctionId { source, function });
        }
    }
    let of_source = |known: Vec<Option<Bound>>| known.into_iter().map(Option::unwrap_or_default).collect();
    bounder.known.into_iter().map(of_source).collect()
}

struct Bounder<'g, 'a> {
    graph: &'g CallGraph<'a>,
    known: Vec<Vec<Option<Bound>>>,
    /// How often a function calls one of its parameters; `None` if unknown.
    times: HashMap<(FunctionId, usize), Option<Bound>>,
    /// The functions whose bounds are being computed.
    open: Vec<FunctionId>,
    /// The number of functions that pass a parameter on to the one that is being examined.
    handing: usize,
    /// The names of the methods that reach a query.
    querying: HashSet<&'a str>,
    /// What a call of the code in a field contributes; unknown while it is computed.
    fields: HashMap<Field, Called>,
    /// Whether queries run by a driver other than sqlx, which may block.
    blocks: bool,
}

impl<'a> Bounder<'_, 'a> {
    /// The bound of a function, which is computed once.
    fn bound(&mut self, id: FunctionId) -> Option<&Bound> {
        if self.known.get(id.source)?.get(id.function)?.is_none() {
            let (source, function) = self.graph.get(id)?;
            self.open.push(id);
            let bound = bounds::bound(
                &function.flow,
                &source.scan.sites,
                &mut InFunction { bounder: self, id, function },
            );
            self.open.pop();
            // A result computed inside a cycle is only valid for the function that entered it.
            *self.known.get_mut(id.source)?.get_mut(id.function)? = Some(bound);
        }
        self.known.get(id.source)?.get(id.function)?.as_ref()
    }

    /// The contribution of a call: minimum and maximum over all functions that it may resolve to.
    fn called(&mut self, from: FunctionId, caller: &Function, call: &CallRef) -> Called {
        match &call.callee {
            Callee::Field(field) => {
                let known = self.in_field(from, field);
                return match known {
                    Called::Known { unknown: true, .. } => known,
                    // All that is put there is known to run nothing, and a value is all that is asked of it.
                    Called::Known { .. } if !call.awaited && !call.takes_connection => Called::Nothing,
                    Called::Known { lower, upper, .. } => Called::Known { lower, upper, unknown: true },
                    _ => self.in_value(caller, call),
                };
            }
            Callee::Value(_) => return self.in_value(caller, call),
            _ => {}
        }
        let mut targets = self.graph.targets(from.source, call).to_vec();
        // Test doubles are functions too, so outside of tests only the real ones count.
        if !caller.in_test {
            let is_real = |id: &FunctionId| self.graph.get(*id).is_some_and(|(_, it)| !it.in_test);
            targets.retain(is_real);
        }
        let known = targets.into_iter().map(|target| self.target(from, target, call)).reduce(either);
        match known {
            Some(known) => known,
            None if is_known_harmless(call, || self.may_query(from, call)) => Called::Nothing,
            None => Called::Unknown,
        }
    }

    /// The contribution of a call of the code in a field: at most what one of those runs that the workspace puts there, and what others
    /// may put there.
    fn in_field(&mut self, from: FunctionId, field: &FieldRef) -> Called {
        let graph: &CallGraph<'a> = self.graph;
        let Some(field) = graph.field(from, field).filter(|_| self.open.len() <= MAX_CALL_DEPTH) else {
            return Called::Unknown;
        };
        if let Some(known) = self.fields.get(&field) {
            return known.clone();
        }
        self.fields.insert(field.clone(), Called::Unknown);
        let mut all = Called::Unknown;
        for (by, flow) in graph.stored.get(&field).into_iter().flatten() {
            let Some((source, function)) = graph.get(*by) else { continue };
            self.open.push(*by);
            let mut calls = InFunction { bounder: self, id: *by, function };
            let Bound { upper, unknown, .. } = bounds::bound(flow, &source.scan.sites, &mut calls);
            self.open.pop();
            let unknown = !unknown.is_empty() || upper != Upper::Finite(0);
            let one = Called::Known { lower: 0, upper, unknown };
            all = if matches!(all, Called::Unknown) { one } else { either(all, one) };
        }
        self.fields.insert(field, all.clone());
        all
    }

    /// The contribution of a call of code that is not known. Where it is not awaited, it queries only if it gets a connection, if its
    /// driver blocks, or if the function waits for its future later.
    fn in_value(&self, caller: &Function, call: &CallRef) -> Called {
        match call.awaited || call.takes_connection || caller.is_async || self.blocks {
            true => Called::Unknown,
            false => Called::Nothing,
        }
    }

    /// Whether a method, however harmless its name is, may query: it gets a connection, or one of the workspace's methods of this
    /// name queries and may be meant.
    fn may_query(&self, from: FunctionId, call: &CallRef) -> bool {
        let Callee::Method { name, on } = &call.callee else { return false };
        call.takes_connection || self.querying.contains(name.as_str()) && !self.graph.is_foreign(from, on)
    }

    /// How often the functions that a call may resolve to call a parameter; `None` if one of them is unknown.
    fn times(&mut self, from: FunctionId, call: usize, parameter: usize) -> Option<Bound> {
        let targets = self.graph.targets_of(from.source, call).to_vec();
        targets
            .into_iter()
            .map(|target| self.times_of(target, parameter))
            .reduce(|a, b| {
                let (a, b) = (a?, b?);
                let lower = a.lower.min(b.lower);
                let more = if matches!(a.upper, Upper::Finite(n) if b.upper.exceeds(n)) { b } else { a };
                Some(Bound { lower, ..more })
            })
            .flatten()
    }

    fn times_of(&mut self, id: FunctionId, parameter: usize) -> Option<Bound> {
        if let Some(known) = self.times.get(&(id, parameter)) {
            return known.clone();
        }
        let (source, function) = self.graph.get(id).filter(|(_, function)| function.has_body)?;
        // A chain of helpers may be of any length.
        if self.handing > MAX_CALL_DEPTH {
            return None;
        }
        // A helper that passes its closure on to itself may call it any number of times. A decorator passes it on to another.
        let again = function.implements.is_none().then(|| {
            let why = format!("`{}` calls itself", function.path);
            Bound { upper: Upper::Unbounded { why, place: function.place.clone() }, ..Bound::default() }
        });
        self.times.insert((id, parameter), again);
        let mut calls = OfParameter { bounder: self, id, parameter };
        calls.bounder.handing += 1;
        let bound = bounds::bound(&function.flow, &source.scan.sites, &mut calls);
        self.handing -= 1;
        // A closure that is stored, or passed to an unknown function, may be called at any time.
        let is_known = bound.upper != Upper::Finite(0) && bound.unknown.is_empty();
        let known = is_known.then_some(bound);
        self.times.insert((id, parameter), known.clone());
        known
    }

    fn target(&mut self, from: FunctionId, id: FunctionId, call: &CallRef) -> Called {
        let graph: &CallGraph<'a> = self.graph;
        let Some((_, function)) = graph.get(id).filter(|(_, function)| function.has_body) else {
            return Called::Unknown;
        };
        if graph.is_recursion(from, id) && self.passes_on(from, id, call) {
            return Called::Nothing;
        }
        if graph.is_recursion(from, id) {
            if !graph.queries(id) {
                return Called::Nothing;
            }
            // What it wraps may be any other that implements the trait, so it ends, after a number of calls that no source tells.
            if self.delegates(from, id, call) {
                return Called::Known { lower: 0, upper: Upper::Finite(0), unknown: true };
            }
            let why = format!("`{}` calls itself ({})", function.path, crate::rust::RECURSION);
            let upper = Upper::Unbounded { why, place: call.place.clone() };
            let again = self.open.contains(&id) || self.open.len() > MAX_CALL_DEPTH;
            let lower = if again || !call.awaited { 0 } else { self.bound(id).map_or(0, |it| it.lower) };
            return Called::Known { lower, upper, unknown: false };
        }
        let budget = function.budget.as_ref().and_then(|budget| budget.max.as_ref()?.literal());
        if let Some(max) = budget {
            return Called::Known { lower: 0, upper: Upper::Finite(max), unknown: false };
        }
        if self.open.len() > MAX_CALL_DEPTH {
            return Called::Unknown;
        }
        let Some(bound) = self.bound(id) else { return Called::Nothing };
        // A future that is not awaited here may never run.
        let lower = if call.awaited || !function.is_async { bound.lower } else { 0 };
        let unknown = !bound.unknown.is_empty()
            || bound.given.iter().any(|(parameter, _)| !call.code.contains(parameter));
        // What is made here may be dropped after this function has returned.
        if function.name == "drop" && function.implements("Drop") {
            let unknown = unknown || bound.upper != Upper::Finite(0);
            return Called::Known { lower: 0, upper: Upper::Finite(0), unknown };
        }
        Called::Known { lower, upper: bound.upper.clone(), unknown }
    }
}

impl Bounder<'_, '_> {
    /// Whether a trait method calls that of what it wraps, which may be of another type.
    fn delegates(&self, from: FunctionId, to: FunctionId, call: &CallRef) -> bool {
        let Callee::Method { on, .. } = &call.callee else { return false };
        let is_of_trait = |id: FunctionId| {
            let function = self.graph.get(id).map(|(_, function)| function);
            function.is_some_and(|it| it.implements.is_some() && it.name == call.callee.name())
        };
        let targets = self.graph.targets(from.source, call);
        let ends = targets.iter().any(|target| !self.graph.is_recursion(from, *target));
        ends && *on != TypeRef::SelfType && is_of_trait(from) && is_of_trait(to)
    }

    /// Whether a trait method that calls the same method on a field (a decorator) adds no queries: each implementation runs at
    /// most one query or delegates, and the innermost one delegates to nobody.
    fn passes_on(&self, from: FunctionId, to: FunctionId, call: &CallRef) -> bool {
        let targets = self.graph.targets(from.source, call);
        let is_of_traits = targets.iter().any(|target| !self.graph.is_recursion(from, *target));
        let is_one = |id: FunctionId| {
            let Some((source, function)) = self.graph.get(id) else { return false };
            let is_it = function.implements.is_some() && function.name == call.callee.name();
            let mut once = |call: &CallRef| {
                let targets = self.graph.targets(id.source, call);
                match targets.iter().any(|target| self.graph.queries(*target)) {
                    true => Called::Known { lower: 0, upper: Upper::Finite(1), unknown: false },
                    false => Called::Nothing,
                }
            };
            // What one of several calls runs is not one query alone.
            let bound = bounds::bound(&function.flow, &source.scan.sites, &mut once);
            // What calls a closure may do so several times.
            is_it && !bound.upper.exceeds(1) && bound.unknown.is_empty()
        };
        is_of_traits && is_one(from) && is_one(to)
    }
}

/// The calls of a function whose bounds are being computed.
struct InFunction<'b, 'g, 'a> {
    bounder: &'b mut Bounder<'g, 'a>,
    id: FunctionId,
    function: &'b Function,
}

impl Calls for InFunction<'_, '_, '_> {
    fn called(&mut self, call: &CallRef) -> Called {
        self.bounder.called(self.id, self.function, call)
    }

    fn times(&mut self, call: usize, parameter: usize) -> Option<Bound> {
        self.bounder.times(self.id, call, parameter)
    }

    fn finds(&self, call: usize) -> bool {
        !self.bounder.graph.targets_of(self.id.source, call).is_empty()
    }

    fn given(&self, parameter: usize) -> Option<Step> {
        if !(self.bounder.blocks || self.function.awaits.contains(&parameter)) {
            return None;
        }
        let inputs = self.function.inputs.iter();
        let name = inputs.filter(|(_, at)| *at == parameter).map(|(name, _)| name.clone()).next();
        let place = self.function.place.clone();
        Some(Step { place, what: name.unwrap_or_default(), queries: None, loops: Vec::new() })
    }

    fn stores(&self, call: usize, parameter: usize) -> bool {
        let graph = self.bounder.graph;
        graph
            .targets_of(self.id.source, call)
            .iter()
            .any(|target| graph.kept.contains_key(&(*target, parameter)))
    }
}

/// The calls of a function, counting only those of one of its parameters.
struct OfParameter<'b, 'g, 'a> {
    bounder: &'b mut Bounder<'g, 'a>,
    id: FunctionId,
    parameter: usize,
}

impl Calls for OfParameter<'_, '_, '_> {
    fn called(&mut self, _: &CallRef) -> Called {
        Called::Nothing
    }

    fn times(&mut self, call: usize, parameter: usize) -> Option<Bound> {
        self.bounder.times(self.id, call, parameter)
    }

    fn finds(&self, call: usize) -> bool {
        !self.bounder.graph.targets_of(self.id.source, call).is_empty()
    }

    fn parameter(&self, parameter: usize) -> u64 {
        u64::from(parameter == self.parameter)
    }

    fn query(&self) -> u64 {
        0
    }
}

/// Merges two alternatives.
fn either(a: Called, b: Called) -> Called {
    let parts = |called| match called {
        Called::Nothing => (0, Upper::Finite(0), false),
        Called::Unknown => (0, Upper::Finite(0), true),
        Called::Known { lower, upper, unknown } => (lower, upper, unknown),
    };
    let ((lower, upper, unknown), (other_lower, other_upper, other_unknown)) = (parts(a), parts(b));
    let upper = match (upper, other_upper) {
        (Upper::Finite(a), Upper::Finite(b)) => Upper::Finite(a.max(b)),
        (unbounded @ Upper::Unbounded { .. }, _) | (_, unbounded) => unbounded,
    };
    Called::Known { lower: lower.min(other_lower), upper, unknown: unknown || other_unknown }
}

/// Whether an unresolved call surely runs no query, or so probably that reporting it as unknown would drown
/// what matters: it is not awaited, or it waits for something other than a database. A name alone says so only where the project
/// does not use it for something else.
fn is_known_harmless(call: &CallRef, may_query: impl FnOnce() -> bool) -> bool {
    if !call.awaited {
        return true;
    }
    let awaits_connection = |name: &str| name == "get" && call.written.ends_with("pool.get");
    if let Callee::Method { name, on } = &call.callee
        && (drivers::is_harmless(on, name) || awaits_connection(name))
    {
        return true;
    }
    let is_named_harmless = matches!(yields(call.callee.name()), Some(Yields::Wait | Yields::Locked))
        || matches!(
            call.callee.name(),
            "sleep_until"
                | "send"
                | "transaction"
                | "savepoint"
                | "spawn_blocking"
                | "cancelled"
                | "changed"
                | "accept"
                | "flush"
                | "read_to_string"
                | "text"
                | "json"
                | "bytes"
        );
    is_named_harmless && !may_query()
}
