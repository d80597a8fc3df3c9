//! Follows the calls of a workspace: which calls in loops reach a query, and how many queries each function
//! runs.

use std::sync::Arc;

use super::calls::{CallGraph, LoopCall};
use super::edges::CallEdge;
use super::intervals::intervals;
use crate::rust::function::Bound;
use crate::rust::lex::guard;
use crate::rust::source::{FunctionId, Scan, SiteFact, SourceFile};

/// The result of following all calls.
#[derive(Debug, Default)]
pub struct Followed {
    /// The bound of each function, by source and position.
    pub bounds: Vec<Vec<Bound>>,
    /// What is found out about queries, by source: the position of each with the fact.
    pub facts: Vec<Vec<(usize, SiteFact)>>,
    /// The calls in loops over data that reach a query.
    pub loop_calls: Vec<LoopCall>,
    /// The resolved calls: the caller, and a function that it may call.
    pub calls: Vec<(FunctionId, FunctionId)>,
    /// The calls from each function to functions that reach a query, by source and position.
    pub edges: Vec<Vec<Vec<CallEdge>>>,
}

/// Follows the calls in all sources on a thread with a large stack. The result is empty if that thread fails.
pub fn follow(sources: &[&SourceFile]) -> Followed {
    let followed = guard::on_own_thread("calls", || {
        let graph = CallGraph::new(sources.to_vec());
        Followed {
            bounds: intervals(&graph),
            facts: graph.facts_of_sites(),
            loop_calls: graph.querying_calls_in_loops(),
            calls: graph.all_calls(),
            edges: graph.edges(),
        }
    });
    followed.unwrap_or_default()
}

impl Scan {
    /// Adds the bounds of its functions, and returns its calls in loops that reach a query, both judging by
    /// this file alone.
    pub fn follow_alone(self) -> (Scan, Vec<LoopCall>) {
        // The file's module is unknown, and other modules are not visible.
        let module = vec![String::new()];
        let mut source =
            SourceFile { crate_name: String::new(), externs: Arc::default(), module, scan: self };
        let mut followed = follow(&[&source]);
        source.set_bounds(followed.bounds.pop().unwrap_or_default());
        source.set_facts(followed.facts.pop().unwrap_or_default());
        (source.scan, followed.loop_calls)
    }
}
