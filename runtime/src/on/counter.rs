//! How a query tells the current scopes that it was executed, what rows it gave and how long it took.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};

use super::current;
use super::tally::Seen;
use crate::site::Site;

/// Counts the executions of the query at one site.
#[derive(Clone, Copy)]
pub(crate) struct Counter {
    site: &'static Site,
}

impl Counter {
    pub(crate) fn new(site: &'static Site) -> Self {
        Self { site }
    }

    /// The query was handed to a connection of that kind of database.
    pub(crate) fn executed(self, database: &'static str) {
        current::record(self.site, Seen { executions: 1, database, ..Seen::default() });
    }

    /// The query gave so many rows.
    pub(crate) fn rows(self, rows: usize) {
        if rows == 0 {
            return;
        }
        current::record(self.site, Seen { rows, ..Seen::default() });
    }

    /// Counts rows one by one, and tells of them when it is dropped.
    pub(crate) fn row_count(self) -> RowCount {
        RowCount { counter: self, rows: 0 }
    }

    /// The execution, timed from its first poll until it is ready or dropped.
    pub(crate) async fn time<F: Future>(self, execution: F) -> F::Output {
        let mut watch = Watch::new(self);
        watch.resume();
        execution.await
    }

    /// The stream that `start` gives, timed, and its rows counted as they come.
    ///
    /// `start` is called at the first poll: drivers take a query's arguments, which is when it counts, as soon as they
    /// are asked for a stream, but send nothing before it is polled.
    pub(crate) fn observe<'e, T: 'e, E: 'e>(
        self,
        start: impl FnOnce() -> BoxStream<'e, Result<T, E>> + Send + 'e,
    ) -> BoxStream<'e, Result<T, E>> {
        let rows = stream::once(async move { start() }).flatten().boxed();
        Box::pin(Observed { rows, watch: Watch::new(self) })
    }
}

/// The rows of one execution that is a future; a stream's count as they come.
pub(crate) struct RowCount {
    counter: Counter,
    rows: usize,
}

impl RowCount {
    pub(crate) fn saw_one(&mut self) {
        self.rows += 1;
    }
}

impl Drop for RowCount {
    fn drop(&mut self) {
        self.counter.rows(self.rows);
    }
}

/// Times one execution; tells the current scopes when it is paused or dropped.
struct Watch {
    counter: Counter,
    since: Option<Instant>,
}

impl Watch {
    fn new(counter: Counter) -> Self {
        Self { counter, since: None }
    }

    fn resume(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    fn pause(&mut self) {
        if let Some(since) = self.since.take() {
            current::record(self.counter.site, Seen { time: since.elapsed(), ..Seen::default() });
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.pause();
    }
}

/// A stream of rows under a watch, which stands still while the consumer is busy with a row.
struct Observed<'e, T> {
    rows: BoxStream<'e, T>,
    watch: Watch,
}

impl<T, E> Stream for Observed<'_, Result<T, E>> {
    type Item = Result<T, E>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.watch.resume();
        let polled = self.rows.as_mut().poll_next(context);
        if let Poll::Ready(item) = &polled {
            self.watch.pause();
            if let Some(Ok(_)) = item {
                self.watch.counter.rows(1);
            }
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.size_hint()
    }
}
