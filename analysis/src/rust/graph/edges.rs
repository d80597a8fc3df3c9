//! The call tree of a workspace: calls of functions that reach a query.

use super::calls::CallGraph;
use crate::finding::Place;
use crate::rust::site::Loop;
use crate::rust::source::FunctionId;

/// A call of a function that reaches a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallEdge {
    /// The function that is called.
    pub to: FunctionId,
    /// Where it is called.
    pub place: Place,
    /// The innermost loop over data around the call; `None` outside of one.
    pub around: Option<Loop>,
}

impl CallGraph<'_> {
    /// The calls of every function, by source and position, in source order. A function called several times
    /// occurs once, preferably for a call in a loop.
    pub(in crate::rust) fn edges(&self) -> Vec<Vec<Vec<CallEdge>>> {
        let sources = self.sources().iter().enumerate();
        sources
            .map(|(source, file)| {
                let functions = 0..file.scan.functions.len();
                functions.map(|function| self.edges_of(FunctionId { source, function })).collect()
            })
            .collect()
    }

    fn edges_of(&self, from: FunctionId) -> Vec<CallEdge> {
        let mut edges: Vec<CallEdge> = Vec::new();
        let Some((_, function)) = self.get(from) else { return edges };
        for call in function.flow.calls() {
            let around = call.loops.iter().rfind(|around| around.exempt.is_none());
            for to in self.targets(from.source, call) {
                let is_real = self.get(*to).is_some_and(|(_, called)| function.in_test || !called.in_test);
                if !is_real || !self.queries(*to) {
                    continue;
                }
                let edge = CallEdge { to: *to, place: call.place.clone(), around: around.cloned() };
                match edges.iter_mut().find(|known| known.to == *to) {
                    Some(known) if known.around.is_none() && edge.around.is_some() => *known = edge,
                    Some(_) => {}
                    None => edges.push(edge),
                }
            }
        }
        edges
    }
}
