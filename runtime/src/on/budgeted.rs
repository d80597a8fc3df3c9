//! [`Budgeted`], [`BudgetedStream`] and [`Measured`]: the futures and streams that users await.

use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use pin_project_lite::pin_project;

use super::outcome::Ending;
use super::scope::{Scope, scope};
use super::scoped::Scoped;
use crate::report::Report;

pin_project! {
    /// A future that runs in a scope, which is checked when the future is ready. Made by [`Scope::run`].
    ///
    /// The scope is entered whenever the future is polled and while it is dropped, so it follows the future from thread
    /// to thread and does not see what other futures do in between.
    #[must_use = "futures do nothing unless polled"]
    pub struct Budgeted<F> {
        #[pin]
        scoped: Scoped<F>,
    }
}

impl<F> Budgeted<F> {
    pub(crate) fn new(scope: Scope, future: F) -> Self {
        Self { scoped: Scoped::new(scope, future) }
    }
}

impl<F: Future> Future for Budgeted<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().scoped.poll(context) {
            Poll::Ready((output, scope)) => {
                scope.judge(Ending::Finished);
                Poll::Ready(output)
            }
            Poll::Pending => Poll::Pending,
        }
    }
}

pin_project! {
    /// A stream that runs in a scope, which is checked when the stream ends. Made by [`Scope::run_stream`].
    ///
    /// The scope is entered whenever the stream is polled and while it is dropped.
    #[must_use = "streams do nothing unless polled"]
    pub struct BudgetedStream<S> {
        #[pin]
        scoped: Scoped<S>,
    }
}

impl<S> BudgetedStream<S> {
    pub(crate) fn new(scope: Scope, stream: S) -> Self {
        Self { scoped: Scoped::new(scope, stream) }
    }
}

impl<S: Stream> Stream for BudgetedStream<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.project().scoped.poll_next(context).map(|item| match item? {
            Ok(item) => Some(item),
            Err(scope) => {
                scope.judge(Ending::Finished);
                None
            }
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.scoped.inner().map_or((0, Some(0)), Stream::size_hint)
    }
}

pin_project! {
    /// A future that returns its output and a report of its queries. Made by [`measure`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Measured<F> {
        #[pin]
        scoped: Scoped<F>,
    }
}

/// Runs the future and reports its database access.
///
/// ```
/// # sqlx::__rt::test_block_on(async {
/// let (answer, report) = query_budget::measure(async { 42 }).await;
/// assert_eq!((answer, report.queries()), (42, 0));
/// # });
/// ```
#[track_caller]
pub fn measure<F: Future>(future: F) -> Measured<F> {
    measure_at(Location::caller(), future)
}

/// The same for code at another place.
pub(crate) fn measure_at<F: Future>(location: &'static Location<'static>, future: F) -> Measured<F> {
    Measured { scoped: Scoped::new(scope("measured code").at(location).unrecorded().read(), future) }
}

impl<F: Future> Future for Measured<F> {
    type Output = (F::Output, Report);

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().scoped.poll(context).map(|(output, scope)| {
            scope.tell_what_is_not_counted();
            (output, scope.report())
        })
    }
}

crate::macros::debug_without_inner!(Budgeted, BudgetedStream, Measured);
