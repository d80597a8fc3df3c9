//! What runs once, while a service starts: the functions that `main` calls outside of endless loops, in a program that then
//! serves.

use std::collections::{HashMap, HashSet};

use super::calls::CallGraph;
use crate::rust::flow::{CallRef, Flow};
use crate::rust::function::Function;
use crate::rust::site::LoopKind;
use crate::rust::source::FunctionId;
use crate::rust::walk::purpose;

/// Why a loop in such a function is seldom worth a change, as a note.
pub(super) const WHY: &str = "it runs when the program starts, before it serves";

/// The names of calls by which a program begins to serve.
const SERVES: &[&str] = &[
    "launch",
    "listen",
    "run_until_stopped",
    "serve",
    "serve_with_incoming",
    "serve_with_shutdown",
    "start_server",
    "with_graceful_shutdown",
];

impl CallGraph<'_> {
    /// The functions that run only while a service starts.
    pub(super) fn find_start(&self) -> HashSet<FunctionId> {
        let mains: Vec<FunctionId> = self.all_functions().filter(|id| self.is_main(*id)).collect();
        let mut start = HashSet::new();
        let mut callers: HashMap<FunctionId, Vec<(FunctionId, bool)>> = HashMap::new();
        let mut unknown: HashSet<&str> = HashSet::new();
        if mains.is_empty() {
            return start;
        }
        for caller in self.all_functions() {
            let Some((_, function)) = self.get(caller) else { continue };
            each_call(&function.flow, true, &mut |call, is_once| {
                let targets = self.targets(caller.source, call);
                if targets.is_empty() {
                    unknown.insert(call.callee.name());
                }
                for target in targets {
                    callers.entry(*target).or_default().push((caller, is_once && targets.len() == 1));
                }
            });
        }
        // Each round adds the functions that the ones of the round before call.
        let mut open = mains.clone();
        start.extend(mains);
        while let Some(caller) = open.pop() {
            let Some((_, function)) = self.get(caller) else { continue };
            function.flow.each_call(&mut |call| {
                for target in self.targets(caller.source, call) {
                    let is_known = self.get(*target).is_some_and(|(_, it)| {
                        it.implements.is_none() && !it.in_test && !unknown.contains(it.name.as_str())
                    });
                    let all = callers.get(target).into_iter().flatten();
                    let is_start =
                        is_known && all.into_iter().all(|(by, is_once)| *is_once && start.contains(by));
                    if is_start && start.insert(*target) {
                        open.push(*target);
                    }
                }
            });
        }
        let serves =
            start.iter().any(|id| self.get(*id).is_some_and(|(_, function)| begins_to_serve(function)));
        // A program that ends when its work is done does that work there.
        if serves { start } else { HashSet::new() }
    }

    fn is_main(&self, id: FunctionId) -> bool {
        // Rocket starts a program at the function of this name.
        let is_main = |path: &str| matches!(path, "main" | "rocket");
        self.get(id).is_some_and(|(source, function)| {
            is_main(&function.path) && source.module.iter().all(String::is_empty)
        })
    }
}

/// Visits all calls, each with whether it is made at most once for each run of the code: in no endless loop, and in no
/// closure that others may call.
fn each_call<'f>(flow: &'f Flow, is_once: bool, visit: &mut impl FnMut(&'f CallRef, bool)) {
    match flow {
        Flow::Call(call) => visit(call, is_once),
        Flow::Seq(parts) | Flow::Branch(parts) => {
            parts.iter().for_each(|part| each_call(part, is_once, visit));
        }
        Flow::Loop(inner) => {
            each_call(&inner.body, is_once && inner.head.kind == LoopKind::For, visit);
        }
        Flow::Scope(inner) => each_call(inner, is_once, visit),
        Flow::Handed(handed) => each_call(&handed.body, is_once && handed.once, visit),
        _ => {}
    }
}

/// Whether a function begins to serve: it waits for something to do, or starts a server.
fn begins_to_serve(function: &Function) -> bool {
    let mut serves = function.name == "rocket" || waits_for_work(&function.flow);
    function.flow.each_called(&mut |name| serves |= SERVES.contains(&name));
    serves
}

fn waits_for_work(flow: &Flow) -> bool {
    match flow {
        Flow::Seq(parts) | Flow::Branch(parts) => parts.iter().any(waits_for_work),
        Flow::Loop(inner) => {
            inner.head.kind != LoopKind::For && inner.head.exempt == Some(purpose::SERVICE)
                || waits_for_work(&inner.body)
        }
        Flow::Scope(inner) => waits_for_work(inner),
        Flow::Handed(handed) => waits_for_work(&handed.body),
        _ => false,
    }
}
