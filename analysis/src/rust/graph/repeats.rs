//! Whether all iterations of a loop run the same query with the same result: a call depends only on its arguments, and nothing
//! in the iteration changes what it reads. Where this is not proven, the answer is no.

use std::collections::{BTreeSet, HashSet};

use super::calls::CallGraph;
use super::waits::QueryOrCall;
use crate::rust::flow::{CallRef, Flow};
use crate::rust::function::Function;
use crate::rust::site::{Loop, Site, SiteSql};
use crate::rust::source::FunctionId;

/// The maximum number of functions that are examined for one call. A call that reaches more is not known to be the same each
/// time, so a chain of calls of any length takes bounded room.
const MOST_FUNCTIONS: usize = 128;

/// The queries and functions that were met on the way from a call.
#[derive(Default)]
struct Met {
    functions: HashSet<FunctionId>,
    sites: BTreeSet<(usize, usize)>,
}

impl CallGraph<'_> {
    /// Whether a call with the same arguments runs the same queries in each iteration.
    pub(super) fn repeats(&self, caller: FunctionId, call: &CallRef, around: &Loop) -> bool {
        let Some((_, function)) = self.get(caller).filter(|(_, it)| !it.runs_given) else { return false };
        let step = QueryOrCall::Call(call.number);
        let Some(body) = self.body_of(caller, around, step).filter(|_| !self.is_long(caller, around, step))
        else {
            return false;
        };
        let mut asked = Met::default();
        self.call_only_reads(caller.source, call, Some(function), &mut asked)
            && asked.sites.len() == 1
            && self.only_reads(caller.source, body, None, &mut Met::default())
    }

    /// Whether everything in it is known, and only reads. If it is the body of a function that has to run the same queries each time, what
    /// its queries use is that function's parameters and constants.
    fn only_reads(&self, source: usize, flow: &Flow, of: Option<&Function>, met: &mut Met) -> bool {
        match flow {
            Flow::Query(at) => {
                met.sites.insert((source, *at));
                let site = self.sources().get(source).and_then(|source| source.scan.sites.get(*at));
                site.is_some_and(|site| reads(site) && of.is_none_or(|function| is_given(site, function)))
            }
            Flow::Call(call) => {
                let passes = of.is_none_or(|function| {
                    let queries = self.targets(source, call).iter().any(|target| self.queries(*target));
                    let given = call.given.as_deref();
                    !queries || given.is_some_and(|names| names.iter().all(|name| function.keeps(name)))
                });
                passes && self.call_only_reads(source, call, of, met)
            }
            // Functions that take code as an argument are left out as a whole.
            _ => flow.children().iter().all(|part| self.only_reads(source, part, of, met)),
        }
    }

    /// Whether all functions that a call may mean are known, only read, and change none of their arguments.
    fn call_only_reads(&self, source: usize, call: &CallRef, of: Option<&Function>, met: &mut Met) -> bool {
        let targets = self.targets(source, call);
        !targets.is_empty()
            && targets.iter().all(|target| {
                let Some((_, function)) = self.get(*target) else { return false };
                if !function.has_body || function.changes || function.runs_given {
                    return false;
                }
                if met.functions.len() >= MOST_FUNCTIONS && !met.functions.contains(target) {
                    return false;
                }
                !met.functions.insert(*target)
                    || self.only_reads(target.source, &function.flow, of.map(|_| function), met)
            })
    }
}

/// Whether a query is known to read tables, and to do nothing else.
fn reads(site: &Site) -> bool {
    if site.is_of_session() {
        return true;
    }
    let SiteSql::Literal(literal) = &site.sql else { return false };
    let text = literal.text.to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let begins = words.next();
    let words: Vec<&str> = words.collect();
    let is_write =
        |word: &&str| matches!(*word, "insert" | "update" | "delete" | "merge" | "replace" | "into");
    matches!(begins, Some("select" | "with")) && words.contains(&"from") && !words.iter().any(is_write)
}

/// Whether the values bound to a query are a function's parameters and constants.
fn is_given(site: &Site, function: &Function) -> bool {
    site.arguments_complete
        && site
            .arguments
            .iter()
            .all(|argument| argument.is_constant && argument.mentions.iter().all(|name| function.keeps(name)))
}
