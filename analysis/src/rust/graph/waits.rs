//! What the iterations of a loop wait for other than a query: a service elsewhere, which takes longer. If each iteration waits for
//! one, the query is not the main cost.

use super::calls::CallGraph;
use super::growth::{self, Callers, Growth};
use super::{jobs, turn, turns};
use crate::rust::flow::{CallRef, Callee, Flow};
use crate::rust::site::SiteSql;
use crate::rust::source::{FunctionId, SiteFact};
use crate::rust::type_ref::TypeRef;
use crate::rust::walk::{SERVICES, pace};

/// The maximum number of calls that are followed to one of a service.
const MAX_CALL_DEPTH: usize = 2;

/// A query, or a call that reaches one.
#[derive(Debug, Clone, Copy)]
pub(super) enum QueryOrCall {
    /// A call, by its number.
    Call(usize),
    /// A query, by its position among the sites.
    Query(usize),
}

/// How far an iteration has come.
#[derive(Debug, Default)]
struct Course {
    /// Whether it has made the step.
    is_made: bool,
    /// The outermost of the iteration (0) and the loops and blocks in it (1, 2, ..) that may have ended afterwards.
    left: Option<usize>,
    /// The number of loops and blocks around, inside of the iteration.
    depth: usize,
}

impl Course {
    /// Notes what is left after the step.
    fn leave(&mut self, flow: &Flow) {
        let left = left_by(flow, self.depth).filter(|_| self.is_made);
        self.left = self.left.into_iter().chain(left).min();
    }

    /// Follows what is in a loop or block: code that leaves only this continues after it.
    fn inside<T>(&mut self, follow: impl FnOnce(&mut Self) -> T) -> T {
        self.depth += 1;
        let found = follow(self);
        self.left = self.left.filter(|left| *left < self.depth);
        self.depth -= 1;
        found
    }
}

impl QueryOrCall {
    /// Whether it is in some code.
    pub(super) fn is_in(self, flow: &Flow) -> bool {
        flow.walk().any(|part| match (self, part) {
            (QueryOrCall::Call(number), Flow::Call(call)) => call.number == number,
            (QueryOrCall::Query(site), Flow::Query(at)) => *at == site,
            _ => false,
        })
    }
}

impl CallGraph<'_> {
    /// What each iteration that reaches a step also waits for, as a note; `body` is that of the loop around the step.
    pub(super) fn longer_wait(&self, source: usize, body: &Flow, step: QueryOrCall) -> Option<String> {
        let wait = self.wait_in(source, body, step, &mut Course::default())?;
        Some(format!("each iteration also waits for `{wait}`, which takes longer than a query"))
    }

    /// Whether a call waits for a service elsewhere, which takes longer than a query: a method of a client, or a function
    /// outside of the workspace that is given one. A cache does not take longer, and an element of the loop is not a service.
    pub(super) fn asks_service(&self, source: usize, call: &CallRef) -> bool {
        if call.sends {
            return true;
        }
        let targets = self.targets(source, call);
        if call.awaited
            && (sends_mail(call) || moves_files(call))
            && !targets.iter().any(|target| self.queries(*target))
        {
            return true;
        }
        if !call.awaited || !call.on_service || is_of_cache(call) {
            return false;
        }
        let is_varying = |name: &str| {
            call.loops.iter().any(|around| {
                around.elements.iter().chain(&around.variables).any(|variable| variable == name)
            })
        };
        match &call.callee {
            Callee::Method { on, .. } => {
                let receiver = call.written.rsplit_once('.').map_or("", |(receiver, _)| receiver);
                let root =
                    receiver.split(|c: char| !c.is_alphanumeric() && c != '_').find(|it| !it.is_empty());
                let is_service = words(receiver).any(is_service) || name_of(on).is_some_and(is_service);
                is_service
                    && !root.is_some_and(is_varying)
                    && !targets.iter().any(|target| self.queries(*target))
            }
            Callee::Field(_) | Callee::Value(_) => false,
            Callee::Path(_) | Callee::SelfMethod(_) => {
                let given = call.given.iter().flatten().map(String::as_str);
                let is_element = |name: &str| is_varying(name) && words(name).any(is_service);
                // Of a function that reaches no query, nothing but the name is read.
                let is_left_out =
                    |target: &FunctionId| self.get(*target).is_some_and(|(_, it)| it.is_async && it.is_blank);
                targets.iter().all(is_left_out) && call.given.is_some() && !given.into_iter().any(is_element)
            }
        }
    }

    /// The first call of a service on the way to a step or after it.
    fn wait_in(&self, source: usize, flow: &Flow, step: QueryOrCall, course: &mut Course) -> Option<String> {
        match flow {
            Flow::Call(call) => {
                if step.is_in(flow) {
                    course.is_made = true;
                    return None;
                }
                let waits = !call.rare && course.left.is_none();
                if waits && (call.sends || !call.on_database) && self.asks_service(source, call) {
                    return Some(call.written.clone());
                }
                waits.then(|| self.asks_within(source, call, 0)).flatten()
            }
            Flow::Query(_) => {
                course.is_made |= step.is_in(flow);
                None
            }
            Flow::Seq(parts) => parts.iter().find_map(|part| self.wait_in(source, part, step, course)),
            Flow::Branch(parts) => match parts.iter().find(|part| step.is_in(part)) {
                Some(part) => self.wait_in(source, part, step, course),
                None => {
                    // `if let Some(url) = ..`, `match connect() { Ok(client) => .. }`
                    let waits = course.left.is_none();
                    let wait = parts.iter().filter(|_| waits).find_map(|part| self.asked(source, part, 0));
                    course.leave(flow);
                    wait
                }
            },
            Flow::Break(_) | Flow::Continue(_) | Flow::Return => {
                course.leave(flow);
                None
            }
            Flow::Loop(inner) if step.is_in(&inner.body) => {
                course.inside(|course| self.wait_in(source, &inner.body, step, course))
            }
            Flow::Block(inner) => course.inside(|course| self.wait_in(source, inner, step, course)),
            Flow::Scope(inner) => self.wait_in(source, inner, step, course),
            Flow::Handed(handed) if handed.once || step.is_in(&handed.body) => {
                self.wait_in(source, &handed.body, step, course)
            }
            _ => None,
        }
    }

    /// The first call of a service in the functions that a call means, where it is awaited.
    fn asks_within(&self, source: usize, call: &CallRef, depth: usize) -> Option<String> {
        if depth >= MAX_CALL_DEPTH {
            return None;
        }
        self.targets(source, call).iter().find_map(|target| {
            // What is not async runs where it is called, and waits there.
            let (_, function) = self.get(*target).filter(|(_, it)| call.awaited == it.is_async)?;
            self.asked(target.source, &function.flow, depth + 1)?;
            Some(call.written.clone())
        })
    }

    /// The first call of a service in some code, outside of what runs only after an error, or if a condition says so.
    fn asked(&self, source: usize, flow: &Flow, depth: usize) -> Option<String> {
        match flow {
            Flow::Call(call) if !call.rare && !call.chosen => {
                if (call.sends || !call.on_database) && self.asks_service(source, call) {
                    return Some(call.written.clone());
                }
                self.asks_within(source, call, depth)
            }
            Flow::Seq(parts) | Flow::Branch(parts) => {
                parts.iter().find_map(|part| self.asked(source, part, depth))
            }
            Flow::Block(inner) | Flow::Scope(inner) => self.asked(source, inner, depth),
            _ => None,
        }
    }

    /// What following the calls finds out about queries, by source: the position of each with the fact.
    pub(in crate::rust) fn facts_of_sites(&self) -> Vec<Vec<(usize, SiteFact)>> {
        let mut found = self.paged_sites();
        for (found, kept) in found.iter_mut().zip(self.kept_sites()) {
            found.extend(kept);
        }
        let callers = self.callers();
        for id in self.all_functions() {
            let (Some((_, function)), Some(of_source)) = (self.get(id), found.get_mut(id.source)) else {
                continue;
            };
            let queries: Vec<usize> = function.flow.queries().collect();
            let grows = queries.iter().filter(|site| self.site_grows(id, **site, &callers));
            of_source.extend(grows.map(|site| (*site, SiteFact::Grows)));
            let sites = self.sources().get(id.source).map_or(&[][..], |source| source.scan.sites.as_slice());
            for at in &queries {
                let loops = sites.get(*at).map_or(&[][..], |site| site.loops.as_slice());
                let fixed = loops.iter().enumerate().filter(|(_, around)| self.is_of_array(id, around));
                of_source.extend(fixed.map(|(nth, _)| (*at, SiteFact::Fixed(nth))));
            }
            for at in &queries {
                let loops = sites.get(*at).map_or(&[][..], |site| site.loops.as_slice());
                let entered = loops
                    .iter()
                    .enumerate()
                    .filter(|(_, around)| self.enters_tenant(id, around, QueryOrCall::Query(*at)));
                of_source.extend(entered.map(|(nth, _)| (*at, SiteFact::Databases(nth))));
            }
            let in_transaction = queries.iter().filter(|site| self.in_transaction(id, **site, &callers));
            of_source.extend(in_transaction.map(|site| (*site, SiteFact::InTransaction)));
            of_source.extend(queries.iter().filter_map(|site| {
                let statements = self.in_same_iteration(id, *site)?;
                Some((*site, SiteFact::InSameIteration(statements)))
            }));
            of_source.extend(queries.iter().filter_map(|site| {
                let statements = self.follow_up(id, *site)?;
                Some((*site, SiteFact::FollowUp(statements)))
            }));
            let at_start = queries.iter().filter(|site| self.is_at_start(id, QueryOrCall::Query(**site)));
            of_source.extend(at_start.map(|site| (*site, SiteFact::AtStart)));
            of_source.extend(
                queries.into_iter().filter_map(|site| {
                    Some((site, SiteFact::Aside(self.aside_of_site(id, site, &callers)?)))
                }),
            );
        }
        found
    }

    /// Whether the loops around a query go through the rows of a query.
    fn site_grows(&self, id: FunctionId, at: usize, callers: &Callers<'_>) -> bool {
        let site = self.get(id).and_then(|(source, _)| source.scan.sites.get(at));
        site.is_some_and(|site| {
            let index = site.loops.iter().rposition(|around| around.exempt.is_none());
            index.is_some_and(|index| self.growth(id, &site.loops, index, callers) == Growth::Rows)
        })
    }

    fn aside_of_site(&self, id: FunctionId, at: usize, callers: &Callers<'_>) -> Option<String> {
        let (source, _) = self.get(id)?;
        let site = source.scan.sites.get(at)?;
        let index = site.loops.iter().rposition(|around| around.exempt.is_none())?;
        let around = site.loops.get(index)?;
        if self.is_at_start(id, QueryOrCall::Query(at)) {
            return Some(super::start::WHY.to_owned());
        }
        if let Some(why) = self.why_site_is_pipelined(around, id, site) {
            return Some(why);
        }
        if !turn::writes(site) && self.is_of_job(id, QueryOrCall::Query(at)) {
            return Some(jobs::WHY.to_owned());
        }
        // What is only looked up can be read before the loop, whatever its iterations do.
        let is_sorted = around.pace == Some(pace::SORTED) && (turn::writes(site) || turn::locks(site));
        if around.pace == Some(pace::DIFFERS) || is_sorted {
            return around.pace.map(str::to_owned);
        }
        if self.growth(id, &site.loops, index, callers) == Growth::Few {
            return Some(growth::FEW_ELEMENTS.to_owned());
        }
        let step = QueryOrCall::Query(at);
        let body = self.body_of(id, around, step)?;
        if site.unit > index && self.locks_in(id.source, body) {
            return Some("each iteration has a transaction of its own".to_owned());
        }
        if self.is_long(id, around, step) {
            return Some(turns::LONG.to_owned());
        }
        if self.runs_script(id.source, body) {
            return Some(
                "each iteration runs a script that is read at run time, as a migration does".to_owned(),
            );
        }
        self.longer_wait(id.source, body, step)
            .or_else(|| self.first_wait(id.source, body, step))
            .or_else(|| self.many_statements(id.source, body, step))
    }

    /// Whether an iteration runs statements whose text is known only when it runs, by `raw_sql`, which takes several at once.
    fn runs_script(&self, source: usize, body: &Flow) -> bool {
        let sites = self.sources().get(source).map_or(&[][..], |source| source.scan.sites.as_slice());
        body.queries().filter_map(|at| sites.get(at)).any(|site| {
            let is_raw = site.written.rsplit("::").next() == Some("raw_sql");
            is_raw && site.sql == SiteSql::Dynamic && site.built.is_none()
        })
    }

    /// Whether a call may run a query, judging by what it is given; a store of files that is named like a database runs none, as far
    /// as all of its functions are seen.
    fn may_query(&self, source: usize, call: &CallRef) -> bool {
        let targets = self.targets(source, call);
        call.on_database && (targets.is_empty() || targets.iter().any(|target| self.queries(*target)))
    }

    /// What each iteration waits for before it reaches a step, unless that is a query: there are as many of those waits, and
    /// each takes at least as long. A lookup that decides whether there is a wait comes first.
    pub(super) fn first_wait(&self, source: usize, body: &Flow, step: QueryOrCall) -> Option<String> {
        let Flow::Seq(parts) = body else { return None };
        // Fetching the next element is not work on it: `while let Some(line) = lines.next_line().await?`.
        let ends =
            |part: &Flow| matches!(part, Flow::Branch(ways) if matches!(ways.first(), Some(Flow::Break(_))));
        let drawn = parts.iter().take_while(|part| !step.is_in(part)).position(ends).map_or(0, |at| at + 1);
        let before = parts.iter().skip(drawn).take_while(|part| !step.is_in(part));
        let wait = before.filter_map(|part| match part {
            Flow::Call(call) if call.awaited && !call.rare && !self.may_query(source, call) => {
                self.waits_elsewhere(source, call)
            }
            _ => None,
        });
        let wait = wait.take(1).next()?;
        Some(format!("each iteration first waits for `{wait}`, which is not a query"))
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

fn name_of(ty: &TypeRef) -> Option<&str> {
    match ty {
        TypeRef::Named(path, _) => path.last().map(String::as_str),
        _ => None,
    }
}

/// Whether a call sends mail or text messages, judging by its name and receiver: `self.email_sender.send_invitation`.
fn sends_mail(call: &CallRef) -> bool {
    let first = call.callee.name().split('_').next().unwrap_or_default();
    let is_mail = |word: &str| matches!(word, "email" | "emails" | "mail" | "mailer" | "mails" | "sms");
    matches!(first, "deliver" | "send") && words(&call.written).any(is_mail)
}

/// Whether a call moves files to or from a store of them: `artifact_store.delete_object`, `bucket.upload`.
fn moves_files(call: &CallRef) -> bool {
    let receiver = call.written.rsplit_once('.').map_or("", |(receiver, _)| receiver);
    let is_store =
        |word: &str| matches!(word, "artifact" | "blob" | "blobs" | "bucket" | "object" | "s3" | "storage");
    let is_file = |word: &str| {
        matches!(word, "blob" | "blobs" | "download" | "file" | "files" | "object" | "objects" | "upload")
    };
    words(receiver).any(is_store) && words(call.callee.name()).any(is_file)
}

/// Whether a name ends with a word for a service.
fn is_service(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SERVICES.iter().any(|end| name.ends_with(end))
}

/// Whether a call is of a cache, judging by the name and type of its receiver.
pub(super) fn is_of_cache(call: &CallRef) -> bool {
    let is_cache = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["cache", "memcached", "redis", "valkey"].iter().any(|word| name.contains(word))
    };
    let of_type = match &call.callee {
        Callee::Method { on, .. } => name_of(on).is_some_and(is_cache),
        _ => false,
    };
    of_type || is_cache(&call.written)
}

/// Whether code may go on with the next iteration of the loop that it is the body of.
pub(super) fn ends_turn(flow: &Flow) -> bool {
    match flow {
        Flow::Continue(0) => true,
        Flow::Seq(parts) | Flow::Branch(parts) => parts.iter().any(ends_turn),
        _ => false,
    }
}

/// The outermost construct that `flow` exits other than by an error: 0 is the iteration, 1.. the loops and blocks in it; `depth`
/// of them enclose `flow`.
fn left_by(flow: &Flow, depth: usize) -> Option<usize> {
    match flow {
        Flow::Continue(out) | Flow::Break(out) => Some(depth.saturating_sub(*out)),
        Flow::Return => Some(0),
        Flow::Seq(parts) | Flow::Branch(parts) => parts.iter().filter_map(|part| left_by(part, depth)).min(),
        Flow::Block(inner) => left_by(inner, depth + 1).filter(|left| *left <= depth),
        _ => None,
    }
}
