//! Loops over tenants: a function that each iteration calls chooses the schema of a connection, so that the rest of the
//! iteration works on other tables than in the previous one.

use std::collections::HashSet;

use super::calls::CallGraph;
use super::turn::text_of;
use super::waits::QueryOrCall;
use crate::rust::flow::CallRef;
use crate::rust::site::{Loop, Site};
use crate::rust::source::FunctionId;

impl CallGraph<'_> {
    /// The functions that choose the schema of a connection by a value that they are given.
    pub(super) fn find_tenants(&self) -> HashSet<FunctionId> {
        let mut found = HashSet::new();
        for id in self.all_functions() {
            let Some((source, function)) = self.get(id) else { continue };
            let mut sites = function.flow.queries().filter_map(|at| source.scan.sites.get(at));
            if sites.any(chooses_schema) {
                found.insert(id);
            }
        }
        found
    }

    /// Whether each iteration of a loop around a step chooses a schema, by a call that is given something of the iteration.
    pub(super) fn enters_tenant(&self, id: FunctionId, around: &Loop, step: QueryOrCall) -> bool {
        if self.tenants.is_empty() {
            return false;
        }
        let body = self.body_of(id, around, step);
        let is_variable = |name: &String| around.elements.contains(name) || around.variables.contains(name);
        let is_of_turn =
            |call: &CallRef| call.given.as_ref().is_none_or(|given| given.iter().any(is_variable));
        let enters = |call: &CallRef| {
            let targets = self.targets(id.source, call);
            is_of_turn(call) && targets.iter().any(|target| self.tenants.contains(target))
        };
        body.is_some_and(|body| body.calls().any(enters))
    }
}

/// Whether a statement sets the path in which tables are looked up to one that is known only when it runs.
fn chooses_schema(site: &Site) -> bool {
    let Some(text) = text_of(site) else { return false };
    let is_given = site.built.is_some() || text.contains(['$', '?']);
    let first = text.split_whitespace().next().unwrap_or_default();
    let sets = ["set", "select"].iter().any(|word| first.eq_ignore_ascii_case(word));
    is_given && sets && text.to_ascii_lowercase().contains("search_path")
}
