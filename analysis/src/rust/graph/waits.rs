//! What the turns of a loop wait for beside a query: a service elsewhere, which takes longer. Where each turn does, the
//! query is not what it costs.

use super::calls::CallGraph;
use super::turn::body_of;
use crate::rust::flow::Flow;
use crate::rust::source::FunctionId;

/// A query, or a call that reaches one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// A call, by its number.
    Call(usize),
    /// A query, by its position among the sites.
    Query(usize),
}

/// How far a turn has come.
#[derive(Debug, Default)]
struct Course {
    /// Whether it has made the step.
    is_made: bool,
    /// Whether it may have ended afterwards.
    is_left: bool,
}

impl Step {
    fn is_in(self, flow: &Flow) -> bool {
        match (self, flow) {
            (Step::Call(number), Flow::Call(call)) => call.number == number,
            (Step::Query(site), Flow::Query(at)) => *at == site,
            (_, Flow::Seq(parts) | Flow::Branch(parts)) => parts.iter().any(|part| self.is_in(part)),
            (_, Flow::Loop(inner)) => self.is_in(&inner.body),
            (_, Flow::Scope(inner)) => self.is_in(inner),
            (_, Flow::Handed(handed)) => self.is_in(&handed.body),
            _ => false,
        }
    }
}

impl CallGraph<'_> {
    /// What each turn that makes a step waits for as well, as a note; `body` is that of the loop around the step.
    pub(super) fn longer_wait(&self, source: usize, body: &Flow, step: Step) -> Option<String> {
        let wait = self.wait_in(source, body, step, &mut Course::default())?;
        Some(format!("each turn also waits for `{wait}`, which takes longer than a query"))
    }

    /// The first call of a service on the way to a step or behind it.
    fn wait_in(&self, source: usize, flow: &Flow, step: Step, course: &mut Course) -> Option<String> {
        match flow {
            Flow::Call(call) => {
                if step.is_in(flow) {
                    course.is_made = true;
                    return None;
                }
                let reaches_query = || self.targets(source, call).iter().any(|target| self.queries(*target));
                let waits = call.awaited && call.on_service && !call.on_database && !call.rare;
                (waits && !course.is_left && !reaches_query()).then(|| call.written.clone())
            }
            Flow::Query(_) => {
                course.is_made |= step.is_in(flow);
                None
            }
            Flow::Seq(parts) => parts.iter().find_map(|part| self.wait_in(source, part, step, course)),
            Flow::Branch(parts) => match parts.iter().find(|part| step.is_in(part)) {
                Some(part) => self.wait_in(source, part, step, course),
                None => {
                    course.is_left |= course.is_made && parts.iter().any(leaves);
                    None
                }
            },
            Flow::Loop(inner) if step.is_in(&inner.body) => self.wait_in(source, &inner.body, step, course),
            Flow::Scope(inner) => self.wait_in(source, inner, step, course),
            Flow::Handed(handed) if handed.once || step.is_in(&handed.body) => {
                self.wait_in(source, &handed.body, step, course)
            }
            _ => None,
        }
    }

    /// Why queries in loops are seldom worth a change, by source: the position of each with the reason.
    pub(in crate::rust) fn asides_of_sites(&self) -> Vec<Vec<(usize, String)>> {
        let mut found = vec![Vec::new(); self.sources().len()];
        for id in self.all_functions() {
            let (Some((_, function)), Some(of_source)) = (self.get(id), found.get_mut(id.source)) else {
                continue;
            };
            let mut queries = Vec::new();
            each_query(&function.flow, &mut queries);
            of_source
                .extend(queries.into_iter().filter_map(|site| Some((site, self.aside_of_site(id, site)?))));
        }
        found
    }

    fn aside_of_site(&self, id: FunctionId, at: usize) -> Option<String> {
        let (source, function) = self.get(id)?;
        let site = source.scan.sites.get(at)?;
        let around = site.loops.iter().rfind(|around| around.exempt.is_none())?;
        if self.is_of_start(id) {
            return Some(super::start::WHY.to_owned());
        }
        let body = body_of(&function.flow, around, Step::Query(at))?;
        self.longer_wait(id.source, body, Step::Query(at))
    }
}

/// Whether a step is in some code.
pub(super) fn has(flow: &Flow, step: Step) -> bool {
    step.is_in(flow)
}

fn each_query(flow: &Flow, found: &mut Vec<usize>) {
    match flow {
        Flow::Query(site) => found.push(*site),
        Flow::Seq(parts) | Flow::Branch(parts) => parts.iter().for_each(|part| each_query(part, found)),
        Flow::Loop(inner) => each_query(&inner.body, found),
        Flow::Scope(inner) => each_query(inner, found),
        Flow::Handed(handed) => each_query(&handed.body, found),
        _ => {}
    }
}

/// Whether code leaves the turn of the loop that it is in, other than by an error.
fn leaves(flow: &Flow) -> bool {
    match flow {
        Flow::Continue | Flow::Break | Flow::Return => true,
        Flow::Seq(parts) | Flow::Branch(parts) => parts.iter().any(leaves),
        _ => false,
    }
}
