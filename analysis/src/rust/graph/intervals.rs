//! The bounds of all functions of some sources: calls are followed through the call graph, a budgeted function counts as
//! its budget, and what cannot be followed is said to be unknown.

use super::bounds::{self, Called};
use super::calls::CallGraph;
use crate::rust::flow::{CallRef, Callee};
use crate::rust::function::{Bound, Function, Upper};
use crate::rust::source::{FunctionId, Source};

/// How many calls deep bounds are followed.
const DEEPEST: usize = 64;

/// The bound of each function, by source and position.
pub(in crate::rust) fn intervals(graph: &CallGraph<'_>) -> Vec<Vec<Bound>> {
    let sources = graph.sources();
    let known = sources.iter().map(|source| vec![None; source.scan.functions.len()]).collect();
    let mut bounder = Bounder { graph, known, open: Vec::new() };
    let mut of = |(source, file): (usize, &&Source)| -> Vec<Bound> {
        let functions = 0..file.scan.functions.len();
        functions.map(|function| bounder.bound(FunctionId { source, function })).collect()
    };
    sources.iter().enumerate().map(&mut of).collect()
}

struct Bounder<'g, 'a> {
    graph: &'g CallGraph<'a>,
    known: Vec<Vec<Option<Bound>>>,
    /// The functions whose bounds are being computed.
    open: Vec<FunctionId>,
}

impl<'a> Bounder<'_, 'a> {
    fn bound(&mut self, id: FunctionId) -> Bound {
        if let Some(Some(bound)) = self.known.get(id.source).and_then(|known| known.get(id.function)) {
            return bound.clone();
        }
        let Some((source, function)) = self.graph.get(id) else { return Bound::default() };
        self.open.push(id);
        let bound =
            bounds::bound(&function.flow, &source.scan.sites, &mut |call| self.called(id, function, call));
        self.open.pop();
        // What was computed inside a cycle holds for the function at which the cycle was entered only.
        if let Some(known) = self.known.get_mut(id.source).and_then(|known| known.get_mut(id.function)) {
            *known = Some(bound.clone());
        }
        bound
    }

    /// What a call runs: the least and the most of all that it can mean.
    fn called(&mut self, from: FunctionId, caller: &Function, call: &CallRef) -> Called {
        let mut targets = self.graph.targets(from.source, call).to_vec();
        // Tests stand in for what they test: what they replace is meant outside of them.
        if !caller.in_test {
            let is_real = |id: &FunctionId| self.graph.get(*id).is_some_and(|(_, it)| !it.in_test);
            targets.retain(is_real);
        }
        let known = targets.into_iter().map(|target| self.target(target, call)).reduce(either);
        match known {
            Some(known) => known,
            None if is_known_harmless(call) => Called::Nothing,
            None => Called::Unknown,
        }
    }

    fn target(&mut self, id: FunctionId, call: &CallRef) -> Called {
        let graph: &CallGraph<'a> = self.graph;
        let Some((_, function)) = graph.get(id).filter(|(_, function)| function.has_body) else {
            return Called::Unknown;
        };
        let budget = function.budget.as_ref().and_then(|budget| budget.max.as_ref()?.literal());
        if let Some(max) = budget {
            return Called::Known { lower: 0, upper: Upper::Finite(max), unknown: false };
        }
        if self.open.contains(&id) {
            if !graph.queries(id) {
                return Called::Nothing;
            }
            let why = format!("`{}` calls itself", function.path);
            let upper = Upper::Unbounded { why, place: call.place.clone() };
            return Called::Known { lower: 0, upper, unknown: false };
        }
        if self.open.len() > DEEPEST {
            return Called::Unknown;
        }
        let bound = self.bound(id);
        // A future that is not awaited here may never be.
        let lower = if call.awaited || !function.is_async { bound.lower } else { 0 };
        Called::Known { lower, upper: bound.upper, unknown: !bound.unknown.is_empty() }
    }
}

/// One or the other.
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

/// Whether a call whose function is not known is sure to run no query, or so likely that saying "unknown" would
/// bury what matters: what is not awaited, and what waits for something other than a database.
fn is_known_harmless(call: &CallRef) -> bool {
    if !call.awaited {
        return true;
    }
    let name = match &call.callee {
        Callee::Path(path) => path.last().map(String::as_str).unwrap_or_default(),
        Callee::SelfMethod(name) | Callee::Method { name, .. } => name,
    };
    matches!(
        name,
        "sleep"
            | "sleep_until"
            | "tick"
            | "recv"
            | "send"
            | "lock"
            | "read"
            | "write"
            | "acquire"
            | "begin"
            | "commit"
            | "rollback"
            | "notified"
            | "join_all"
            | "try_join_all"
            | "spawn"
            | "spawn_blocking"
            | "yield_now"
            | "next"
            | "try_next"
            | "collect"
            | "try_collect"
            | "timeout"
            | "cancelled"
            | "changed"
            | "accept"
            | "flush"
            | "read_to_string"
            | "text"
            | "json"
            | "bytes"
    )
}
