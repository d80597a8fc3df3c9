//! The calls of a workspace, followed: which of those in loops reach a query, and how many queries each function runs.

use std::sync::Arc;

use super::calls::{CallGraph, LoopCall};
use super::edges::CallEdge;
use super::intervals::intervals;
use crate::rust::function::Bound;
use crate::rust::lex::guard;
use crate::rust::source::{FunctionId, Scan, Source};

/// What following all calls tells.
#[derive(Debug, Default)]
pub struct Followed {
    /// The bound of each function, by source and position.
    pub bounds: Vec<Vec<Bound>>,
    /// The calls in loops over data that reach a query.
    pub loop_calls: Vec<LoopCall>,
    /// Which function calls which, as far as calls can be followed: the caller, and what it may mean.
    pub calls: Vec<(FunctionId, FunctionId)>,
    /// The calls of each function to functions that reach a query, by source and position.
    pub edges: Vec<Vec<Vec<CallEdge>>>,
}

/// Follows the calls in all sources, on a thread of its own, for its stack. Nothing is found where that thread gives up.
pub fn follow(sources: &[&Source]) -> Followed {
    let followed = guard::on_own_thread("calls", || {
        let graph = CallGraph::new(sources.to_vec());
        Followed {
            bounds: intervals(&graph),
            loop_calls: graph.querying_calls_in_loops(),
            calls: graph.all_calls(),
            edges: graph.edges(),
        }
    });
    followed.unwrap_or_default()
}

impl Scan {
    /// The same with the bounds of its functions, and its calls in loops that reach a query, as far as the file itself
    /// tells.
    pub fn follow_alone(self) -> (Scan, Vec<LoopCall>) {
        // It may be any module of its crate, and what stands in the others is not seen.
        let module = vec![String::new()];
        let mut source = Source { crate_name: String::new(), externs: Arc::default(), module, scan: self };
        let mut followed = follow(&[&source]);
        source.set_bounds(followed.bounds.pop().unwrap_or_default());
        (source.scan, followed.loop_calls)
    }
}
