//! The loops of a function, and the steps of one iteration of each, collected once.

use std::collections::{HashMap, HashSet};

use super::calls::CallGraph;
use super::waits::QueryOrCall;
use crate::rust::flow::{Flow, LoopFlow};
use crate::rust::site::Loop;
use crate::rust::source::FunctionId;

/// An iteration of more queries and calls is not examined for each of them: all are asked what the others do.
const MOST_STEPS: usize = 150;

/// Why a step of such an iteration is seldom worth a change, as a note.
pub(super) const LONG: &str = "each iteration makes hundreds of queries and calls";

/// The loops of a function, by the line and column of each; several if code is made from one place.
pub(super) type Turns<'a> = HashMap<(u32, u32), Vec<Turn<'a>>>;

/// One iteration of a loop.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    of: &'a LoopFlow,
    steps: Steps,
}

/// Calls by their numbers, and queries by their positions among the sites.
#[derive(Debug, Default)]
pub(super) struct Steps {
    calls: HashSet<usize>,
    queries: HashSet<usize>,
}

impl Steps {
    pub(super) fn add(&mut self, flow: &Flow) {
        match flow {
            Flow::Call(call) => {
                self.calls.insert(call.number);
            }
            Flow::Query(site) => {
                self.queries.insert(*site);
            }
            _ => {}
        }
    }

    pub(super) fn has(&self, step: QueryOrCall) -> bool {
        match step {
            QueryOrCall::Call(number) => self.calls.contains(&number),
            QueryOrCall::Query(site) => self.queries.contains(&site),
        }
    }
}

impl<'a> Turn<'a> {
    fn new(of: &'a LoopFlow) -> Turn<'a> {
        let mut steps = Steps::default();
        of.body.walk().for_each(|flow| steps.add(flow));
        Turn { of, steps }
    }
}

impl<'a> CallGraph<'a> {
    /// The body of the loop around a step of a function.
    pub(super) fn body_of(&self, id: FunctionId, around: &Loop, step: QueryOrCall) -> Option<&'a Flow> {
        self.turn(id, around, step, |turn| &turn.of.body)
    }

    /// Whether an iteration of the loop around a step has too many steps to be examined for each.
    pub(super) fn is_long(&self, id: FunctionId, around: &Loop, step: QueryOrCall) -> bool {
        self.turn(id, around, step, |turn| turn.steps.calls.len() + turn.steps.queries.len() > MOST_STEPS)
            == Some(true)
    }

    fn turn<T>(
        &self,
        id: FunctionId,
        around: &Loop,
        step: QueryOrCall,
        tell: impl FnOnce(&Turn<'a>) -> T,
    ) -> Option<T> {
        let (_, function) = self.get(id)?;
        let mut known = self.turns.borrow_mut();
        let turns = known.entry(id).or_insert_with(|| {
            let mut turns: Turns<'a> = HashMap::new();
            for flow in function.flow.walk() {
                if let Flow::Loop(inner) = flow {
                    let place = &inner.head.place;
                    turns.entry((place.line, place.column)).or_default().push(Turn::new(inner));
                }
            }
            turns
        });
        let of_place = turns.get(&(around.place.line, around.place.column))?;
        of_place.iter().find(|turn| turn.of.head.place == around.place && turn.steps.has(step)).map(tell)
    }
}
