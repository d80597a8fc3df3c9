//! Scopes and counts in a build that does not count: the same names as in `on/`, without any content.
//!
//! Everything here has to be optimised away, so that a release build contains sqlx's own code and no more.

use std::borrow::Cow;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

#[cfg(feature = "sqlx")]
use futures_util::future::BoxFuture;
#[cfg(feature = "sqlx")]
use futures_util::stream::BoxStream;
use futures_util::stream::Stream;
use pin_project_lite::pin_project;

#[cfg(feature = "sqlx")]
use crate::driver::{ArgumentsOf, Database};
use crate::report::{Counts, Report};
use crate::site::Site;

/// The counterpart of the type in `on/`: here a query counts nowhere.
#[cfg(feature = "sqlx")]
#[derive(Clone, Copy)]
pub(crate) struct Counter;

#[cfg(feature = "sqlx")]
impl Counter {
    #[inline]
    pub(crate) fn new(_: &'static Site) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn sql(self) -> Option<&'static str> {
        None
    }

    #[inline]
    pub(crate) fn witness(self) -> Self {
        self
    }

    #[inline]
    pub(crate) fn of<T>(&self, value: T) -> T {
        value
    }

    #[inline]
    pub(crate) fn bound(&mut self, _: Self) {}

    #[inline]
    pub(crate) fn executed<DB: Database>(self, _: Option<&ArgumentsOf<DB>>) {}

    #[inline]
    pub(crate) fn row_count(self) -> Self {
        self
    }

    #[inline]
    pub(crate) fn saw_one(&mut self) {}

    #[inline]
    pub(crate) fn time<'e, T>(
        self,
        start: impl FnOnce() -> BoxFuture<'e, T>,
        _: impl FnOnce(&T) -> Option<usize>,
    ) -> BoxFuture<'e, T> {
        start()
    }

    #[inline]
    pub(crate) fn time_alone<'e, F: Future + Send + 'e>(
        self,
        execution: F,
        _: impl FnOnce(&F::Output) -> Option<usize>,
    ) -> BoxFuture<'e, F::Output> {
        Box::pin(execution)
    }

    #[inline]
    pub(crate) fn begin<'e, T>(self, start: impl FnOnce() -> BoxStream<'e, T>) -> BoxStream<'e, T> {
        start()
    }

    #[inline]
    pub(crate) fn observe<'e, T>(self, start: impl FnOnce() -> BoxStream<'e, T>) -> BoxStream<'e, T> {
        start()
    }

    #[inline]
    pub(crate) fn observe_some<'e, T, E>(
        self,
        start: impl FnOnce() -> BoxStream<'e, Result<T, E>>,
        _: fn(&T) -> bool,
    ) -> BoxStream<'e, Result<T, E>> {
        start()
    }
}

/// A stretch of code with limits on its queries. This build does not count: it has no limits and no effect.
#[derive(Clone, Debug)]
#[must_use = "a scope does nothing until something is run in it"]
pub struct Scope(());

/// A scope with this name. This build does not count: nothing counts in it.
#[inline]
pub fn scope(_: impl Into<Cow<'static, str>>) -> Scope {
    Scope(())
}

impl Scope {
    /// The maximum number of queries.
    #[inline]
    pub fn max(self, _: usize) -> Self {
        self
    }

    /// The maximum number of rows fetched, over all queries.
    #[inline]
    pub fn rows(self, _: usize) -> Self {
        self
    }

    /// The maximum time spent in queries, over all of them.
    #[inline]
    pub fn time(self, _: Duration) -> Self {
        self
    }

    /// The maximum number of executions of each statement.
    #[inline]
    pub fn repeats(self, _: usize) -> Self {
        self
    }

    /// Marks its body as having queries that are not written with `sql!`.
    #[doc(hidden)]
    #[inline]
    pub fn raw(self) -> Self {
        self
    }

    /// Marks its body as having a `COPY`.
    #[doc(hidden)]
    #[inline]
    pub fn copies(self) -> Self {
        self
    }

    /// Runs the future in this scope.
    #[inline]
    pub fn run<F: Future>(self, future: F) -> Budgeted<F> {
        Budgeted { future }
    }

    /// Runs the stream in this scope.
    #[inline]
    pub fn run_stream<S: Stream>(self, stream: S) -> BudgetedStream<S> {
        BudgetedStream { stream }
    }

    /// Runs the closure in this scope.
    #[inline]
    pub fn run_sync<R>(self, body: impl FnOnce() -> R) -> R {
        body()
    }
}

pin_project! {
    /// A future that runs in a scope. This build does not count: it is only the future.
    #[must_use = "futures do nothing unless polled"]
    pub struct Budgeted<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Budgeted<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().future.poll(context)
    }
}

pin_project! {
    /// A stream that runs in a scope. This build does not count: it is only the stream.
    #[must_use = "streams do nothing unless polled"]
    pub struct BudgetedStream<S> {
        #[pin]
        stream: S,
    }
}

impl<S: Stream> Stream for BudgetedStream<S> {
    type Item = S::Item;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.project().stream.poll_next(context)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}

pin_project! {
    /// A future that counts as one execution of a statement. This build does not count: it is only the future.
    #[must_use = "futures do nothing unless polled"]
    pub struct Counted<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().future.poll(context)
    }
}

/// Runs the future. This build does not count.
#[doc(hidden)]
#[inline]
pub fn counted<F: Future>(_: &'static Site, future: F) -> Counted<F> {
    Counted { future }
}

pin_project! {
    /// A future that counts in the scopes it has left. This build does not count: it is only the future.
    #[must_use = "futures do nothing unless polled"]
    pub struct InBudget<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for InBudget<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().future.poll(context)
    }
}

/// The scopes that are current at one moment. This build does not count.
#[derive(Clone, Debug)]
pub struct CurrentBudget(());

/// The scopes that are current now.
#[inline]
#[must_use]
pub fn current() -> CurrentBudget {
    CurrentBudget(())
}

/// Runs the future outside of every scope. This build does not count.
#[inline]
pub fn uncounted<F: Future>(future: F) -> InBudget<F> {
    InBudget { future }
}

/// The counts of the innermost scope so far. This build does not count.
#[inline]
#[must_use]
pub fn counts() -> Option<Counts> {
    None
}

impl CurrentBudget {
    /// The counts of the scope so far. This build does not count.
    #[inline]
    #[must_use]
    pub fn counts(&self) -> Option<Counts> {
        None
    }

    /// Runs the future in these scopes.
    #[inline]
    pub fn run<F: Future>(&self, future: F) -> InBudget<F> {
        InBudget { future }
    }

    /// Runs the closure in these scopes.
    #[inline]
    pub fn run_sync<R>(&self, body: impl FnOnce() -> R) -> R {
        body()
    }
}

pin_project! {
    /// A future that returns its output and a report. This build does not count: the report is empty and says
    /// so.
    #[must_use = "futures do nothing unless polled"]
    pub struct Measured<F> {
        #[pin]
        future: F,
    }
}

/// Runs the future and reports its database access.
#[inline]
pub fn measure<F: Future>(future: F) -> Measured<F> {
    Measured { future }
}

/// The same for code at another place.
#[inline]
pub(crate) fn measure_at<F: Future>(_: &'static std::panic::Location<'static>, future: F) -> Measured<F> {
    measure(future)
}

impl<F: Future> Future for Measured<F> {
    type Output = (F::Output, Report);

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().future.poll(context).map(|output| (output, Report::not_counted()))
    }
}

/// Removes the hook of [`set_hook`]. This build does not count.
#[inline]
pub fn reset_hook() {}

/// Passes every report of a scope over its budget to `hook`. This build does not count.
#[inline]
pub fn set_hook(_: impl Fn(&Report) + Send + Sync + 'static) {}

crate::macros::debug_without_inner!(Budgeted, BudgetedStream, Counted, InBudget, Measured);
