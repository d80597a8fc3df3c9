//! Scopes and counts when nothing is counted: the same names as in `on/`, and nothing in them.
//!
//! Everything here is to vanish in compilation, so that a release build holds sqlx's own code and no more.

use std::borrow::Cow;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

#[cfg(feature = "sqlx")]
use futures_util::stream::BoxStream;
use futures_util::stream::Stream;
use pin_project_lite::pin_project;
#[cfg(feature = "sqlx")]
use sqlx::Database;

use crate::report::{Counts, Report};
#[cfg(feature = "sqlx")]
use crate::site::Site;

/// See the other half: here a query counts nowhere.
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
    pub(crate) fn executed<DB: Database>(self, _: Option<&DB::Arguments>) {}

    #[inline]
    pub(crate) fn row_count(self) -> Self {
        self
    }

    #[inline]
    pub(crate) fn saw_one(&mut self) {}

    #[inline]
    pub(crate) fn time<F: Future>(
        self,
        start: impl FnOnce() -> F,
        _: impl FnOnce(&F::Output) -> Option<usize>,
    ) -> F {
        start()
    }

    #[inline]
    pub(crate) fn time_alone<F: Future>(
        self,
        execution: F,
        _: impl FnOnce(&F::Output) -> Option<usize>,
    ) -> F {
        execution
    }

    #[inline]
    pub(crate) fn begin<'e, T>(self, start: impl FnOnce() -> BoxStream<'e, T>) -> BoxStream<'e, T> {
        start()
    }

    #[inline]
    pub(crate) fn observe<'e, T>(self, start: impl FnOnce() -> BoxStream<'e, T>) -> BoxStream<'e, T> {
        start()
    }
}

/// A stretch of code with limits on its queries. Nothing is counted in this build: it holds and does nothing.
#[derive(Clone, Debug)]
#[must_use = "a scope does nothing until something is run in it"]
pub struct Scope(());

/// A scope of that name. Nothing is counted in this build: nothing counts in it.
#[inline]
pub fn scope(_: impl Into<Cow<'static, str>>) -> Scope {
    Scope(())
}

impl Scope {
    /// At most so many queries.
    #[inline]
    pub fn max(self, _: usize) -> Self {
        self
    }

    /// At most so many rows fetched, over all queries.
    #[inline]
    pub fn rows(self, _: usize) -> Self {
        self
    }

    /// At most so much time spent in queries, over all of them.
    #[inline]
    pub fn time(self, _: Duration) -> Self {
        self
    }

    /// At most so many times each statement.
    #[inline]
    pub fn repeats(self, _: usize) -> Self {
        self
    }

    /// Its body has queries that are not written with `sql!`.
    #[doc(hidden)]
    #[inline]
    pub fn raw(self) -> Self {
        self
    }

    /// Runs the future in this scope.
    #[inline]
    pub fn run<F: Future>(self, future: F) -> Budgeted<F> {
        Budgeted { future }
    }

    /// Gives the rows of the stream in this scope.
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
    /// A future that runs in a scope. Nothing is counted in this build: it is the future and no more.
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
    /// A stream that runs in a scope. Nothing is counted in this build: it is the stream and no more.
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
    /// A future that counts in scopes it has left. Nothing is counted in this build: it is the future and no more.
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

/// The scopes that are current at one moment. Nothing is counted in this build.
#[derive(Clone, Debug)]
pub struct CurrentBudget(());

/// The scopes that are current now.
#[inline]
#[must_use]
pub fn current() -> CurrentBudget {
    CurrentBudget(())
}

/// Runs the future outside of every scope. Nothing is counted in this build.
#[inline]
pub fn uncounted<F: Future>(future: F) -> InBudget<F> {
    InBudget { future }
}

/// What the innermost scope has counted so far. Nothing is counted in this build.
#[inline]
#[must_use]
pub fn counts() -> Option<Counts> {
    None
}

impl CurrentBudget {
    /// What the scope has counted so far. Nothing is counted in this build.
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
    /// A future that gives its output and a report. Nothing is counted in this build: the report is empty and
    /// says so.
    #[must_use = "futures do nothing unless polled"]
    pub struct Measured<F> {
        #[pin]
        future: F,
    }
}

/// Runs the future and reports what it asked of the database.
#[inline]
pub fn measure<F: Future>(future: F) -> Measured<F> {
    Measured { future }
}

impl<F: Future> Future for Measured<F> {
    type Output = (F::Output, Report);

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().future.poll(context).map(|output| (output, Report::not_counted()))
    }
}

/// Takes back the hook of [`set_hook`]. Nothing is counted in this build.
#[inline]
pub fn reset_hook() {}

/// Hands every report of a scope over its budget to `hook`. Nothing is counted in this build.
#[inline]
pub fn set_hook(_: impl Fn(&Report) + Send + Sync + 'static) {}

crate::macros::debug_without_inner!(Budgeted, BudgetedStream, InBudget, Measured);
