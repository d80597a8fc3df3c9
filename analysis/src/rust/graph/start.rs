//! What runs once, while a service starts: the functions that `main` calls outside of endless loops, in a program that then
//! serves.

use std::collections::{HashMap, HashSet};

use super::calls::CallGraph;
use super::turns::Steps;
use super::waits::QueryOrCall;
use crate::rust::flow::{CallRef, Callee, Flow};
use crate::rust::site::LoopKind;
use crate::rust::source::FunctionId;
use crate::rust::type_ref::TypeRef;
use crate::rust::walk::purpose;

/// Why a loop in such a function is seldom worth a change, as a note.
pub(super) const WHY: &str = "it runs when the program starts, before it serves";

/// The names of calls by which a program serves while it waits for them.
const SERVES: &[&str] = &[
    "launch",
    "run_until_stopped",
    "serve",
    "serve_with_incoming",
    "serve_with_shutdown",
    "start_server",
    "with_graceful_shutdown",
];

/// Words in the names of what a loop goes through while it serves.
const ARRIVALS: &[&str] =
    &["accept", "connections", "incoming", "listener", "receiver", "recv", "requests", "rx", "stream"];

/// A call of a function.
struct CalledBy {
    caller: FunctionId,
    /// Whether it is made once, before the caller serves.
    is_before: bool,
    /// Whether it is made once in a run of the caller.
    is_once: bool,
}

/// The calls of each function, and the names of calls whose function is not found.
#[derive(Default)]
struct Callers<'g> {
    of: HashMap<FunctionId, Vec<CalledBy>>,
    unknown: HashSet<&'g str>,
}

impl CallGraph<'_> {
    /// The functions that run only while a service starts: what runs once, before it serves, or in a command that does not.
    pub(super) fn find_start(&self) -> HashSet<FunctionId> {
        // A program that ends when its work is done does that work there.
        let is_start = |id: &FunctionId| self.serving.contains(id) && self.is_main(*id);
        let mains: Vec<FunctionId> = self.all_functions().filter(is_start).collect();
        if mains.is_empty() {
            return HashSet::new();
        }
        let callers = self.callers_before();
        let is_once = |by: &CalledBy, found: &HashSet<FunctionId>| by.is_once && found.contains(&by.caller);
        let is_before =
            |by: &CalledBy, found: &HashSet<FunctionId>| by.is_before && found.contains(&by.caller);
        let once = self.reached_from(&mains, &callers, &|all, found| all.iter().all(|by| is_once(by, found)));
        // A command that does not serve may open what a service opens, and do then what the service does then.
        self.reached_from(&mains, &callers, &|all, start| {
            let is_of_command = |by: &CalledBy| is_once(by, &once) && !self.serving.contains(&by.caller);
            all.iter().any(|by| is_before(by, start))
                && all.iter().all(|by| is_before(by, start) || is_of_command(by))
        })
    }

    /// The functions that these reach, each by calls that count together.
    fn reached_from(
        &self,
        mains: &[FunctionId],
        callers: &Callers<'_>,
        count: &dyn Fn(&[CalledBy], &HashSet<FunctionId>) -> bool,
    ) -> HashSet<FunctionId> {
        let mut found: HashSet<FunctionId> = mains.iter().copied().collect();
        // Each round adds the functions that the ones of the round before call.
        let mut open = mains.to_vec();
        while let Some(caller) = open.pop() {
            let Some((_, function)) = self.get(caller) else { continue };
            for call in function.flow.calls() {
                for target in self.targets(caller.source, call) {
                    let is_known = self.get(*target).is_some_and(|(_, it)| {
                        it.implements.is_none() && !it.in_test && !callers.unknown.contains(it.name.as_str())
                    });
                    let all = callers.of.get(target).map_or(&[][..], Vec::as_slice);
                    if is_known && count(all, &found) && found.insert(*target) {
                        open.push(*target);
                    }
                }
            }
        }
        found
    }

    /// The calls of all functions outside of tests, with when they are made.
    fn callers_before(&self) -> Callers<'_> {
        let mut callers = Callers::default();
        for caller in self.all_functions() {
            let Some((_, function)) = self.get(caller).filter(|(_, it)| !it.in_test) else { continue };
            let mut before: HashSet<usize> = HashSet::new();
            self.each_step(caller.source, &function.flow, &self.serving, true, &mut |flow, is_before| {
                if let Flow::Call(call) = flow
                    && is_before
                {
                    before.insert(call.number);
                }
            });
            // Where nothing serves, no branch is taken for the one that does.
            let nothing = HashSet::new();
            self.each_step(caller.source, &function.flow, &nothing, true, &mut |flow, is_once| {
                let Flow::Call(call) = flow else { return };
                let targets = self.targets(caller.source, call);
                // What is a value has the name of its variable, not of the function that it is.
                let is_value = matches!(call.callee, Callee::Field(_) | Callee::Value(_));
                if targets.is_empty() && !is_value {
                    callers.unknown.insert(call.callee.name());
                }
                let is_alone = targets.len() == 1;
                let is_before = is_alone && before.contains(&call.number);
                for target in targets {
                    let by = CalledBy { caller, is_before, is_once: is_alone && is_once };
                    callers.of.entry(*target).or_default().push(by);
                }
            });
        }
        callers
    }

    /// Whether a step of a function is made only while a service starts: before it serves, and in no closure that others
    /// may call.
    pub(super) fn is_at_start(&self, id: FunctionId, step: QueryOrCall) -> bool {
        let Some((_, function)) = self.get(id).filter(|_| self.is_of_start(id)) else { return false };
        let mut known = self.at_start.borrow_mut();
        let steps = known.entry(id).or_insert_with(|| {
            let mut steps = Steps::default();
            self.each_step(id.source, &function.flow, &self.serving, true, &mut |flow, is_once| {
                if is_once {
                    steps.add(flow);
                }
            });
            steps
        });
        steps.has(step)
    }

    fn is_main(&self, id: FunctionId) -> bool {
        // Rocket starts a program at the function of this name.
        let is_main = |path: &str| matches!(path, "main" | "rocket");
        self.get(id).is_some_and(|(source, function)| {
            is_main(&function.path) && source.module.iter().all(String::is_empty)
        })
    }

    /// Visits all calls and queries, each with whether it is made before the code serves, at most once for each element of a
    /// collection: in no endless loop, in no closure that others may call, and in no branch other than the
    /// one that serves.
    fn each_step<'f>(
        &self,
        source: usize,
        flow: &'f Flow,
        serving: &HashSet<FunctionId>,
        is_once: bool,
        visit: &mut impl FnMut(&'f Flow, bool),
    ) {
        match flow {
            Flow::Call(_) | Flow::Query(_) => visit(flow, is_once),
            Flow::Seq(parts) => {
                let mut is_before = is_once;
                // What waits for messages before a server starts has come to an end by then, or runs beside.
                let server = parts.iter().rposition(starts_server).unwrap_or(0);
                for (at, part) in parts.iter().enumerate() {
                    self.each_step(source, part, serving, is_before, visit);
                    is_before = is_before && (at < server || !self.serves_in(source, part, serving));
                }
            }
            Flow::Branch(parts) => {
                let serve = |part| is_once && self.serves_in(source, part, serving);
                let serve: Vec<bool> = parts.iter().map(serve).collect();
                let some_serves = serve.contains(&true);
                for (part, serves) in parts.iter().zip(serve) {
                    let goes_on = serves || !some_serves && !returns(part);
                    self.each_step(source, part, serving, is_once && goes_on, visit);
                }
            }
            Flow::Loop(inner) => {
                let is_work = matches!(inner.head.kind, LoopKind::For | LoopKind::Combinator);
                let words = inner.head.over.split(|c: char| !c.is_alphanumeric());
                let arrives = words.into_iter().any(|word| ARRIVALS.contains(&word));
                self.each_step(source, &inner.body, serving, is_once && is_work && !arrives, visit);
            }
            Flow::Scope(inner) | Flow::Block(inner) => self.each_step(source, inner, serving, is_once, visit),
            Flow::Handed(handed) => {
                self.each_step(source, &handed.body, serving, is_once && handed.once, visit)
            }
            _ => {}
        }
    }

    /// The functions that serve, themselves or in what they call; none where no program starts.
    pub(super) fn find_serving(&self) -> HashSet<FunctionId> {
        let mut serving: HashSet<FunctionId> = HashSet::new();
        if !self.all_functions().any(|id| self.is_main(id)) {
            return serving;
        }
        let mut callers: HashMap<FunctionId, Vec<FunctionId>> = HashMap::new();
        let mut open = Vec::new();
        for id in self.all_functions() {
            let Some((_, function)) = self.get(id) else { continue };
            if function.path.as_ref() == "rocket" || self.serves_in(id.source, &function.flow, &serving) {
                open.push(id);
                continue;
            }
            for call in function.flow.calls() {
                for target in self.targets(id.source, call) {
                    callers.entry(*target).or_default().push(id);
                }
            }
        }
        while let Some(id) = open.pop() {
            if serving.insert(id) {
                open.extend(callers.remove(&id).into_iter().flatten());
            }
        }
        serving
    }

    /// Whether code serves: it waits for something to do, or for a server.
    fn serves_in(&self, source: usize, flow: &Flow, serving: &HashSet<FunctionId>) -> bool {
        flow.walk().any(|part| match part {
            Flow::Call(call) => {
                serves_by_name(call)
                    || self.targets(source, call).iter().any(|target| serving.contains(target))
            }
            Flow::Loop(inner) => {
                inner.head.kind != LoopKind::For && inner.head.exempt == Some(purpose::SERVICE)
            }
            _ => false,
        })
    }
}

/// Whether a part of code starts a server by itself.
fn starts_server(part: &Flow) -> bool {
    part.walk().any(|flow| matches!(flow, Flow::Call(call) if serves_by_name(call)))
}

/// Whether a call is that of a library by which a program serves.
fn serves_by_name(call: &CallRef) -> bool {
    call.awaited && SERVES.contains(&call.callee.name()) || runs_server(call)
}

/// Whether a call runs the server of actix: `HttpServer::new(..).bind(address)?.run()`.
fn runs_server(call: &CallRef) -> bool {
    match &call.callee {
        Callee::Method { name, on } => name == "run" && is_server(on),
        _ => false,
    }
}

fn is_server(ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Method(of, _) | TypeRef::Inside(of) => is_server(of),
        TypeRef::Returned(path) | TypeRef::Named(path, _) => path.iter().any(|name| name == "HttpServer"),
        _ => false,
    }
}

/// Whether code may leave its function, other than by an error.
fn returns(flow: &Flow) -> bool {
    match flow {
        Flow::Return => true,
        Flow::Seq(_) | Flow::Branch(_) | Flow::Loop(_) => flow.children().iter().any(returns),
        _ => false,
    }
}
