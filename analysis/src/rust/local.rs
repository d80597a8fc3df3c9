//! Calls inside one file, followed where Rust's rules leave no doubt, and the bounds of the functions they join.

use std::collections::HashMap;

use super::bounds::{self, Called};
use super::flow::{CallRef, Callee};
use super::function::{Bound, Function, Upper};
use super::site::Site;

/// How many calls deep bounds are followed inside a file.
const DEEPEST: usize = 64;

/// Computes the bounds of all functions of a file.
pub(super) fn bound_all(functions: &mut [Function], sites: &[Site]) {
    let index = Index::new(functions);
    let queries = querying(functions, &index);
    let known = vec![None; functions.len()];
    let mut bounder = Bounder { functions, sites, index: &index, known, queries, open: Vec::new() };
    let bounds: Vec<Bound> = (0..functions.len()).map(|function| bounder.bound(function)).collect();
    for (function, bound) in functions.iter_mut().zip(bounds) {
        function.bound = bound;
    }
}

/// The functions of a file by path; those that share one (behind `cfg`) are not told apart and stand for nothing.
struct Index {
    by_path: HashMap<String, Option<usize>>,
}

impl Index {
    fn new(functions: &[Function]) -> Index {
        let mut by_path: HashMap<String, Option<usize>> = HashMap::new();
        for (index, function) in functions.iter().enumerate() {
            by_path.entry(function.path.to_string()).and_modify(|known| *known = None).or_insert(Some(index));
        }
        Index { by_path }
    }

    fn get(&self, path: &[&str]) -> Option<usize> {
        self.by_path.get(&path.join("::")).copied().flatten()
    }

    /// The function that a call means, seen from a function of the same file.
    fn resolve(&self, from: &Function, callee: &Callee) -> Option<usize> {
        let module: Vec<&str> = from.module.iter().map(String::as_str).collect();
        let with = |module: &[&str], rest: &[&str]| self.get(&[module, rest].concat());
        match callee {
            Callee::SelfMethod(name) => with(&module, &[from.self_type.as_deref()?, name]),
            Callee::Method { .. } => None,
            Callee::Path(path) => {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                match path.as_slice() {
                    ["Self", name] => with(&module, &[from.self_type.as_deref()?, name]),
                    ["self", rest @ ..] => with(&module, rest),
                    ["super", rest @ ..] => with(module.split_last()?.1, rest),
                    ["crate", ..] => None,
                    // A function inside the function at hand comes first.
                    rest => self.get(&[&[&*from.path], rest].concat()).or_else(|| with(&module, rest)),
                }
            }
        }
    }
}

/// Which functions run a query, by themselves or through others of the file.
fn querying(functions: &[Function], index: &Index) -> Vec<bool> {
    let mut callers: Vec<Vec<usize>> = vec![Vec::new(); functions.len()];
    for (caller, function) in functions.iter().enumerate() {
        function.flow.each_call(&mut |call| {
            let target = index.resolve(function, &call.callee);
            if let Some(callers) = target.and_then(|target| callers.get_mut(target)) {
                callers.push(caller);
            }
        });
    }
    let mut queries: Vec<bool> = functions.iter().map(|function| function.flow.has_query()).collect();
    let mut new: Vec<usize> = (0..functions.len()).filter(|&function| queries[function]).collect();
    while let Some(function) = new.pop() {
        for &caller in &callers[function] {
            if !std::mem::replace(&mut queries[caller], true) {
                new.push(caller);
            }
        }
    }
    queries
}

struct Bounder<'a> {
    functions: &'a [Function],
    sites: &'a [Site],
    index: &'a Index,
    known: Vec<Option<Bound>>,
    /// Which functions run a query, by themselves or through others of the file.
    queries: Vec<bool>,
    /// The functions whose bounds are being computed.
    open: Vec<usize>,
}

impl Bounder<'_> {
    fn bound(&mut self, function: usize) -> Bound {
        if let Some(Some(bound)) = self.known.get(function) {
            return bound.clone();
        }
        let functions = self.functions;
        let Some(from) = functions.get(function) else { return Bound::default() };
        self.open.push(function);
        let bound = bounds::bound(&from.flow, self.sites, &mut |call| self.called(from, call));
        self.open.pop();
        // What was computed inside a cycle holds for the function at which the cycle was entered only.
        if let Some(known) = self.known.get_mut(function) {
            *known = Some(bound.clone());
        }
        bound
    }

    fn called(&mut self, from: &Function, call: &CallRef) -> Called {
        let functions = self.functions;
        let target = self.index.resolve(from, &call.callee);
        let Some((target, function)) = target.and_then(|target| Some((target, functions.get(target)?)))
        else {
            return if is_known_harmless(call) { Called::Nothing } else { Called::Unknown };
        };
        if !function.has_body {
            return Called::Unknown;
        }
        let budget = function.budget.as_ref().and_then(|budget| budget.max.as_ref()?.literal());
        if let Some(max) = budget {
            return Called::Known { lower: 0, upper: Upper::Finite(max) };
        }
        if self.open.contains(&target) {
            if !self.queries.get(target).copied().unwrap_or_default() {
                return Called::Nothing;
            }
            let why = format!("`{}` calls itself", function.path);
            return Called::Known { lower: 0, upper: Upper::Unbounded { why, place: call.place.clone() } };
        }
        if self.open.len() > DEEPEST {
            return Called::Unknown;
        }
        let bound = self.bound(target);
        Called::Known { lower: bound.lower, upper: bound.upper }
    }
}

/// Whether a call whose function is not in this file is sure to run no query, or so likely that saying "unknown" would
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
