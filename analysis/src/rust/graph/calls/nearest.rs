//! The nearest query that a function leads to, and the calls on the way.

use std::collections::{HashMap, HashSet};

use super::{CallGraph, Link, first_query, link};
use crate::rust::flow::{CallRef, Flow};
use crate::rust::function::Function;
use crate::rust::site::{Form, LoopKind, Site};
use crate::rust::source::{FunctionId, SourceFile};
use crate::rust::walk::purpose;
use crate::sql::Dialect;

/// The maximum number of calls between a function and a query that is looked for.
const MAX_CALL_DEPTH: usize = 12;

/// The maximum number of calls to a query for a loop to be reported: beyond that, each element triggers a
/// larger piece of work, which no single query could replace.
const FARTHEST: usize = 3;

impl<'a> CallGraph<'a> {
    /// The chain from a call of one of these functions to its query, if it probably reaches one within a few
    /// calls.
    pub(in crate::rust::graph) fn chain(
        &self,
        function: &Function,
        call: &CallRef,
        targets: &[FunctionId],
    ) -> Option<Vec<Link>> {
        let target = self
            .nearest_target(targets)
            .filter(|target| self.nearest.get(target).is_some_and(|(distance, _)| *distance <= FARTHEST))?;
        let querying = targets.iter().filter(|target| self.queries(**target)).count();
        // If the call may resolve to several functions, at least half of them have to query.
        if querying * 2 < targets.len() {
            return None;
        }
        let mut chain = vec![link(call, function)];
        self.follow(target, &mut chain);
        Some(chain)
    }

    /// The query that a function reaches first, with the function that runs it; `step` gets each call on the way, with the
    /// function that makes it.
    pub(in crate::rust::graph) fn walk_to_query(
        &self,
        from: FunctionId,
        mut step: impl FnMut(FunctionId, &'a CallRef),
    ) -> Option<(FunctionId, &'a Site)> {
        let mut at = from;
        // Each call is nearer to the query than the one before.
        while let Some((call, target)) = self.nearest.get(&at)?.1 {
            step(at, call);
            at = target;
        }
        let (source, function) = self.get(at)?;
        let site = first_query(&function.flow, &source.scan.sites)?;
        Some((at, source.scan.sites.get(site)?))
    }

    /// The function that runs a query soonest, among those that a call may mean.
    pub(in crate::rust::graph) fn nearest_target(&self, targets: &[FunctionId]) -> Option<FunctionId> {
        let reached = targets.iter().filter_map(|target| Some((self.nearest.get(target)?.0, *target)));
        reached.min_by_key(|(distance, _)| *distance).map(|(_, target)| target)
    }

    /// The dialect of the query that a call of one of these functions reaches first: by the type of its connection, or by the one
    /// database whose driver its file uses.
    pub(super) fn dialect_at_end(&self, targets: &[FunctionId]) -> Option<Dialect> {
        let (at, site) = self.walk_to_query(self.nearest_target(targets)?, |_, _| {})?;
        let of_file = || {
            let (source, _) = self.get(at).filter(|_| site.form == Form::Driver)?;
            Dialect::only_of(&source.scan.databases.of_drivers)
        };
        site.dialect().or_else(of_file)
    }

    /// Whether a function only makes a query of a text that is passed to it.
    pub(super) fn only_makes(&self, function: FunctionId) -> bool {
        let Some((source, function)) = self.get(function) else { return false };
        let site = first_query(&function.flow, &source.scan.sites).and_then(|at| source.scan.sites.get(at));
        function.flow.calls().next().is_none() && site.is_some_and(Site::is_only_made)
    }

    /// Finds which functions reach a query, and the nearest one that is about rows.
    pub(super) fn find_nearest(&mut self) {
        let runs = |source: &SourceFile, function: &Function| {
            first_query(&function.flow, &source.scan.sites).is_some()
        };
        self.nearest = self.nearest_of(&runs, &|call| !call.rare);
        self.querying = self.nearest_of(&runs, &|_| true).into_keys().collect();
        let has_session = |source: &&SourceFile| source.scan.sites.iter().any(Site::is_of_session);
        if self.sources.iter().any(has_session) {
            self.querying
                .extend(self.nearest_of(&|_, function| function.flow.has_query(), &|_| true).into_keys());
        }
    }

    /// Searches breadth first from functions that query to their callers, so that the shortest chain is
    /// shown.
    pub(super) fn nearest_of(
        &self,
        begins: &dyn Fn(&SourceFile, &Function) -> bool,
        counts: &dyn Fn(&CallRef) -> bool,
    ) -> HashMap<FunctionId, Nearest<'a>> {
        let mut nearest = HashMap::new();
        let mut callers: HashMap<FunctionId, Vec<(FunctionId, &'a CallRef)>> = HashMap::new();
        let mut layer = Vec::new();
        for id in self.functions() {
            let Some((source, function)) = self.get(id) else { continue };
            if begins(source, function) {
                nearest.insert(id, (0, None));
                layer.push(id);
            }
            let mut seen = HashSet::new();
            for call in function.flow.calls() {
                if call.batched || !counts(call) {
                    continue;
                }
                for &target in self.targets(id.source, call) {
                    if seen.insert(target) {
                        callers.entry(target).or_default().push((id, call));
                    }
                }
            }
        }
        for distance in 1..=MAX_CALL_DEPTH {
            let mut next = Vec::new();
            for target in layer {
                // A cache queries on a miss, not on each call, and a service when there is work.
                if self.is_cache(target) || self.get(target).is_some_and(|(_, it)| serves(&it.flow)) {
                    continue;
                }
                for (caller, call) in callers.get(&target).into_iter().flatten() {
                    if !nearest.contains_key(caller) {
                        nearest.insert(*caller, (distance, Some((*call, target))));
                        next.push(*caller);
                    }
                }
            }
            layer = next;
        }
        nearest
    }

    /// Whether a function reads from a cache. What it looks in and fills by functions of the workspace that query is none.
    pub(in crate::rust::graph) fn is_cache(&self, id: FunctionId) -> bool {
        self.get(id).is_some_and(|(_, function)| is_cache(function) && !self.keeps_in_database(id, function))
    }

    fn keeps_in_database(&self, id: FunctionId, function: &Function) -> bool {
        let on = |names: &[&str]| -> HashSet<&str> {
            let runs = |target: &FunctionId| self.get(*target).is_some_and(|(_, it)| it.flow.has_query());
            let calls = function.flow.calls().filter(|call| names.contains(&call.callee.name()));
            let querying = calls.filter(|call| self.targets(id.source, call).iter().any(runs));
            querying.filter_map(|call| Some(call.written.rsplit_once('.')?.0)).collect()
        };
        !on(&["find", "get", "get_mut", "lookup", "peek"])
            .is_disjoint(&on(&["add", "insert", "put", "set", "store"]))
    }

    /// Appends the chain from a function to its nearest query.
    pub(super) fn follow(&self, from: FunctionId, chain: &mut Vec<Link>) {
        let function = |id: FunctionId| self.get(id).map(|(_, function)| function);
        let end = self.walk_to_query(from, |at, call| chain.extend(function(at).map(|it| link(call, it))));
        chain.extend(end.and_then(|(at, site)| Some(Link::of(site, function(at)?))));
    }
}

/// The distance of a function's nearest query in calls, and the call to follow.
pub(super) type Nearest<'a> = (usize, Option<(&'a CallRef, FunctionId)>);

/// Whether a function reads from a cache, judging by its body or the name of its type.
fn is_cache(function: &Function) -> bool {
    if function.is_cached {
        return true;
    }
    let reads = ["get", "lookup", "fetch", "resolve", "find", "load"];
    let of_cache = function.self_type.as_ref().is_some_and(|name| name.contains("Cache"));
    of_cache && reads.iter().any(|read| function.name.starts_with(read))
}

/// Whether a function is a service: it never ends, and queries when there is work.
pub(super) fn serves(flow: &Flow) -> bool {
    match flow {
        Flow::Seq(parts) => parts.iter().any(serves),
        Flow::Loop(inner) => inner.head.exempt == Some(purpose::SERVICE) && inner.head.kind != LoopKind::For,
        Flow::Scope(inner) | Flow::Block(inner) => serves(inner),
        _ => false,
    }
}
