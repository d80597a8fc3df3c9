//! The call graph of a workspace: resolves calls to functions by Rust's rules for names and types, and finds
//! calls in loops that reach a query.
//!
//! A call that cannot be resolved proves nothing and is left out; so is one that only matches by name.

pub(super) mod nearest;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use self::nearest::{Nearest, serves};
use super::globs;
use super::growth::Growth;
use super::handed::{Field, Parameter};
use super::jobs::Jobs;
use super::keys::Key;
use super::resolve::{Context, Names};
use super::turns::{Steps, Turns};
use super::waits::QueryOrCall;
use crate::finding::Place;
use crate::rust::flow::{CallRef, Callee, Flow};
use crate::rust::function::Function;
use crate::rust::site::{Form, Loop, LoopKind, Site, SiteSql};
use crate::rust::source::{FunctionId, SourceFile};
use crate::rust::type_ref::TypeRef;
use crate::rust::walk::purpose;
use crate::sql::Dialect;

/// The method that says how a value is awaited.
const INTO_FUTURE: &str = "into_future";

/// A call in a loop over data that reaches a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopCall {
    /// The function that contains the loop.
    pub caller: FunctionId,
    /// The call in the loop, which starts the chain.
    pub call: CallRef,
    /// Whether it gets a closure that runs the query, so that the query is in the caller itself.
    pub handed: bool,
    /// The loop: the innermost one over data.
    pub around: Loop,
    /// The chain from the call to the query, each with its place; the last link is the query.
    pub chain: Vec<Link>,
    /// How many functions the call may resolve to.
    pub candidates: usize,
    /// The names of what its query runs on, where that is known.
    pub runs_on: Vec<String>,
    /// The dialect of its query, if the type of the connection determines it.
    pub dialect: Option<Dialect>,
    /// Whether its query runs in a transaction that the call is given.
    pub in_transaction: bool,
    /// Why it is true but seldom worth a change, as a note: one query for all would not do the same.
    pub aside: Option<String>,
    /// Whether its arguments or its result may change in each iteration: a value of the loop goes into it, or
    /// something else that is not known to stay the same.
    pub varies: bool,
    /// Whether a value of the loop goes into it, or something that may change in each iteration.
    pub takes_of_loop: bool,
    /// What its query is given.
    pub key: Key,
    /// Whether its query is made by this project's macros.
    pub is_checked: bool,
    /// Whether the loop goes through the rows of a query.
    pub grows: bool,
}

/// One link of a chain of calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The place of the call or query.
    pub place: Place,
    /// What it is, as written.
    pub what: String,
    /// The enclosing function.
    pub function: String,
    /// The text of the query, if it is one and its text is known.
    pub sql: Option<Arc<str>>,
}

impl Link {
    /// The last link: the query itself.
    pub(super) fn of(site: &Site, function: &Function) -> Link {
        Link {
            place: site.place.clone(),
            what: site.written.clone(),
            function: function.path.to_string(),
            sql: match &site.sql {
                SiteSql::Literal(literal) => Some(Arc::clone(&literal.text)),
                SiteSql::File(_) | SiteSql::Dynamic => None,
            },
        }
    }
}

/// The call graph of a set of sources.
#[derive(Debug)]
pub(in crate::rust) struct CallGraph<'a> {
    sources: Vec<&'a SourceFile>,
    pub(super) names: Names<'a>,
    /// The functions that each call may resolve to, by source and number.
    targets: Vec<Vec<Vec<FunctionId>>>,
    /// The position of the first function of each source among all functions.
    first: Vec<usize>,
    /// The group of each function; functions that reach each other share one.
    groups: Vec<usize>,
    /// For functions that reach a query about rows: how many calls away it is, and the call to follow (none where they run it).
    nearest: HashMap<FunctionId, Nearest<'a>>,
    /// The functions that reach a query of any kind.
    querying: HashSet<FunctionId>,
    /// The functions that serve, themselves or in what they call; empty where no program starts.
    pub(super) serving: HashSet<FunctionId>,
    /// The functions that run only while a service starts.
    start: HashSet<FunctionId>,
    /// What only jobs reach.
    pub(super) jobs: Jobs,
    /// The parameters that are called in a loop over data, with the loop.
    pub(super) looped: HashMap<Parameter, Loop>,
    /// The functions that choose the schema which a connection works on.
    pub(super) tenants: HashSet<FunctionId>,
    /// The code in fields of structs: the function that puts it there, and what it does.
    pub(super) stored: HashMap<Field, Vec<(FunctionId, &'a Flow)>>,
    /// The parameters that functions put into fields, with these fields.
    pub(super) kept: HashMap<Parameter, Vec<Field>>,
    /// For functions that were asked about: the queries and calls that they make only while a service starts.
    pub(super) at_start: RefCell<HashMap<FunctionId, Steps>>,
    /// The loops of functions, as soon as one is asked for.
    pub(super) turns: RefCell<HashMap<FunctionId, Turns<'a>>>,
}

impl<'a> CallGraph<'a> {
    /// Builds the graph over the functions of all sources.
    pub(in crate::rust) fn new(sources: Vec<&'a SourceFile>) -> CallGraph<'a> {
        let names = Names::new(&sources);
        let mut graph = CallGraph {
            names,
            sources,
            targets: Vec::new(),
            first: Vec::new(),
            groups: Vec::new(),
            nearest: HashMap::new(),
            querying: HashSet::new(),
            serving: HashSet::new(),
            start: HashSet::new(),
            jobs: Jobs::default(),
            looped: HashMap::new(),
            tenants: HashSet::new(),
            stored: HashMap::new(),
            kept: HashMap::new(),
            at_start: RefCell::default(),
            turns: RefCell::default(),
        };
        graph.find_targets();
        graph.find_groups();
        graph.find_nearest();
        graph.serving = graph.find_serving();
        graph.start = graph.find_start();
        graph.jobs = graph.find_jobs();
        graph.looped = graph.find_looped();
        graph.tenants = graph.find_tenants();
        graph.find_stored();
        graph
    }

    /// The names of the sources.
    pub(super) fn names(&self) -> &Names<'a> {
        &self.names
    }

    /// The sources of the graph.
    pub(in crate::rust) fn sources(&self) -> &[&'a SourceFile] {
        &self.sources
    }

    /// The functions that a call of this source may resolve to; empty if it cannot be resolved.
    pub(in crate::rust) fn targets(&self, source: usize, call: &CallRef) -> &[FunctionId] {
        self.targets.get(source).and_then(|calls| calls.get(call.number)).map_or(&[], Vec::as_slice)
    }

    /// Like `targets`, by the number of the call.
    pub(in crate::rust) fn targets_of(&self, source: usize, call: usize) -> &[FunctionId] {
        self.targets.get(source).and_then(|calls| calls.get(call)).map_or(&[], Vec::as_slice)
    }

    /// Whether a call of `to` by `from` can recurse into `from`.
    pub(in crate::rust) fn is_recursion(&self, from: FunctionId, to: FunctionId) -> bool {
        from == to || self.group(from).is_some_and(|group| Some(group) == self.group(to))
    }

    fn group(&self, id: FunctionId) -> Option<usize> {
        self.groups.get(self.first.get(id.source)? + id.function).copied()
    }

    /// Groups functions that reach each other.
    fn find_groups(&mut self) {
        let mut next = 0;
        for source in &self.sources {
            self.first.push(next);
            next += source.scan.functions.len();
        }
        let mut edges = vec![Vec::new(); next];
        for (position, id) in self.functions().enumerate() {
            let Some((_, function)) = self.get(id) else { continue };
            let Some(edges) = edges.get_mut(position) else { continue };
            for call in function.flow.calls() {
                let targets = self.targets(id.source, call).iter();
                edges.extend(targets.filter_map(|to| Some(self.first.get(to.source)? + to.function)));
            }
        }
        self.groups = globs::groups(&edges);
    }

    fn find_targets(&mut self) {
        let mut targets: Vec<Vec<Vec<FunctionId>>> = vec![Vec::new(); self.sources.len()];
        let has_future = self.names.has_future();
        for caller in self.functions() {
            let Some((_, function)) = self.get(caller) else { continue };
            let Some(context) = self.names.context(caller) else { continue };
            let Some(of_source) = targets.get_mut(caller.source) else { continue };
            for call in function.flow.calls() {
                if of_source.len() <= call.number {
                    of_source.resize(call.number + 1, Vec::new());
                }
                let meant = match &call.callee {
                    Callee::Path(path) => self.names.function(&context, path),
                    Callee::SelfMethod(name) => self.names.method_of_self(&context, name),
                    Callee::Method { name, on } => self.names.method(&context, on, name),
                    Callee::Field(_) | Callee::Value(_) => Vec::new(),
                };
                let meant = if has_future { self.with_future(&context, call, meant) } else { meant };
                if let Some(slot) = of_source.get_mut(call.number) {
                    *slot = meant;
                }
            }
        }
        self.targets = targets;
    }

    /// What a call means, with what runs because its value is awaited: the type of that may say how.
    fn with_future(
        &self,
        context: &Context<'_>,
        call: &CallRef,
        mut meant: Vec<FunctionId>,
    ) -> Vec<FunctionId> {
        let is_value = |id: &FunctionId| self.get(*id).is_some_and(|(_, function)| !function.is_async);
        if !call.awaited || meant.is_empty() || !meant.iter().all(is_value) {
            return meant;
        }
        let given = match &call.callee {
            Callee::Path(path) => TypeRef::Returned(path.clone()),
            Callee::SelfMethod(name) => TypeRef::Method(Box::new(TypeRef::SelfType), name.clone()),
            Callee::Method { name, on } => TypeRef::Method(Box::new(on.clone()), name.clone()),
            Callee::Field(_) | Callee::Value(_) => return meant,
        };
        let mut future = self.names.method(context, &given, INTO_FUTURE);
        // Most builders run nothing themselves.
        let runs = |id: &FunctionId| self.get(*id).is_some_and(|(_, function)| !function.flow.is_empty());
        if !future.is_empty() && !meant.iter().any(runs) {
            return future;
        }
        meant.append(&mut future);
        meant
    }

    /// All resolved calls, as pairs of caller and callee.
    pub(in crate::rust) fn all_calls(&self) -> Vec<(FunctionId, FunctionId)> {
        let mut calls = Vec::new();
        for caller in self.functions() {
            let Some((_, function)) = self.get(caller) else { continue };
            for call in function.flow.calls() {
                calls.extend(self.targets(caller.source, call).iter().map(|target| (caller, *target)));
            }
        }
        calls
    }

    /// Whether a function reaches a query, directly or indirectly.
    pub(in crate::rust) fn queries(&self, function: FunctionId) -> bool {
        self.querying.contains(&function)
    }

    /// The names of the methods that reach a query and whose result may be awaited, outside of test code.
    pub(super) fn querying_methods(&self) -> HashSet<&'a str> {
        let querying = self.querying.iter().filter_map(|id| self.get(*id));
        let methods = querying.filter(|(_, function)| {
            function.self_type.is_some() && !function.in_test && !function.implements("Iterator")
        });
        methods.map(|(_, function)| function.name.as_str()).collect()
    }

    /// Whether a type, as written in a function, is certainly none of the workspace.
    pub(super) fn is_foreign(&self, function: FunctionId, ty: &TypeRef) -> bool {
        let context = self.names.context(function);
        let ty = context.and_then(|context| self.names.resolve_type(&context, ty, 0));
        ty.is_some_and(|ty| self.names.is_foreign(ty))
    }

    /// The calls in loops over data that reach a query, outside of test code.
    pub(in crate::rust) fn querying_calls_in_loops(&self) -> Vec<LoopCall> {
        let mut found = Vec::new();
        let callers = self.callers();
        for caller in self.functions() {
            let Some((_, function)) = self.get(caller).filter(|(_, function)| !function.in_test) else {
                continue;
            };
            let kept = self.kept_calls(caller);
            for call in function.flow.calls() {
                if call.batched || kept.contains(&call.number) {
                    continue;
                }
                let is_ours = |around: &Loop| {
                    matches!(around.exempt, None | Some(purpose::DISPATCHES))
                        && !self.is_of_array(caller, around)
                };
                // What an inner loop does for some of its elements alone is not done for those of the loops around it either.
                let Some(index) = call.loops.iter().rposition(is_ours) else { continue };
                let Some(around) = call.loops.get(index).filter(|it| it.exempt.is_none()) else { continue };
                let targets = self.targets(caller.source, call);
                let grows = self.growth(caller, &call.loops, index, &callers) == Growth::Rows;
                let is_of_tenants = || self.enters_tenant(caller, around, QueryOrCall::Call(call.number));
                if !grows && self.is_on_component(caller, call, around)
                    || draws(call, around)
                    || is_of_tenants()
                {
                    continue;
                }
                let serves = |target: &FunctionId| self.get(*target).is_some_and(|(_, it)| serves(&it.flow));
                if targets.iter().any(|target| self.is_cache(*target) || serves(target)) {
                    continue;
                }
                let takes_many = |site: &Site| site.built.as_ref().is_some_and(|built| built.takes_many);
                if self.end_of(targets).is_some_and(takes_many) {
                    continue;
                }
                let chain = match &call.callee {
                    Callee::Field(field) => self.chain_of_field(caller, call, field),
                    _ => self.chain(function, call, targets),
                };
                let Some(chain) = chain else { continue };
                if !targets.is_empty() && targets.iter().all(|target| self.only_makes(*target)) {
                    continue;
                }
                found.push(LoopCall {
                    caller,
                    call: call.clone(),
                    handed: false,
                    around: around.clone(),
                    chain,
                    candidates: targets.len(),
                    runs_on: self.runs_on(targets),
                    dialect: self.dialect_at_end(targets),
                    in_transaction: self.passes_transaction(caller, call, targets, &callers),
                    aside: self
                        .aside(caller, call, index)
                        .or_else(|| self.why_few(caller, call, index, &callers)),
                    grows,
                    takes_of_loop: varies(call, around),
                    key: self.key(call, targets),
                    is_checked: self.end_of(targets).is_some_and(|site| site.form == Form::Checked),
                    varies: varies(call, around)
                        || self.turn_writes(caller, call, around)
                        || !self.repeats(caller, call, around),
                });
            }
            found.append(&mut self.looping_helpers(caller));
        }
        found
    }

    /// Whether a loop goes through an array in a field, whose length the source determines.
    pub(super) fn is_of_array(&self, function: FunctionId, around: &Loop) -> bool {
        around.of != TypeRef::Unknown
            && self.names.context(function).is_some_and(|context| self.names.is_array(&context, &around.of))
    }

    /// The names of what the query runs on that a call of one of these functions reaches first.
    fn runs_on(&self, targets: &[FunctionId]) -> Vec<String> {
        let call = self.end_of(targets).and_then(|site| site.call.as_ref());
        call.map(|call| call.executor()).unwrap_or_default()
    }

    /// Whether the call is a method of the loop's element and the element is a trait object: a component of
    /// the program. What a loop takes out of its collection is data.
    fn is_on_component(&self, caller: FunctionId, call: &CallRef, around: &Loop) -> bool {
        let Callee::Method { on, .. } = &call.callee else { return false };
        let receiver = call.written.split('.').next().unwrap_or_default();
        !around.over.contains(".drain(")
            && around.elements.iter().any(|name| name == receiver)
            && self.names.context(caller).is_some_and(|context| self.names.is_trait_object(&context, on))
    }

    /// All functions of all sources.
    pub(super) fn all_functions(&self) -> impl Iterator<Item = FunctionId> + use<'a> {
        self.functions()
    }

    /// Whether a function runs only while a service starts.
    pub(super) fn is_of_start(&self, function: FunctionId) -> bool {
        self.start.contains(&function)
    }

    fn functions(&self) -> impl Iterator<Item = FunctionId> + use<'a> {
        let sources = self.sources.clone();
        sources.into_iter().enumerate().flat_map(|(source, file)| {
            (0..file.scan.functions.len()).map(move |function| FunctionId { source, function })
        })
    }

    /// A function and its source.
    pub(in crate::rust) fn get(&self, id: FunctionId) -> Option<(&'a SourceFile, &'a Function)> {
        let source = self.sources.get(id.source)?;
        Some((source, source.scan.functions.get(id.function)?))
    }
}

/// Whether the arguments of a call may change in each iteration of a loop.
fn varies(call: &CallRef, around: &Loop) -> bool {
    let name = call.callee.name();
    let steps = ["next", "pop", "take", "claim", "poll", "dequeue", "advance"];
    let is_over_elements = match around.kind {
        LoopKind::For | LoopKind::Combinator => true,
        LoopKind::While => !around.variables.is_empty(),
        LoopKind::Loop => false,
    };
    !is_over_elements
        || steps.iter().any(|step| name.starts_with(step))
        || call.given.as_ref().is_none_or(|given| {
            given.iter().any(|name| call.loops.iter().any(|around| around.variables.contains(name)))
        })
}

/// Whether a call fetches the work of an endless loop's iteration: the next page, until there is none.
fn draws(call: &CallRef, around: &Loop) -> bool {
    let name = call.callee.name();
    around.kind == LoopKind::Loop && (name == "next" || name == "try_next" || name.starts_with("next_"))
}

pub(super) fn link(call: &CallRef, function: &Function) -> Link {
    let (place, what) = (call.place.clone(), call.written.clone());
    Link { place, what, function: function.path.to_string(), sql: None }
}

/// The first query that is not of the session alone (`SET TRANSACTION ..`, `BEGIN`), which no other could stand in for.
pub(super) fn first_query(flow: &Flow, sites: &[Site]) -> Option<usize> {
    flow.queries().find(|site| !sites.get(*site).is_some_and(Site::is_of_session))
}
