//! Closures that are given to a cache of the project: what they run, runs only where the cache has nothing.

use std::collections::{HashMap, HashSet};

use super::calls::CallGraph;
use crate::rust::flow::Handed;
use crate::rust::source::{FunctionId, SiteFact};

impl CallGraph<'_> {
    /// The calls of a function, by number, that stand in a closure which is given to a cache.
    pub(super) fn kept_calls(&self, caller: FunctionId) -> HashSet<usize> {
        let kept = self.kept(caller);
        kept.into_iter().flat_map(|(handed, _)| handed.body.calls()).map(|call| call.number).collect()
    }

    /// The same of queries, by source: each with the number of loops around the call of the cache.
    pub(super) fn kept_sites(&self) -> Vec<Vec<(usize, SiteFact)>> {
        let mut found = vec![Vec::new(); self.sources().len()];
        for id in self.all_functions() {
            let Some(of_source) = found.get_mut(id.source) else { continue };
            for (handed, loops) in self.kept(id) {
                of_source.extend(handed.body.queries().map(|site| (site, SiteFact::Kept(loops))));
            }
        }
        found
    }

    /// The closures of a function that are given to a cache, each with the number of loops around the call.
    fn kept(&self, caller: FunctionId) -> Vec<(&Handed, usize)> {
        let Some((_, function)) = self.get(caller) else { return Vec::new() };
        let handed: Vec<&Handed> = function.flow.handed().collect();
        if handed.is_empty() {
            return Vec::new();
        }
        let loops: HashMap<usize, usize> =
            function.flow.calls().map(|call| (call.number, call.loops.len())).collect();
        let of_cache = |handed: &&Handed| {
            let targets = handed.call.map_or(&[][..], |call| self.targets_of(caller.source, call));
            let keeps = |id: &FunctionId| self.is_cache(*id);
            !targets.is_empty() && targets.iter().all(keeps)
        };
        let kept = handed.into_iter().filter(of_cache);
        kept.filter_map(|handed| Some((handed, *loops.get(&handed.call?)?))).collect()
    }
}
