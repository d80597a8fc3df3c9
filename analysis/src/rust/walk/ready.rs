//! Values that run later: builders of queries and prepared statements. They count where they run, as often as they do.

use syn::Expr;

use super::excerpt::written;
use super::{Queries, Walker, spans};
use crate::rust::drivers;
use crate::rust::flow::{Callee, Flow};
use crate::rust::site::Form;
use crate::rust::type_ref::TypeRef;

/// What has been made, and whether it was seen to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rust) struct Made {
    is_statement: bool,
    runs: bool,
}

impl Walker<'_> {
    /// Notes that a site was made to run later, where it has just been recorded.
    pub(super) fn make(&mut self, site: usize, is_statement: bool) {
        self.made.insert(site, Made { is_statement, runs: false });
        // A query that was recorded last is in the flow last.
        if let Some(flow) = self.here.flow.last_mut().filter(|flow| **flow == Flow::Query(site)) {
            *flow = Flow::Made(site);
        }
    }

    /// Whether a value is a prepared statement that may run any number of times.
    pub(super) fn is_statement(&self, site: usize) -> bool {
        self.made.get(&site).is_some_and(|made| made.is_statement)
    }

    /// Whether a method runs what was made to run later, or makes the query that will.
    pub(super) fn readies(&self, queries: &[usize], method: &str) -> bool {
        let is_one = |query: &usize| match self.made.get(query) {
            Some(made) if made.is_statement => match self.sites.get(*query).map(|site| site.form) {
                Some(Form::Driver) => drivers::runs_statement(method),
                _ => method == "query" || method.starts_with("query_"),
            },
            Some(_) => method == "build" || method.starts_with("build_"),
            None => false,
        };
        !queries.is_empty() && queries.iter().all(is_one)
    }

    /// Records that one of these previously built queries runs here. It may have run before. Returns those that run.
    pub(super) fn run_again(&mut self, queries: &[usize]) -> Queries {
        let mut run = Queries::new();
        let mut ways = Vec::new();
        for &query in queries {
            let Some(site) = self.sites.get(query) else { continue };
            let made = self.made.get(&query).copied();
            let is_new = match made {
                Some(made) => made.runs,
                None => site.call.is_some() || site.loops.len() < self.here.loops.len(),
            };
            if is_new {
                let mut again = site.clone();
                again.loops = self.loops_here();
                again.call = None;
                if made.is_some() {
                    again.arguments.clear();
                }
                let index = self.sites.len();
                self.sites.push(again);
                if let Some(connection) = self.prepared_on.get(&query).cloned() {
                    self.prepared_on.insert(index, connection);
                }
                ways.push(Flow::Query(index));
                run.push(index);
                continue;
            }
            if let Some(made) = made {
                let loops = self.loops_here();
                self.made.insert(query, Made { runs: true, ..made });
                self.sites.get_mut(query).into_iter().for_each(|site| site.loops.clone_from(&loops));
                ways.push(Flow::Query(query));
            }
            run.push(query);
        }
        match ways.len() == 1 && run.len() == 1 {
            true => self.here.flow.append(&mut ways),
            false => {
                if ways.len() < run.len() {
                    ways.push(Flow::EMPTY);
                }
                self.emit_branch(ways);
            }
        }
        run
    }

    /// Records what awaiting a value runs whose type may say so: `IntoFuture`. What a call gives is left to those who know what it
    /// calls.
    pub(super) fn await_value(&mut self, value: &Expr) {
        if self.own.named("into_future").is_none() {
            return;
        }
        let on = self.type_of(value);
        if on != TypeRef::Unknown {
            self.note_reach(std::iter::once(value));
            self.note_passed(&[value]);
            let callee = Callee::Method { name: "into_future".to_owned(), on };
            self.emit_call(spans::of(value), written(value), callee, false, 0);
        }
    }

    /// Turns what was made into queries of a function's flow, where it is not known to run elsewhere.
    pub(super) fn settle(&self, flow: &mut Flow) {
        if !self.made.is_empty() {
            flow.settle(&|site| self.made.get(&site).is_some_and(|made| !made.runs));
        }
    }
}
