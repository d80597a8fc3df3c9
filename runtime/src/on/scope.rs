//! [`Scope`]: a stretch of code whose queries are counted, and its limits.

use std::borrow::Cow;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;

use super::budgeted::{Budgeted, BudgetedStream};
use super::current::{self, EnteredNode};
use super::node::Node;
use super::notice;
use super::outcome::{self, Ending};
use crate::report::{Limits, Report};

/// A stretch of code with limits on its queries. Made by [`scope`].
///
/// ```
/// # async fn load() -> u32 { 7 }
/// # sqlx::__rt::test_block_on(async {
/// let page = query_budget::scope("page").max(3).repeats(2).run(load()).await;
/// # assert_eq!(page, 7);
/// # });
/// ```
#[derive(Clone, Debug)]
#[must_use = "a scope does nothing until something is run in it"]
pub struct Scope {
    name: Cow<'static, str>,
    location: &'static Location<'static>,
    limits: Limits,
    /// Whether it has any.
    is_limited: bool,
    /// Whether its body has queries that are not written with `sql!`.
    raw: bool,
    /// Whether its body has a `COPY`, which sqlx does not log.
    copies: bool,
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
        limits: Limits::NONE,
        is_limited: false,
        raw: false,
        copies: false,
        is_read: false,
        #[cfg(any(feature = "stats", feature = "metrics"))]
        is_recorded: true,
    }
}

impl Scope {
    /// Sets its place in reports.
    pub(crate) fn at(mut self, location: &'static Location<'static>) -> Self {
        self.location = location;
        self
    }

    /// Sets its limits.
    #[cfg(feature = "tower")]
    pub(crate) fn limited(mut self, limits: Limits) -> Self {
        self.is_limited = limits != Limits::NONE;
        self.limits = limits;
        self
    }

    /// The maximum number of queries.
    pub fn max(mut self, queries: usize) -> Self {
        self.limits.queries = Some(queries);
        self.is_limited = true;
        self
    }

    /// The maximum number of rows fetched, over all queries.
    pub fn rows(mut self, rows: usize) -> Self {
        self.limits.rows = Some(rows);
        self.is_limited = true;
        self
    }

    /// The maximum time spent in queries, over all of them. Concurrent queries each count in full.
    pub fn time(mut self, time: Duration) -> Self {
        self.limits.time = Some(time);
        self.is_limited = true;
        self
    }

    /// The maximum number of executions of each statement. A statement that runs more often should run once
    /// for all elements.
    pub fn repeats(mut self, times: usize) -> Self {
        self.limits.repeats = Some(times);
        self.is_limited = true;
        self
    }

    /// Marks its count as read, whatever its limits.
    pub(crate) fn read(self) -> Self {
        Self { is_read: true, ..self }
    }

    /// Excludes it from the scopes of the process: its creator reads its report.
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

    /// Marks its body as having a `COPY` that is not passed to `counted!`, likewise.
    #[doc(hidden)]
    pub fn copies(mut self) -> Self {
        self.copies = true;
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
        let mut open = OpenScope::new(self);
        Entered { entered: open.enter(), open }
    }
}

/// A scope that begins when it is first entered.
pub(crate) struct OpenScope {
    scope: Scope,
    /// Its node, once something needs it.
    node: Option<Arc<Node>>,
    /// Whether it has been entered.
    has_begun: bool,
    #[cfg(any(feature = "stats", feature = "metrics"))]
    started: Option<std::time::Instant>,
}

impl OpenScope {
    pub(crate) fn new(scope: Scope) -> Self {
        Self {
            scope,
            node: None,
            has_begun: false,
            #[cfg(any(feature = "stats", feature = "metrics"))]
            started: None,
        }
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Whether it has been entered.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Enters it; the first time it begins, within the current scope. After leaving it, call [`Self::left`].
    pub(crate) fn enter(&mut self) -> EnteredNode {
        if !self.has_begun {
            self.has_begun = true;
            #[cfg(any(feature = "stats", feature = "metrics"))]
            if self.scope.is_recorded {
                self.started = Some(std::time::Instant::now());
            }
        }
        #[cfg(feature = "tracing")]
        if self.node.is_none() {
            self.make_for_listeners();
        }
        match &self.node {
            Some(node) => current::enter(Some(Arc::clone(node))),
            None => current::begin(),
        }
    }

    /// Creates its node if a subscriber needs it.
    #[cfg(feature = "tracing")]
    fn make_for_listeners(&mut self) {
        // Without a subscriber there is no layer.
        if tracing::level_filters::LevelFilter::current() == tracing::level_filters::LevelFilter::OFF {
            return;
        }
        #[cfg(feature = "otel")]
        if super::otel::is_listened_to() {
            let node = current::within_current();
            super::otel::begin(&node, &self.scope.name);
            self.node = Some(node);
            return;
        }
        if super::span::is_needed() {
            self.node = Some(current::within_current());
        }
    }

    /// Takes the node that was created while it was entered.
    #[inline(always)]
    pub(crate) fn left(&mut self, node: Option<Arc<Node>>) {
        if self.node.is_none() {
            self.node = node;
        }
    }

    pub(crate) fn report(&self) -> Report {
        let statements = match &self.node {
            Some(node) => node.tally().statements(),
            None => Vec::new(),
        };
        Report::new(self.scope.name.clone(), self.scope.location, self.scope.limits, statements)
    }

    /// Checks the scope, and reacts if it is over its budget.
    pub(crate) fn judge(&self, ending: Ending) {
        if let Some(over) = self.verdict(ending) {
            outcome::fail(&over);
        }
    }

    /// Like [`judge`](Self::judge), but returns the report instead of panicking.
    pub(crate) fn verdict(&self, ending: Ending) -> Option<Report> {
        if ending == Ending::Finished {
            self.tell_what_is_not_counted();
        }
        #[cfg(any(feature = "stats", feature = "metrics"))]
        if let Some(started) = self.started {
            super::ended::scope(super::ended::ScopeRun {
                name: &self.scope.name,
                queries: self.queries(),
                time: started.elapsed(),
            });
        }
        #[cfg(feature = "tracing")]
        if let Some(node) = &self.node
            && node.is_outermost()
            && node.tally().has_repeated(crate::settings::repeated())
        {
            self.report().tell_repeated();
        }
        if self.scope.is_limited { outcome::verdict(self.report(), ending) } else { None }
    }

    /// Reports once that queries of this scope, or some of them, cannot be counted.
    pub(crate) fn tell_what_is_not_counted(&self) {
        let scope = &self.scope;
        if scope.copies {
            notice::copies_ran(&scope.name, scope.location);
        }
        if scope.raw {
            notice::raw_queries_ran(&scope.name, scope.location, self.node.as_deref());
        } else if scope.is_read || scope.is_limited || self.node.as_ref().is_some_and(|node| node.is_read()) {
            notice::count_is_read(&scope.name, scope.location, self.node.as_deref());
        }
        if (scope.is_read || scope.limits.rows.is_some() || scope.limits.time.is_some())
            && let Some(node) = &self.node
        {
            notice::rows_are_read(&scope.name, scope.location, node);
        }
    }

    #[cfg(any(feature = "stats", feature = "metrics"))]
    fn queries(&self) -> usize {
        match &self.node {
            Some(node) => node.tally().queries(),
            None => 0,
        }
    }
}

impl Drop for OpenScope {
    fn drop(&mut self) {
        let Some(node) = &self.node else { return };
        #[cfg(feature = "otel")]
        if let Some(traced) = node.if_traced() {
            traced.otel.ended(node.tally().queries());
        }
        node.end();
    }
}

/// A scope entered on this thread, checked when this is dropped.
#[doc(hidden)]
#[must_use = "the scope ends when this is dropped"]
pub struct Entered {
    entered: EnteredNode,
    open: OpenScope,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.open.left(self.entered.leave());
        // During a panic, a second one would abort the process.
        if !std::thread::panicking() {
            self.open.judge(Ending::Finished);
        }
    }
}
