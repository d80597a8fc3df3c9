//! What only jobs reach: code that a loop of a service runs again and again, after it has waited for a while. No request waits
//! for such code, so that queries one after the other delay nothing but the job itself.

use std::collections::{HashMap, HashSet};

use super::calls::CallGraph;
use super::waits::QueryOrCall;
use crate::rust::flow::{Flow, LoopFlow};
use crate::rust::function::Function;
use crate::rust::occasions::Occasion;
use crate::rust::site::LoopKind;
use crate::rust::source::FunctionId;
use crate::rust::walk::purpose;

/// Why a call in such code is seldom worth a change, as a note.
pub(super) const WHY: &str = "only a job that runs again and again reaches it: no request waits for it";

/// The names of calls by which a loop waits until it is time for its next iteration.
const PAUSES: &[&str] = &["delay_for", "sleep", "sleep_until", "tick"];

/// The names of calls by which a loop takes what others send: a request may wait for the answer.
const ARRIVALS: &[&str] = &[
    "accept",
    "blocking_recv",
    "next",
    "recv",
    "recv_async",
    "recv_many",
    "recv_timeout",
    "send",
    "send_timeout",
    "try_next",
    "try_recv",
];

/// What only jobs reach.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    functions: HashSet<FunctionId>,
    /// The calls in the loops of jobs, by source and number.
    calls: HashSet<(usize, usize)>,
    /// The queries in them, by source and position.
    queries: HashSet<(usize, usize)>,
}

/// The callers of each function outside of tests, each with whether the call is in the loop of a job.
type Callers = HashMap<FunctionId, Vec<(FunctionId, bool)>>;

impl CallGraph<'_> {
    /// Whether only jobs reach a step of a function.
    pub(super) fn is_of_job(&self, id: FunctionId, step: QueryOrCall) -> bool {
        self.jobs.functions.contains(&id)
            || match step {
                QueryOrCall::Call(number) => self.jobs.calls.contains(&(id.source, number)),
                QueryOrCall::Query(site) => self.jobs.queries.contains(&(id.source, site)),
            }
    }

    /// Finds what only jobs reach: the steps in their loops, and the functions that are called from there, and from nowhere else.
    pub(super) fn find_jobs(&self) -> Jobs {
        let mut jobs = Jobs::default();
        for id in self.all_functions() {
            let Some((_, function)) = self.get(id).filter(|(_, it)| !it.in_test) else { continue };
            for flow in function.flow.walk() {
                if let Flow::Loop(inner) = flow
                    && is_job(inner)
                {
                    jobs.add(id.source, &inner.body);
                }
            }
        }
        if jobs.calls.is_empty() {
            return jobs;
        }
        let (callers, unfound) = self.callers_of_jobs(&jobs);
        let mut open: Vec<FunctionId> = callers
            .iter()
            .filter(|(_, by)| by.iter().any(|(_, in_job)| *in_job))
            .map(|(id, _)| *id)
            .collect();
        while let Some(id) = open.pop() {
            let Some((_, function)) = self.get(id) else { continue };
            // A method of another library may have a short name as well.
            let may_be_called = function.name.contains('_') && unfound.contains(function.name.as_str());
            let by = callers.get(&id).map_or(&[][..], Vec::as_slice);
            let is_so = by.iter().all(|(by, in_job)| *in_job || *by == id || jobs.functions.contains(by));
            if function.in_test || may_be_called || !is_so || !jobs.functions.insert(id) {
                continue;
            }
            let calls = function.flow.calls().flat_map(|call| self.targets(id.source, call));
            open.extend(calls.filter(|target| !jobs.functions.contains(target)));
        }
        jobs
    }

    /// The callers of each function, and the names of calls outside of jobs whose function is not found.
    fn callers_of_jobs(&self, jobs: &Jobs) -> (Callers, HashSet<&str>) {
        let (mut callers, mut unfound) = (Callers::new(), HashSet::new());
        for id in self.all_functions() {
            let Some((_, function)) = self.get(id).filter(|(_, it)| !it.in_test && waits_for(it)) else {
                continue;
            };
            let is_start = self.is_of_start(id);
            for call in function.flow.calls() {
                let in_job = jobs.calls.contains(&(id.source, call.number));
                let targets = self.targets(id.source, call);
                if targets.is_empty() && !in_job {
                    unfound.insert(call.callee.name());
                }
                for target in targets.iter().filter(|_| in_job || !is_start) {
                    callers.entry(*target).or_default().push((id, in_job));
                }
            }
        }
        (callers, unfound)
    }
}

impl Jobs {
    fn add(&mut self, source: usize, body: &Flow) {
        self.calls.extend(body.calls().map(|call| (source, call.number)));
        self.queries.extend(body.queries().map(|at| (source, at)));
    }
}

/// Whether something may wait for a function: not for one that runs by hand, or never.
fn waits_for(function: &Function) -> bool {
    let is_other = |it: &Occasion| {
        matches!(it, Occasion::ByHand | Occasion::Never | Occasion::InTests | Occasion::Uncompiled)
    };
    !function.occasions.iter().any(is_other)
}

/// Whether a loop is that of a job: it goes on for as long as the service runs, waits until it is time, and takes nothing that
/// others send.
fn is_job(inner: &LoopFlow) -> bool {
    let has = |names: &[&str]| outside_of_loops(&inner.body, &|name| names.contains(&name));
    // A job that counts its failures goes on all the same.
    let is_endless = inner.head.exempt == Some(purpose::SERVICE)
        || inner.head.exempt == Some(purpose::RETRY) && has(&["tick"]);
    let is_kind = matches!(inner.head.kind, LoopKind::Loop | LoopKind::While);
    // `blocks.next().await.expect("they never end")`: what a client sends does end.
    let is_of_endless = || inner.head.kind == LoopKind::Loop && has(&["next"]) && !is_left(&inner.body);
    is_endless && is_kind && (has(PAUSES) && !has(ARRIVALS) || is_of_endless())
}

/// Whether code may leave the loop around it, other than by an error.
fn is_left(flow: &Flow) -> bool {
    match flow {
        Flow::Return | Flow::Break(_) => true,
        Flow::Loop(_) | Flow::Scope(_) | Flow::Handed(_) => false,
        other => other.children().iter().any(is_left),
    }
}

/// Whether some code calls something by a name, outside of the loops in it.
fn outside_of_loops(flow: &Flow, is_it: &dyn Fn(&str) -> bool) -> bool {
    match flow {
        Flow::Call(call) => is_it(call.callee.name()),
        Flow::Loop(_) => false,
        other => other.children().iter().any(|part| outside_of_loops(part, is_it)),
    }
}
