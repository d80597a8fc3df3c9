//! [`Scope`]: a stretch of code whose queries are counted, and its limits.

use std::borrow::Cow;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;

use super::budgeted::{Budgeted, BudgetedStream};
use super::current::{self, EnteredNode, Node};
use super::notice;
use super::outcome::{self, Ending};
use crate::report::{Limits, Report};

/// A stretch of code with limits on its queries. Made by [`scope`].
#[derive(Clone, Debug)]
#[must_use = "a scope does nothing until something is run in it"]
pub struct Scope {
    name: Cow<'static, str>,
    location: &'static Location<'static>,
    limits: Limits,
    /// Whether its body has queries that are not written with `sql!`.
    raw: bool,
    /// Whether its count is read, whatever the limits.
    is_read: bool,
    /// Whether it is one of the scopes that `stats` and `metrics` report.
    #[cfg(any(feature = "stats", feature = "metrics"))]
    is_recorded: bool,
}

/// A scope with this name and no limits yet. Its place in reports is the place of this call.
#[track_caller]
pub fn scope(name: impl Into<Cow<'static, str>>) -> Scope {
    Scope {
        name: name.into(),
        location: Location::caller(),
        limits: Limits::default(),
        raw: false,
        is_read: false,
        #[cfg(any(feature = "stats", feature = "metrics"))]
        is_recorded: true,
    }
}

impl Scope {
    /// Sets its place in reports.
    #[cfg(feature = "tower")]
    pub(crate) fn at(mut self, location: &'static Location<'static>) -> Self {
        self.location = location;
        self
    }

    /// Sets its limits.
    #[cfg(feature = "tower")]
    pub(crate) fn limited(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The maximum number of queries.
    pub fn max(mut self, queries: usize) -> Self {
        self.limits.queries = Some(queries);
        self
    }

    /// The maximum number of rows fetched, over all queries.
    pub fn rows(mut self, rows: usize) -> Self {
        self.limits.rows = Some(rows);
        self
    }

    /// The maximum time spent in queries, over all of them. Concurrent queries each count in full.
    pub fn time(mut self, time: Duration) -> Self {
        self.limits.time = Some(time);
        self
    }

    /// The maximum number of executions of each statement. A statement that runs more often should run once
    /// for all elements.
    pub fn repeats(mut self, times: usize) -> Self {
        self.limits.repeats = Some(times);
        self
    }

    /// Marks its count as read, whatever its limits.
    pub(crate) fn read(self) -> Self {
        Self { is_read: true, ..self }
    }

    /// Excludes it from the scopes of the process: whoever made it asks for its report.
    pub(crate) fn unrecorded(self) -> Self {
        #[cfg(any(feature = "stats", feature = "metrics"))]
        return Self { is_recorded: false, ..self };
        #[cfg(not(any(feature = "stats", feature = "metrics")))]
        self
    }

    /// Marks its body as having queries that are not written with `sql!`. For the expansion of the attribute,
    /// which sees the body.
    #[doc(hidden)]
    pub fn raw(mut self) -> Self {
        self.raw = true;
        self
    }

    /// Runs the future in this scope. It is checked when the future has its output.
    ///
    /// # Panics
    ///
    /// The returned future panics if the scope ends over its budget, unless `QUERY_BUDGET` or a hook says
    /// otherwise.
    pub fn run<F: Future>(self, future: F) -> Budgeted<F> {
        Budgeted::new(self, future)
    }

    /// Runs the stream in this scope. It is checked when the stream has ended; one that is dropped before its
    /// end never panics.
    ///
    /// # Panics
    ///
    /// The returned stream panics if it ends over its budget, unless `QUERY_BUDGET` or a hook says otherwise.
    pub fn run_stream<S: Stream>(self, stream: S) -> BudgetedStream<S> {
        BudgetedStream::new(self, stream)
    }

    /// Runs the closure in this scope, and checks it.
    ///
    /// # Panics
    ///
    /// If the scope ends over its budget, unless `QUERY_BUDGET` or a hook says otherwise.
    pub fn run_sync<R>(self, body: impl FnOnce() -> R) -> R {
        let _entered = self.enter();
        body()
    }

    /// Enters this scope until the guard is dropped, which checks it. For the expansion of the attribute,
    /// whose body may `return`.
    #[doc(hidden)]
    pub fn enter(self) -> Entered {
        let open = OpenScope::new(self);
        Entered { entered: Some(open.enter()), open }
    }
}

/// A scope that has begun.
pub(crate) struct OpenScope {
    scope: Scope,
    node: Arc<Node>,
    #[cfg(any(feature = "stats", feature = "metrics"))]
    started: std::time::Instant,
}

impl OpenScope {
    /// Begins the scope, within the current one.
    pub(crate) fn new(scope: Scope) -> Self {
        let node = Node::within_current();
        #[cfg(feature = "otel")]
        super::otel::begin(&node, &scope.name);
        Self {
            scope,
            node,
            #[cfg(any(feature = "stats", feature = "metrics"))]
            started: std::time::Instant::now(),
        }
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    pub(crate) fn enter(&self) -> EnteredNode {
        current::enter(Some(Arc::clone(&self.node)))
    }

    pub(crate) fn report(&self) -> Report {
        let tally = self.node.tally();
        Report::new(self.scope.name.clone(), self.scope.location, self.scope.limits, tally.statements())
    }

    /// Checks the scope, and reacts if it is over its budget.
    pub(crate) fn judge(&self, ending: Ending) {
        if let Some(over) = self.verdict(ending) {
            panic!("{over}");
        }
    }

    /// Like [`judge`](Self::judge), but returns the report instead of panicking.
    pub(crate) fn verdict(&self, ending: Ending) -> Option<Report> {
        if ending == Ending::Finished {
            self.tell_what_is_not_counted();
        }
        #[cfg(any(feature = "stats", feature = "metrics"))]
        if self.scope.is_recorded {
            super::ended::scope(super::ended::ScopeRun {
                name: &self.scope.name,
                queries: self.node.tally().queries(),
                time: self.started.elapsed(),
            });
        }
        #[cfg(feature = "tracing")]
        if self.node.is_outermost()
            && self.node.tally().most_repeated() >= crate::settings::settings().repeated
        {
            self.report().tell_repeated();
        }
        if self.scope.limits.is_none() { None } else { outcome::verdict(self.report(), ending) }
    }

    /// Reports once that queries of this scope, or some of them, cannot be counted.
    pub(crate) fn tell_what_is_not_counted(&self) {
        let Scope { name, location, .. } = &self.scope;
        if self.scope.raw {
            notice::raw_queries_ran(name, location, &self.node);
        } else if self.scope.is_read || !self.scope.limits.is_none() {
            notice::count_is_read(name, location, &self.node);
        }
    }
}

impl Drop for OpenScope {
    fn drop(&mut self) {
        #[cfg(feature = "otel")]
        self.node.otel().ended(self.node.tally().queries());
        self.node.end();
    }
}

/// A scope entered on this thread, checked when this is dropped.
#[doc(hidden)]
#[must_use = "the scope ends when this is dropped"]
pub struct Entered {
    entered: Option<EnteredNode>,
    open: OpenScope,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.entered = None;
        // During a panic, a second one would abort the process.
        if !std::thread::panicking() {
            self.open.judge(Ending::Finished);
        }
    }
}
