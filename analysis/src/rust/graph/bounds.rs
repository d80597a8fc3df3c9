//! Computes the interval of queries that a piece of code runs: sequences add, branches take minimum and
//! maximum, loops multiply.
//!
//! Paths are distinguished by how they end: they continue, leave the function, or break or continue the
//! enclosing loop. So a query before an early `return` is not added to those after it, and a query followed
//! by `break` does not count once per iteration.

use super::handed::helper_loop;
use crate::finding::Place;
use crate::rust::flow::{CallRef, Flow, Handed, LoopFlow};
use crate::rust::function::{Bound, Step, Upper};
use crate::rust::site::{Loop, Site};

/// The start of the reason why a loop has no bound.
const ONCE_PER: &str = "runs a query once per ";

/// Separates a call from any other reason why it is unbounded.
const UNBOUNDED: &str = " is unbounded: ";

/// The contribution of a call.
#[derive(Debug, Clone)]
pub enum Called {
    /// It runs no query, or none that counts.
    Nothing,
    /// The function and its bounds are known.
    Known {
        /// The minimum number of queries.
        lower: u64,
        /// The maximum.
        upper: Upper,
        /// Whether it contains calls that may run queries and whose functions are unknown.
        unknown: bool,
    },
    /// It may run queries, and its function is unknown.
    Unknown,
}

/// Knowledge about the calls in a piece of code.
pub trait Calls {
    /// The contribution of a call.
    fn called(&mut self, call: &CallRef) -> Called;

    /// How often the function of a call, by its number, calls a parameter; `None` if unknown.
    fn times(&mut self, _call: usize, _parameter: usize) -> Option<Bound> {
        None
    }

    /// Whether the function of a call, by its number, is in the workspace.
    fn finds(&self, _call: usize) -> bool {
        false
    }

    /// Whether the function of a call, by its number, puts a parameter into a field, whose calls are counted where they are.
    fn stores(&self, _call: usize, _parameter: usize) -> bool {
        false
    }

    /// How many queries a call of the function's own parameter counts for.
    fn parameter(&self, _parameter: usize) -> u64 {
        0
    }

    /// The call of the function's own parameter, if that may query.
    fn given(&self, _parameter: usize) -> Option<Step> {
        None
    }

    /// How many queries a query counts for.
    fn query(&self) -> u64 {
        1
    }
}

impl<F: FnMut(&CallRef) -> Called> Calls for F {
    fn called(&mut self, call: &CallRef) -> Called {
        self(call)
    }
}

/// The bounds of a piece of code; `resolve` returns the contribution of each call.
pub fn bound(flow: &Flow, sites: &[Site], resolve: &mut dyn Calls) -> Bound {
    let mut counter = Counter { sites, resolve, unknown: Vec::new(), given: Vec::new(), loops: Vec::new() };
    let ways = counter.count(flow);
    let run = Run::either(ways.on, ways.out).unwrap_or_default();
    let upper = match (run.most, run.why) {
        (Some(most), _) => Upper::Finite(most),
        (None, Some((why, place))) => Upper::Unbounded { why, place },
        (None, None) => Upper::Unbounded { why: "no number bounds it".to_owned(), place: Place::default() },
    };
    Bound { lower: run.least, upper, unknown: counter.unknown, given: counter.given, steps: run.steps }
}

/// One path, or several merged paths, through a piece of code.
#[derive(Debug, Clone, Default)]
struct Run {
    least: u64,
    /// The maximum; `None` if unbounded.
    most: Option<u64>,
    /// The cause, if it is unbounded.
    why: Option<(String, Place)>,
    /// The most expensive path.
    steps: Vec<Step>,
}

impl Run {
    fn nothing() -> Run {
        Run { most: Some(0), ..Run::default() }
    }

    /// The minimum and maximum over two paths.
    fn either(a: Option<Run>, b: Option<Run>) -> Option<Run> {
        let (Some(a), Some(b)) = (a.as_ref(), b.as_ref()) else { return a.or(b) };
        let least = a.least.min(b.least);
        let more = if exceeds(b.most, a.most) { b } else { a };
        Some(Run { least, ..more.clone() })
    }
}

/// Whether `a` exceeds `b`, where `None` is infinite.
fn exceeds(a: Option<u64>, b: Option<u64>) -> bool {
    match (a, b) {
        (None, Some(_)) => true,
        (Some(a), Some(b)) => a > b,
        (_, None) => false,
    }
}

fn add(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    Some(a?.saturating_add(b?))
}

/// The paths through a piece of code, by how they end; `None` if it cannot end that way.
#[derive(Debug, Clone, Default)]
struct Ways {
    on: Option<Run>,
    out: Option<Run>,
    /// By what they leave: the innermost loop or block first.
    breaks: Vec<Option<Run>>,
    continues: Vec<Option<Run>>,
}

/// The minimum and maximum over two lists of paths.
fn either_each(mut a: Vec<Option<Run>>, b: Vec<Option<Run>>) -> Vec<Option<Run>> {
    a.resize(a.len().max(b.len()), None);
    for (a, b) in a.iter_mut().zip(b) {
        *a = Run::either(a.take(), b);
    }
    a
}

/// The ways out of code whose only path exits `out` loops and blocks: `None` for every smaller number.
fn leaving(out: usize) -> Vec<Option<Run>> {
    let mut ways = vec![None; out];
    ways.push(Some(Run::nothing()));
    ways
}

/// The paths that leave the innermost loop or block, and those that leave more, as seen from outside of it.
fn innermost(mut ways: Vec<Option<Run>>) -> (Option<Run>, Vec<Option<Run>>) {
    let outer = ways.split_off(ways.len().min(1));
    (ways.pop().flatten(), outer)
}

/// The most expensive exit of a sequence so far, stored until the end as a length of the common path.
#[derive(Default)]
struct WayOut {
    run: Option<Run>,
    shared: usize,
}

impl WayOut {
    fn offer(&mut self, before: &Run, way: Option<Run>) {
        let Some(way) = way else { return };
        let least = before.least.saturating_add(way.least);
        let most = add(before.most, way.most);
        match &mut self.run {
            Some(run) if !exceeds(most, run.most) => run.least = run.least.min(least),
            run => {
                let least = run.as_ref().map_or(least, |old| old.least.min(least));
                let why = before.why.clone().or(way.why);
                *run = Some(Run { least, most, why, steps: way.steps });
                self.shared = before.steps.len();
            }
        }
    }

    /// Adds `ways` after `before` to the ways out, position by position.
    fn offer_each(all: &mut Vec<WayOut>, before: &Run, ways: Vec<Option<Run>>) {
        all.resize_with(all.len().max(ways.len()), WayOut::default);
        all.iter_mut().zip(ways).for_each(|(out, way)| out.offer(before, way));
    }

    fn finish(self, common: &[Step]) -> Option<Run> {
        let mut run = self.run?;
        let mut steps = common.get(..self.shared).unwrap_or_default().to_vec();
        steps.append(&mut run.steps);
        Some(Run { steps, ..run })
    }
}

struct Counter<'a> {
    sites: &'a [Site],
    resolve: &'a mut dyn Calls,
    unknown: Vec<Step>,
    given: Vec<(usize, Step)>,
    loops: Vec<Loop>,
}

impl Counter<'_> {
    fn count(&mut self, flow: &Flow) -> Ways {
        let on = |run| Ways { on: Some(run), ..Ways::default() };
        match flow {
            Flow::Query(index) | Flow::Made(index) => on(self.query(*index)),
            Flow::Call(call) => on(self.call(call)),
            Flow::Parameter(parameter) => {
                let step = self.resolve.given(*parameter);
                self.given.extend(step.map(|it| (*parameter, Step { loops: self.loops.clone(), ..it })));
                let n = self.resolve.parameter(*parameter);
                on(Run { least: n, most: Some(n), ..Run::default() })
            }
            Flow::Handed(handed) => self.handed(handed),
            Flow::Seq(parts) => self.sequence(parts),
            Flow::Branch(arms) => {
                let mut ways = Ways::default();
                for arm in arms {
                    let arm = self.count(arm);
                    ways.on = Run::either(ways.on, arm.on);
                    ways.out = Run::either(ways.out, arm.out);
                    ways.breaks = either_each(ways.breaks, arm.breaks);
                    ways.continues = either_each(ways.continues, arm.continues);
                }
                ways
            }
            Flow::Loop(inner) => self.turns(inner),
            Flow::Scope(inner) => {
                let ways = self.count(inner);
                Ways { on: Run::either(ways.on, ways.out), ..Ways::default() }
            }
            Flow::Block(inner) => {
                let ways = self.count(inner);
                let (ended, breaks) = innermost(ways.breaks);
                let (_, continues) = innermost(ways.continues);
                Ways { on: Run::either(ways.on, ended), out: ways.out, breaks, continues }
            }
            Flow::Return => Ways { out: Some(Run::nothing()), ..Ways::default() },
            Flow::Try => Ways { on: Some(Run::nothing()), out: Some(Run::nothing()), ..Ways::default() },
            Flow::Break(out) => Ways { breaks: leaving(*out), ..Ways::default() },
            Flow::Continue(out) => Ways { continues: leaving(*out), ..Ways::default() },
        }
    }

    fn query(&self, index: usize) -> Run {
        let Some(site) = self.sites.get(index).filter(|_| self.resolve.query() > 0) else {
            return Run::nothing();
        };
        let step = Step {
            place: site.place.clone(),
            what: site.written.clone(),
            queries: Some(1),
            loops: Vec::new(),
        };
        Run { least: 1, most: Some(1), why: None, steps: vec![step] }
    }

    fn call(&mut self, call: &CallRef) -> Run {
        let step =
            |queries, loops| Step { place: call.place.clone(), what: call.written.clone(), queries, loops };
        let called = self.resolve.called(call);
        if matches!(called, Called::Unknown | Called::Known { unknown: true, .. }) {
            self.unknown.push(step(None, self.loops.clone()));
        }
        match called {
            Called::Nothing | Called::Unknown => Run::nothing(),
            Called::Known { lower, upper: Upper::Finite(0), .. } => Run { least: lower, ..Run::nothing() },
            Called::Known { lower, upper: Upper::Finite(most), .. } => {
                Run { least: lower, most: Some(most), why: None, steps: vec![step(Some(most), Vec::new())] }
            }
            Called::Known { lower, upper: Upper::Unbounded { why, place }, .. } => {
                let why = Some((through(&call.written, &why), place));
                Run { least: lower, most: None, why, steps: vec![step(None, Vec::new())] }
            }
        }
    }

    /// A closure passed to a call: it counts as often as the called function calls it.
    fn handed(&mut self, handed: &Handed) -> Ways {
        let times = handed.call.and_then(|call| self.resolve.times(call, handed.parameter));
        let Some(times) = times else {
            let is_found = handed.call.is_some_and(|call| self.resolve.finds(call));
            return if handed.once && !is_found { self.count(&handed.body) } else { self.kept(handed) };
        };
        let mut cause = None;
        let head = match times.upper {
            Upper::Finite(turns) => {
                Loop { turns: Some(turns), ..helper_loop(String::new(), Place::default()) }
            }
            Upper::Unbounded { why, place } if why.starts_with("runs ") => {
                helper_loop(why.split('`').nth(1).unwrap_or_default().to_owned(), place)
            }
            Upper::Unbounded { why, place } => {
                cause = Some((why, place.clone()));
                helper_loop(String::new(), place)
            }
        };
        self.loops.push(head.clone());
        let ways = self.count(&handed.body);
        self.loops.pop();
        // Leaving a closure only ends the closure, so its exits continue here.
        let turn = Run::either(ways.on, ways.out).unwrap_or_else(Run::nothing);
        let least = turn.least.saturating_mul(times.lower);
        let run = match head.turns {
            Some(1) => turn,
            _ => repeated(&turn, &head),
        };
        let why = cause.filter(|_| run.most.is_none()).or(run.why);
        Ways { on: Some(Run { least, why, ..run }), ..Ways::default() }
    }

    /// A closure with an unknown caller: its queries have no upper bound. One in a field runs where that is called.
    fn kept(&mut self, handed: &Handed) -> Ways {
        let known = self.unknown.len();
        let ways = self.count(&handed.body);
        let turn = Run::either(ways.on, ways.out).unwrap_or_else(Run::nothing);
        if turn.most != Some(0) && self.unknown.len() == known {
            let (place, what) = (handed.place.clone(), handed.written.clone());
            self.unknown.push(Step { place, what, queries: None, loops: self.loops.clone() });
        }
        let is_stored = handed.field.is_some()
            || handed.call.is_some_and(|call| self.resolve.stores(call, handed.parameter));
        let run = if is_stored { Run::nothing() } else { Run { least: 0, ..turn } };
        Ways { on: Some(run), ..Ways::default() }
    }

    fn sequence(&mut self, parts: &[Flow]) -> Ways {
        let mut run = Run::nothing();
        let (mut out, mut breaks, mut continues) = (WayOut::default(), Vec::new(), Vec::new());
        let mut goes_on = true;
        for part in parts {
            let ways = self.count(part);
            out.offer(&run, ways.out);
            WayOut::offer_each(&mut breaks, &run, ways.breaks);
            WayOut::offer_each(&mut continues, &run, ways.continues);
            let Some(mut next) = ways.on else {
                goes_on = false;
                break;
            };
            run.least = run.least.saturating_add(next.least);
            run.most = add(run.most, next.most);
            run.why = run.why.take().or(next.why);
            run.steps.append(&mut next.steps);
        }
        let each = |all: Vec<WayOut>| all.into_iter().map(|way| way.finish(&run.steps)).collect();
        let (breaks, continues) = (each(breaks), each(continues));
        let out = out.finish(&run.steps);
        Ways { on: goes_on.then_some(run), out, breaks, continues }
    }

    fn turns(&mut self, inner: &LoopFlow) -> Ways {
        self.loops.push(inner.head.clone());
        let ways = self.count(&inner.body);
        self.loops.pop();
        let (continued, continues) = innermost(ways.continues);
        let (ended, breaks) = innermost(ways.breaks);
        let goes_on = ways.on.is_some() || continued.is_some();
        let turn = Run::either(ways.on, continued).unwrap_or_else(Run::nothing);
        let mut all = repeated(&turn, &inner.head);
        if !inner.exact {
            all.least = 0;
        }
        // An iteration that leaves the loop is one of its iterations, so one fewer precedes it.
        let turns = inner.head.turns.map(|turns| turns.saturating_sub(1));
        let before = repeated(&turn, &Loop { turns, ..inner.head.clone() });
        let after = |way: Option<Run>| {
            way.map(|mut way| {
                let mut run = before.clone();
                run.least = way.least;
                run.most = add(run.most, way.most);
                run.why = run.why.or(way.why);
                run.steps.append(&mut way.steps);
                run
            })
        };
        let is_left =
            ended.is_some() || ways.out.is_some() || breaks.iter().chain(&continues).any(Option::is_some);
        let left = after(ended);
        // What never ends runs its queries all the same, until something ends it from outside.
        let out = if inner.enters && goes_on && !is_left { Some(before.clone()) } else { after(ways.out) };
        let each = |ways: Vec<Option<Run>>| ways.into_iter().map(after).collect();
        let (breaks, continues) = (each(breaks), each(continues));
        let ended = (!inner.enters).then_some(all);
        Ways { on: Run::either(ended, left), out, breaks, continues }
    }
}

/// Why a call has no bound whose function has none because of `why`. Of a chain of calls, the first and the cause are kept: the
/// message would grow with every link.
fn through(call: &str, why: &str) -> String {
    if let Some(runs) = why.find(ONCE_PER).and_then(|at| why.get(at..)) {
        return format!("`{call}` {runs}");
    }
    let cause = why.rsplit_once(UNBOUNDED).map_or(why, |(_, cause)| cause);
    format!("`{call}`{UNBOUNDED}{cause}")
}

/// One iteration, repeated as often as the loop runs.
fn repeated(turn: &Run, head: &Loop) -> Run {
    let steps = || {
        turn.steps
            .iter()
            .map(|step| {
                let mut step = step.clone();
                step.loops.insert(0, head.clone());
                step
            })
            .collect()
    };
    match (turn.most, head.turns) {
        (Some(0), _) => Run { least: head.turns.unwrap_or(0).saturating_mul(turn.least), ..Run::nothing() },
        (_, Some(0)) => Run::nothing(),
        (Some(most), Some(turns)) => Run {
            least: turns.saturating_mul(turn.least),
            most: Some(turns.saturating_mul(most)),
            why: None,
            steps: steps(),
        },
        (None, _) => Run { least: 0, most: None, why: turn.why.clone(), steps: steps() },
        (Some(_), None) => {
            let why = match head.over.is_empty() {
                true => format!("{ONCE_PER}iteration of a loop"),
                false => format!("{ONCE_PER}element of `{}`", head.over),
            };
            Run { least: 0, most: None, why: Some((why, head.place.clone())), steps: steps() }
        }
    }
}
