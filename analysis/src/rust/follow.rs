//! The calls of a workspace, followed: which of those in loops come to a query, and how many queries each function runs.

use super::calls::{CallGraph, LoopCall, Source};
use super::function::Bound;
use super::guard;
use super::intervals::intervals;

/// What following all calls tells.
#[derive(Debug, Default)]
pub struct Followed {
    /// The bound of each function, by source and position.
    pub bounds: Vec<Vec<Bound>>,
    /// The calls in loops over data that come to a query.
    pub loop_calls: Vec<LoopCall>,
}

/// Follows the calls in all sources, on a thread of its own, for its stack. Nothing is found where that thread gives up.
pub fn follow(sources: &[&Source]) -> Followed {
    let followed = guard::on_own_thread("calls", || {
        let graph = CallGraph::new(sources.to_vec());
        Followed { bounds: intervals(&graph), loop_calls: graph.querying_calls_in_loops() }
    });
    followed.unwrap_or_default()
}
