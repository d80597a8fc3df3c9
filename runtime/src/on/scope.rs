//! [`Scope`]: a stretch of code whose queries are counted, and the limits it has to keep.

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
    /// Whether someone reads the count, whatever the limits.
    is_read: bool,
    /// Whether it is one of the scopes that `stats` and `metrics` tell of.
    #[cfg(any(feature = "stats", feature = "metrics"))]
    is_recorded: bool,
}

/// A scope of that name, with no limits yet. Its place in reports is where this is called.
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
    /// Its place in reports is another one.
    #[cfg(feature = "tower")]
    pub(crate) fn at(mut self, location: &'static Location<'static>) -> Self {
        self.location = location;
        self
    }

    /// Has these limits.
    #[cfg(feature = "tower")]
    pub(crate) fn limited(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// At most so many queries.
    pub fn max(mut self, queries: usize) -> Self {
        self.limits.queries = Some(queries);
        self
    }

    /// At most so many rows fetched, over all queries.
    pub fn rows(mut self, rows: usize) -> Self {
        self.limits.rows = Some(rows);
        self
    }

    /// At most so much time spent in queries, over all of them. Queries that run at the same time each count in full.
    pub fn time(mut self, time: Duration) -> Self {
        self.limits.time = Some(time);
        self
    }

    /// At most so many times each statement. What runs more often is better run once for all elements.
    pub fn repeats(mut self, times: usize) -> Self {
        self.limits.repeats = Some(times);
        self
    }

    /// Its count is read, whatever its limits.
    pub(crate) fn read(self) -> Self {
        Self { is_read: true, ..self }
    }

    /// Is asked for its report by whoever made it, and is none of the scopes of the process.
    pub(crate) fn unrecorded(self) -> Self {
        #[cfg(any(feature = "stats", feature = "metrics"))]
        return Self { is_recorded: false, ..self };
        #[cfg(not(any(feature = "stats", feature = "metrics")))]
        self
    }

    /// Its body has queries that are not written with `sql!`. For the expansion of the attribute, which sees the body.
    #[doc(hidden)]
    pub fn raw(mut self) -> Self {
        self.raw = true;
        self
    }

    /// Runs the future in this scope. It is judged when the future has its output.
    ///
    /// # Panics
    ///
    /// The future returned panics when the scope ends over its budget, unless `QUERY_BUDGET` or a hook says otherwise.
    pub fn run<F: Future>(self, future: F) -> Budgeted<F> {
        Budgeted::new(self, future)
    }

    /// Gives the elements of the stream in this scope. It is judged when the stream has ended; one that is dropped
    /// before its end never panics.
    ///
    /// # Panics
    ///
    /// The stream returned panics where it ends over its budget, unless `QUERY_BUDGET` or a hook says otherwise.
    pub fn run_stream<S: Stream>(self, stream: S) -> BudgetedStream<S> {
        BudgetedStream::new(self, stream)
    }

    /// Runs the closure in this scope, and judges it.
    ///
    /// # Panics
    ///
    /// When the scope ends over its budget, unless `QUERY_BUDGET` or a hook says otherwise.
    pub fn run_sync<R>(self, body: impl FnOnce() -> R) -> R {
        let _entered = self.enter();
        body()
    }

    /// Enters this scope until the guard is dropped, which judges it. For the expansion of the attribute, whose body
    /// may `return`.
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

    /// Judges the scope: does what is to be done when it is over its budget.
    pub(crate) fn judge(&self, ending: Ending) {
        if let Some(over) = self.verdict(ending) {
            panic!("{over}");
        }
    }

    /// The same, but for a panic: gives the report that it would have.
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

    /// Says once that the queries of this scope, or some of them, cannot be counted.
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

/// A scope entered on this thread, judged when this is dropped.
#[doc(hidden)]
#[must_use = "the scope ends when this is dropped"]
pub struct Entered {
    entered: Option<EnteredNode>,
    open: OpenScope,
}

impl Drop for Entered {
    fn drop(&mut self) {
        self.entered = None;
        // A body that panics says something more urgent, and a second panic would abort the process.
        if !std::thread::panicking() {
            self.open.judge(Ending::Finished);
        }
    }
}
