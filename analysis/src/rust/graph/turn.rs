//! What one iteration of a loop does: how many statements its calls reach, and what else it waits for. From this follows
//! whether one query for all elements could replace a call in the loop.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::calls::CallGraph;
use super::catalog;
use super::jobs;
use super::start;
use super::turns;
use super::waits::{self, QueryOrCall};
use crate::rust::flow::{CallRef, Callee, Flow};
use crate::rust::methods::{Yields, yields};
use crate::rust::site::{Loop, Site, SiteSql};
use crate::rust::source::FunctionId;
use crate::rust::walk::pace;

/// The maximum number of calls that are followed from an iteration.
const MAX_CALL_DEPTH: usize = 6;

/// A function that writes counts as one unit of work from this number of statements.
const OPERATION: usize = 5;

/// An iteration that writes counts as one unit of work from this number of statements.
const TURN: usize = 8;

/// Code that only reads counts as a lookup up to this number of statements.
const LOOKUP: usize = 2;

/// What a piece of code does in the worst case.
#[derive(Debug, Default)]
struct Work {
    /// The statements that read, by source and position.
    reads: BTreeSet<(usize, usize)>,
    /// The statements that write.
    writes: BTreeSet<(usize, usize)>,
    /// The first call that waits for something other than the database, as written.
    waits: Option<String>,
    /// Whether it begins a transaction.
    begins: bool,
    /// Whether the text of some statement is unknown.
    is_unknown: bool,
    /// Whether some statement locks the rows that it reads.
    locks: bool,
    /// Whether a function that is not known is given a database.
    is_handed_on: bool,
}

impl Work {
    fn statements(&self) -> usize {
        self.reads.len() + self.writes.len()
    }

    /// Whether it reads little, and does nothing else.
    fn is_lookup(&self) -> bool {
        !self.is_unknown && self.writes.is_empty() && self.reads.len() <= LOOKUP && self.waits.is_none()
    }

    /// Whether what it does may have to be done in one transaction: it writes, or locks rows.
    fn keeps_together(&self) -> bool {
        self.is_unknown || self.locks || !self.writes.is_empty()
    }

    fn is_operation(&self, least: usize) -> bool {
        !self.writes.is_empty() && self.statements() >= least
    }
}

impl CallGraph<'_> {
    /// Why a call in a loop, the one at `index` around it, is seldom worth a change; `None` if it may be.
    pub(super) fn aside(&self, caller: FunctionId, call: &CallRef, index: usize) -> Option<String> {
        let around = call.loops.get(index)?;
        let mut callee = Work::default();
        self.add_call(caller.source, call, 0, &mut HashSet::new(), &mut callee);
        let here = QueryOrCall::Call(call.number);
        let body = self.body_of(caller, around, here);
        // A transaction that only reads does not have to stay together: one query for all reads the same.
        let is_locked = || body.is_some_and(|body| self.locks_in(caller.source, body));
        if call.unit > index && (callee.keeps_together() || is_locked()) {
            return Some("each iteration has a transaction of its own".to_owned());
        }
        if call.rare {
            return Some("it runs only after an error".to_owned());
        }
        if self.is_at_start(caller, QueryOrCall::Call(call.number)) {
            return Some(start::WHY.to_owned());
        }
        if self.is_of_job(caller, QueryOrCall::Call(call.number)) {
            return Some(jobs::WHY.to_owned());
        }
        if let Some(why) = self.why_pipelined(around, self.targets(caller.source, call)) {
            return Some(why);
        }
        if let Some(end) = self.end_of(self.targets(caller.source, call)) {
            if names_vary(call, around, end) {
                return Some("which tables its query names is known only when it runs".to_owned());
            }
            if changes_schema(end) {
                return Some("it changes the schema, one object in a statement".to_owned());
            }
            if end.sql == SiteSql::Dynamic && end.built.is_none() {
                return Some("its query is known only when it runs".to_owned());
            }
        }
        let reads =
            callee.reads.iter().filter_map(|(source, at)| self.sources().get(*source)?.scan.sites.get(*at));
        if callee.writes.is_empty() && !callee.is_handed_on && catalog::is_all(reads) {
            return Some(catalog::WHY.to_owned());
        }
        if self.is_long(caller, around, here) {
            return Some(turns::LONG.to_owned());
        }
        if let Some(wait) = body.and_then(|body| self.longer_wait(caller.source, body, here)) {
            return Some(wait);
        }
        if callee.begins && callee.keeps_together() && call.transactions.is_empty() {
            return Some("it writes in a transaction of its own".to_owned());
        }
        if call.isolated && callee.is_operation(2) {
            return Some("an error of one element is handled alone".to_owned());
        }
        if let Some(wait) = body.and_then(|body| self.first_wait(caller.source, body, here)) {
            return Some(wait);
        }
        if around.pace == Some(pace::DIFFERS) {
            return around.pace.map(str::to_owned);
        }
        // What is only looked up can be read before the loop, whatever its iterations do.
        if callee.is_lookup() {
            return around.pace.filter(|pace| *pace != pace::SORTED).map(str::to_owned);
        }
        let mut turn = Work::default();
        if let Some(body) = body {
            self.add(caller.source, body, 0, &mut HashSet::new(), &mut turn);
        }
        if let Some(wait) = callee.waits.as_ref().or(turn.waits.as_ref()) {
            return Some(format!("each iteration also waits for `{wait}`, which is not a query"));
        }
        if callee.is_operation(OPERATION) || turn.is_operation(TURN) {
            return Some(operation(turn.statements().max(callee.statements())));
        }
        around.pace.map(str::to_owned)
    }

    /// Whether an iteration locks rows that it reads: they stay locked until its transaction ends.
    pub(super) fn locks_in(&self, source: usize, body: &Flow) -> bool {
        let mut turn = Work::default();
        self.add(source, body, 0, &mut HashSet::new(), &mut turn);
        turn.locks
    }

    /// Why a closure that is called in a loop elsewhere is seldom worth a change: what holds for a call in that loop.
    pub(super) fn aside_of_handed(&self, source: usize, around: &Loop, body: &Flow) -> Option<String> {
        let mut work = Work::default();
        self.add(source, body, 0, &mut HashSet::new(), &mut work);
        around.pace.filter(|pace| *pace != pace::SORTED || !work.is_lookup()).map(str::to_owned)
    }

    /// Whether a call looks something up, or makes one write, and does nothing else.
    pub(super) fn is_simple(&self, source: usize, call: &CallRef) -> bool {
        let mut work = Work::default();
        self.add_call(source, call, 0, &mut HashSet::new(), &mut work);
        let begins = work.begins && work.keeps_together() && call.transactions.is_empty();
        work.writes.len() <= 1 && work.reads.len() <= LOOKUP && work.waits.is_none() && !begins
    }

    /// Why a query in an iteration of many statements is seldom worth a change: it cannot be batched without
    /// the others.
    pub(super) fn many_statements(&self, source: usize, body: &Flow, step: QueryOrCall) -> Option<String> {
        if self.decides(source, body, step) {
            return None;
        }
        let mut turn = Work::default();
        self.add(source, body, 0, &mut HashSet::new(), &mut turn);
        turn.is_operation(OPERATION).then(|| operation(turn.statements()))
    }

    /// Whether a read comes first in an iteration and its result may end the iteration, so that many
    /// iterations run only that read.
    fn decides(&self, source: usize, body: &Flow, step: QueryOrCall) -> bool {
        let Flow::Seq(parts) = body else { return false };
        let statements = |part: &Flow| {
            let mut work = Work::default();
            self.add(source, part, 0, &mut HashSet::new(), &mut work);
            work
        };
        let Some(at) = parts.iter().position(|part| step.is_in(part)) else { return false };
        let (before, rest) = parts.split_at(at);
        let is_alone = rest.first().is_some_and(|own| statements(own).is_lookup())
            && before.iter().all(|part| statements(part).statements() == 0);
        let is_free = |part: &&Flow| !waits::ends_turn(part) && statements(part).statements() == 0;
        is_alone && rest.iter().skip(1).find(|part| !is_free(part)).is_some_and(waits::ends_turn)
    }

    /// What a call waits for other than the database, if it reaches no query.
    pub(super) fn waits_elsewhere(&self, source: usize, call: &CallRef) -> Option<String> {
        let mut work = Work::default();
        self.add_call(source, call, 0, &mut HashSet::new(), &mut work);
        let is_free = |work: &Work| work.statements() == 0 && !work.is_unknown && !work.begins;
        if !is_free(&work) || work.waits.is_some() {
            return work.waits.as_ref().filter(|_| is_free(&work)).map(|_| call.written.clone());
        }
        // One of several kinds of store may keep all in memory, as tests do.
        let mut waits = false;
        for target in self.targets(source, call) {
            let mut work = Work::default();
            if let Some((_, function)) = self.get(*target) {
                self.add(target.source, &function.flow, 1, &mut HashSet::from([*target]), &mut work);
            }
            if !is_free(&work) {
                return None;
            }
            waits |= work.waits.is_some();
        }
        waits.then(|| call.written.clone())
    }

    /// Whether the iterations of a loop write anything.
    pub(super) fn turn_writes(&self, caller: FunctionId, call: &CallRef, around: &Loop) -> bool {
        let step = QueryOrCall::Call(call.number);
        if self.is_long(caller, around, step) {
            return true;
        }
        let mut turn = Work::default();
        if let Some(body) = self.body_of(caller, around, step) {
            self.add(caller.source, body, 0, &mut HashSet::new(), &mut turn);
        }
        !turn.writes.is_empty()
    }

    /// The texts of the other statements that run in the same iteration of the innermost loop over data around a read,
    /// `None` for what is not known; `None` if no loop is around it, or if it writes.
    pub(super) fn in_same_iteration(&self, id: FunctionId, at: usize) -> Option<Vec<Option<Arc<str>>>> {
        let (source, _) = self.get(id)?;
        let site = source.scan.sites.get(at).filter(|site| !writes(site))?;
        let around = site.loops.iter().rfind(|around| around.exempt.is_none())?;
        let body = self.body_of(id, around, QueryOrCall::Query(at))?;
        if self.is_long(id, around, QueryOrCall::Query(at)) {
            return Some(vec![None]);
        }
        let mut turn = Work::default();
        self.add(id.source, body, 0, &mut HashSet::new(), &mut turn);
        let others = turn.reads.iter().chain(&turn.writes).filter(|statement| **statement != (id.source, at));
        let text =
            |(source, at): &(usize, usize)| match &self.sources().get(*source)?.scan.sites.get(*at)?.sql {
                SiteSql::Literal(literal) => Some(Arc::clone(&literal.text)),
                SiteSql::File(_) | SiteSql::Dynamic => None,
            };
        let unknown = turn.is_handed_on.then_some(None);
        Some(others.map(text).chain(unknown).collect())
    }

    /// The texts of what may follow a DELETE without a condition, in functions that are called after it too; `None` if it
    /// is another statement.
    pub(super) fn follow_up(&self, id: FunctionId, at: usize) -> Option<Vec<Arc<str>>> {
        let (source, function) = self.get(id)?;
        let mut words = source.scan.sites.get(at).and_then(text_of)?.split_whitespace();
        let is_delete = words.next().is_some_and(|word| word.eq_ignore_ascii_case("delete"));
        if !is_delete || words.any(|word| word.eq_ignore_ascii_case("where")) {
            return None;
        }
        let mut after = Work::default();
        let rest = function.flow.walk().skip_while(|part| !matches!(part, Flow::Query(site) if *site == at));
        for part in rest.skip(1) {
            match part {
                Flow::Query(site) => self.add_query(id.source, *site, &mut after),
                Flow::Call(call) => self.add_call(id.source, call, 0, &mut HashSet::new(), &mut after),
                _ => {}
            }
        }
        let text = |(source, at): &(usize, usize)| {
            text_of(self.sources().get(*source)?.scan.sites.get(*at)?).map(Arc::from)
        };
        // COPY is not among the words that write.
        Some(after.writes.iter().chain(&after.reads).filter_map(text).collect())
    }

    /// The query that a call of one of these functions reaches first.
    pub(super) fn end_of(&self, targets: &[FunctionId]) -> Option<&Site> {
        let (_, site) = self.walk_to_query(self.nearest_target(targets)?, |_, _| {})?;
        Some(site)
    }

    fn add(&self, source: usize, flow: &Flow, depth: usize, seen: &mut HashSet<FunctionId>, work: &mut Work) {
        for part in flow.walk() {
            match part {
                Flow::Query(site) => self.add_query(source, *site, work),
                Flow::Call(call) => self.add_call(source, call, depth, seen, work),
                _ => {}
            }
        }
    }

    fn add_query(&self, source: usize, at: usize, work: &mut Work) {
        let Some(site) = self.sources().get(source).and_then(|it| it.scan.sites.get(at)) else { return };
        if site.is_of_session() {
            return;
        }
        work.is_unknown |= site.sql == SiteSql::Dynamic && site.built.is_none();
        work.locks |= locks(site);
        match writes(site) {
            true => work.writes.insert((source, at)),
            false => work.reads.insert((source, at)),
        };
    }

    fn add_call(
        &self,
        source: usize,
        call: &CallRef,
        depth: usize,
        seen: &mut HashSet<FunctionId>,
        work: &mut Work,
    ) {
        let name = call.callee.name();
        work.begins |= name == "begin" && call.arguments == 0;
        let targets = self.targets(source, call);
        if let Callee::Field(field) = &call.callee {
            let code = self.stored_as(&field.name);
            if !code.is_empty() && depth < MAX_CALL_DEPTH {
                code.iter().for_each(|(by, body)| self.add(by.source, body, depth + 1, seen, work));
                return;
            }
        }
        if targets.is_empty() {
            let is_of_program =
                !call.sends && (is_of_program(name, call.arguments) || waits::is_of_cache(call));
            // Work that blocks is long, wherever it is waited for: `timeout(limit, spawn_blocking(..)).await`.
            let waits = call.awaited || call.sends || name == "spawn_blocking";
            work.is_handed_on |= call.on_database && !is_of_program;
            if waits && (call.sends || !call.on_database) && !is_of_program {
                work.waits.get_or_insert_with(|| call.written.clone());
            }
            return;
        }
        // Of a function that reaches no query, nothing is read but its name.
        if self.asks_service(source, call) {
            work.waits.get_or_insert_with(|| call.written.clone());
        }
        let target = self.nearest_target(targets).or_else(|| targets.first().copied());
        let Some(target) = target.filter(|target| depth < MAX_CALL_DEPTH && seen.insert(*target)) else {
            return;
        };
        let Some((_, function)) = self.get(target) else { return };
        self.add(target.source, &function.flow, depth + 1, seen, work);
    }
}

fn operation(statements: usize) -> String {
    format!("each iteration is a separate operation of up to {statements} statements")
}

/// Whether each iteration names other tables in the query that its call reaches: all arguments of the call vary.
fn names_vary(call: &CallRef, around: &Loop, end: &Site) -> bool {
    let varies = |name: &String| around.elements.contains(name) || around.variables.contains(name);
    let given = call.given.as_deref().unwrap_or_default();
    let is_of_self = || end.built.iter().any(|built| built.names.iter().any(|name| name == "self"));
    end.names_tables() && !given.is_empty() && given.iter().all(varies) && !is_of_self()
}

/// The text of a query as far as it is known.
pub(super) fn text_of(site: &Site) -> Option<&str> {
    match (&site.sql, &site.built) {
        (SiteSql::Literal(literal), _) => Some(literal.text.as_ref()),
        (_, Some(built)) => Some(built.begin.as_str()),
        _ => None,
    }
}

/// Whether a statement makes or changes an object of the schema, judging by its first word.
pub(super) fn changes_schema(site: &Site) -> bool {
    let first = text_of(site).and_then(|text| text.split_whitespace().next()).unwrap_or_default();
    matches!(
        first.to_ascii_lowercase().as_str(),
        "alter"
            | "attach"
            | "cluster"
            | "comment"
            | "create"
            | "detach"
            | "drop"
            | "grant"
            | "refresh"
            | "reindex"
            | "revoke"
    )
}

/// Whether a query locks the rows that it reads: `FOR UPDATE`, `FOR SHARE`, `FOR NO KEY UPDATE`.
pub(super) fn locks(site: &Site) -> bool {
    let words = || text_of(site).unwrap_or_default().split_whitespace();
    let begins_with =
        |word: &str, lock: &str| word.get(..lock.len()).is_some_and(|it| it.eq_ignore_ascii_case(lock));
    words().zip(words().skip(1)).any(|(word, next)| {
        word.eq_ignore_ascii_case("for")
            && ["update", "share", "no", "key"].iter().any(|lock| begins_with(next, lock))
    })
}

/// Whether a query writes, judging by its words.
pub(super) fn writes(site: &Site) -> bool {
    let Some(text) = text_of(site) else { return false };
    let mut words = text.split_whitespace().map(str::to_ascii_lowercase);
    let is_write = |word: &str| matches!(word, "insert" | "update" | "delete" | "merge" | "replace");
    match words.next().as_deref() {
        // `FOR UPDATE` locks, and does not write.
        Some("with") => {
            let words: Vec<String> = words.collect();
            words.windows(2).any(|pair| {
                matches!(
                    (pair[0].as_str(), pair[1].as_str()),
                    ("insert" | "merge", "into") | ("delete", "from")
                ) || pair[0] != "for" && pair[1] == "update"
            })
        }
        first => first.is_some_and(is_write),
    }
}

/// Whether an awaited method waits for something of the program itself: locks, channels, tasks, caches.
fn is_of_program(name: &str, arguments: usize) -> bool {
    match name {
        name if matches!(yields(name), Some(Yields::Wait | Yields::Locked)) => true,
        // The permits of a semaphore are for what follows.
        "acquire_arc" | "acquire_many" | "acquire_many_owned" | "acquire_owned" => true,
        "contains" | "invalidate" | "join_next" | "join" | "connect" | "close" | "clone" | "fetch"
        | "fetch_all" | "fetch_one" | "fetch_optional" | "execute" | "map_err" | "boxed"
        | "with_subscriber" | "with_context" | "into_future" => true,
        "get" | "insert" | "remove" => arguments > 0,
        "send" => arguments == 1,
        _ => false,
    }
}
