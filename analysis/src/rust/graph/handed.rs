//! Closures that query, passed to a function of the workspace that calls them in a loop.

use super::calls::{CallGraph, Link, LoopCall, first_query, link};
use crate::rust::flow::{CallRef, Flow, Handed};
use crate::rust::site::Loop;
use crate::rust::source::FunctionId;

/// The maximum number of helpers that pass a closure on.
const DEEPEST: usize = 8;

impl CallGraph<'_> {
    /// The calls of a function that pass a closure which queries, to a function that calls it in a loop over
    /// data.
    pub(super) fn looping_helpers(&self, caller: FunctionId) -> Vec<LoopCall> {
        let Some((_, function)) = self.get(caller) else { return Vec::new() };
        let mut handed = Vec::new();
        each_handed(&function.flow, &mut handed);
        let mut found = Vec::new();
        for handed in handed {
            let Some(call) = handed.call.and_then(|number| call_of(&function.flow, number)) else { continue };
            let targets = self.targets(caller.source, &call);
            let around =
                targets.iter().find_map(|target| self.loop_around_parameter(*target, handed.parameter, 0));
            let (Some(around), Some(rest)) = (around, self.to_query(caller, &handed.body)) else { continue };
            let mut chain = vec![link(&call, function)];
            chain.extend(rest);
            let candidates = targets.len();
            let (aside, varies) = (None, true);
            found.push(LoopCall { caller, candidates, call, around, chain, aside, varies });
        }
        found
    }

    /// The loop over data in which a function calls one of its parameters.
    fn loop_around_parameter(&self, id: FunctionId, parameter: usize, depth: usize) -> Option<Loop> {
        let (_, function) = self.get(id).filter(|_| depth < DEEPEST)?;
        self.loop_in(id, &function.flow, parameter, None, depth)
    }

    fn loop_in(
        &self,
        id: FunctionId,
        flow: &Flow,
        parameter: usize,
        around: Option<&Loop>,
        depth: usize,
    ) -> Option<Loop> {
        match flow {
            Flow::Parameter(called) => around.filter(|_| *called == parameter).cloned(),
            Flow::Seq(parts) | Flow::Branch(parts) => {
                parts.iter().find_map(|part| self.loop_in(id, part, parameter, around, depth))
            }
            Flow::Loop(inner) => {
                let around = Some(&inner.head).filter(|head| head.exempt.is_none()).or(around);
                self.loop_in(id, &inner.body, parameter, around, depth)
            }
            Flow::Scope(inner) | Flow::Block(inner) => self.loop_in(id, inner, parameter, around, depth),
            Flow::Handed(handed) => {
                let inside = self.loop_in(id, &handed.body, parameter, around, depth);
                inside.or_else(|| {
                    let targets = self.targets_of(id.source, handed.call.filter(|_| has(handed, parameter))?);
                    targets
                        .iter()
                        .find_map(|target| self.loop_around_parameter(*target, handed.parameter, depth + 1))
                })
            }
            _ => None,
        }
    }

    /// The chain from the body of a closure to its query.
    fn to_query(&self, caller: FunctionId, body: &Flow) -> Option<Vec<Link>> {
        let (source, function) = self.get(caller)?;
        if let Some(site) = first_query(body, &source.scan.sites).and_then(|site| source.scan.sites.get(site))
        {
            // A query in a loop of the closure's own is reported there.
            let is_said = site.in_test || site.loops.iter().any(|around| around.exempt.is_none());
            return (!is_said).then(|| vec![Link::of(site, function)]);
        }
        let mut found = None;
        body.each_call(&mut |call| {
            let is_said = call.batched || call.loops.iter().any(|around| around.exempt.is_none());
            if found.is_none() && !is_said {
                found = self.chain(function, call, self.targets(caller.source, call));
            }
        });
        found
    }
}

/// Whether a closure calls a parameter of the enclosing function.
fn has(handed: &Handed, parameter: usize) -> bool {
    fn calls(flow: &Flow, parameter: usize) -> bool {
        match flow {
            Flow::Parameter(called) => *called == parameter,
            Flow::Seq(parts) | Flow::Branch(parts) => parts.iter().any(|part| calls(part, parameter)),
            Flow::Loop(inner) => calls(&inner.body, parameter),
            Flow::Scope(inner) | Flow::Block(inner) => calls(inner, parameter),
            Flow::Handed(handed) => calls(&handed.body, parameter),
            _ => false,
        }
    }
    calls(&handed.body, parameter)
}

fn each_handed<'f>(flow: &'f Flow, found: &mut Vec<&'f Handed>) {
    match flow {
        Flow::Seq(parts) | Flow::Branch(parts) => parts.iter().for_each(|part| each_handed(part, found)),
        Flow::Loop(inner) => each_handed(&inner.body, found),
        Flow::Scope(inner) | Flow::Block(inner) => each_handed(inner, found),
        Flow::Handed(handed) => {
            found.push(handed);
            each_handed(&handed.body, found);
        }
        _ => {}
    }
}

fn call_of(flow: &Flow, number: usize) -> Option<CallRef> {
    let mut found = None;
    flow.each_call(&mut |call| {
        if call.number == number {
            found = Some(call.clone());
        }
    });
    found
}
