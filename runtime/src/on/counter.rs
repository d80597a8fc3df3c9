//! How a query tells the current scopes that it was executed, what rows it gave and how long it took.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use sqlx::Database;

use super::current;
use super::ended::{self, Execution};
use super::parameters::Parameters;
use super::tally::Seen;
use super::witness::Witness;
use crate::site::Site;

/// Counts the executions of the query at one site.
#[derive(Clone, Copy)]
pub(crate) struct Counter {
    site: &'static Site,
    parameters: Parameters,
}

impl Counter {
    pub(crate) fn new(site: &'static Site) -> Self {
        Self { site, parameters: Parameters::NONE }
    }

    /// What sees the value that is bound next.
    pub(crate) fn witness(self) -> Witness {
        self.parameters.witness(self.site)
    }

    /// The value was bound.
    pub(crate) fn bound(&mut self, witness: Witness) {
        self.parameters = witness.parameters();
    }

    /// The query was handed to a connection with these arguments.
    pub(crate) fn executed<DB: Database>(self, arguments: Option<&DB::Arguments>) {
        let (database, parameters) = (DB::NAME, self.parameters.with_arguments(arguments));
        #[cfg(feature = "tracing")]
        let is_watched = super::running::is_running(self.site.sql);
        current::record(
            self.site,
            Seen {
                executions: 1,
                database,
                parameters,
                #[cfg(feature = "tracing")]
                is_watched,
                ..Seen::default()
            },
        );
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

    /// The execution, timed from its first poll until it is ready or dropped, and the rows of its output counted.
    pub(crate) async fn time<F: Future>(
        self,
        execution: F,
        rows: impl FnOnce(&F::Output) -> usize,
    ) -> F::Output {
        let mut watch = Watch::new(self);
        watch.resume();
        let output = self.running(execution).await;
        watch.saw(rows(&output));
        output
    }

    /// The same for an execution that counts its rows by itself.
    pub(crate) async fn time_alone<F: Future>(
        self,
        execution: F,
        rows: impl FnOnce(&F::Output) -> usize,
    ) -> F::Output {
        let mut watch = Watch::new(self);
        watch.resume();
        let output = self.running(execution).await;
        watch.rows_in_all = rows(&output);
        output
    }

    /// The execution, known to be of this query by whoever listens to sqlx.
    #[cfg(feature = "tracing")]
    fn running<F: Future>(self, execution: F) -> super::running::Running<F> {
        super::running::Running::new(self.site, execution)
    }

    #[cfg(not(feature = "tracing"))]
    fn running<F: Future>(self, execution: F) -> F {
        execution
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
        Box::pin(Observed { rows: Some(rows), watch: Watch::new(self) })
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

/// Times one execution; tells the current scopes when it is paused or dropped, and of its end when it is dropped.
struct Watch {
    counter: Counter,
    since: Option<Instant>,
    /// Rows that the scopes have not been told of.
    rows: usize,
    rows_in_all: usize,
    time_in_all: Option<Duration>,
}

impl Watch {
    fn new(counter: Counter) -> Self {
        Self { counter, since: None, rows: 0, rows_in_all: 0, time_in_all: None }
    }

    fn resume(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    fn saw(&mut self, rows: usize) {
        self.rows += rows;
        self.rows_in_all += rows;
    }

    fn pause(&mut self) {
        if let Some(since) = self.since.take() {
            let (time, rows) = (since.elapsed(), std::mem::take(&mut self.rows));
            self.time_in_all = Some(self.time_in_all.unwrap_or_default() + time);
            current::record(self.counter.site, Seen { time, rows, ..Seen::default() });
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.pause();
        let site = self.counter.site;
        if let Some(time) = self.time_in_all {
            ended::execution(Execution { sql: site.sql, site: Some(site), rows: self.rows_in_all, time });
        }
    }
}

/// A stream of rows under a watch, which stands still while the consumer is busy with a row.
struct Observed<'e, T> {
    // Taken out where it is dropped, for sqlx tells of a statement then.
    rows: Option<BoxStream<'e, T>>,
    watch: Watch,
}

impl<T> Drop for Observed<'_, T> {
    fn drop(&mut self) {
        #[cfg(feature = "tracing")]
        let _running = super::running::enter(self.watch.counter.site);
        self.rows = None;
    }
}

impl<T, E> Stream for Observed<'_, Result<T, E>> {
    type Item = Result<T, E>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        #[cfg(feature = "tracing")]
        let _running = super::running::enter(self.watch.counter.site);
        self.watch.resume();
        let polled = match &mut self.rows {
            Some(rows) => rows.as_mut().poll_next(context),
            None => Poll::Ready(None),
        };
        if let Poll::Ready(item) = &polled {
            self.watch.saw(usize::from(matches!(item, Some(Ok(_)))));
            self.watch.pause();
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}
