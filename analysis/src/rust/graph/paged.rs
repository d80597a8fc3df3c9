//! Functions that are called page by page: a loop around the call advances one of its arguments.

use std::collections::HashSet;

use super::calls::CallGraph;
use crate::rust::flow::CallRef;
use crate::rust::source::{FunctionId, SiteFact};

impl CallGraph<'_> {
    /// The queries of functions that are called page by page, by source.
    pub(in crate::rust) fn paged_sites(&self) -> Vec<Vec<(usize, SiteFact)>> {
        let mut found = vec![Vec::new(); self.sources().len()];
        for id in self.paged() {
            let (Some((_, function)), Some(of_source)) = (self.get(id), found.get_mut(id.source)) else {
                continue;
            };
            of_source.extend(function.flow.queries().map(|site| (site, SiteFact::Paged)));
        }
        found
    }

    fn paged(&self) -> HashSet<FunctionId> {
        let mut paged = HashSet::new();
        let mut open = Vec::new();
        let mut note = |source: usize, call: &CallRef, open: &mut Vec<FunctionId>| {
            let targets = self.targets(source, call).iter().copied();
            open.extend(targets.filter(|target| self.queries(*target) && paged.insert(*target)));
        };
        for caller in self.all_functions() {
            let Some((_, function)) = self.get(caller).filter(|(_, it)| !it.in_test) else { continue };
            for call in function.flow.calls() {
                if call.loops.iter().any(|around| is_given(call, &around.advances)) {
                    note(caller.source, call, &mut open);
                }
            }
        }
        // A function may pass its arguments on to those that it calls.
        while let Some(id) = open.pop() {
            let Some((_, function)) = self.get(id) else { continue };
            for call in function.flow.calls() {
                if is_given(call, &function.kept) {
                    note(id.source, call, &mut open);
                }
            }
        }
        paged
    }
}

/// Whether one of these variables is passed to a call.
fn is_given(call: &CallRef, names: &[String]) -> bool {
    call.given.iter().flatten().any(|given| names.contains(given))
}
