//! How a query reports to the current scopes: that it was executed, its rows and its time.

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};

use super::current;
use super::parameters::Parameters;
use super::running;
use super::tally::Seen;
use super::watch::{Observed, Timed};
use super::witness::Witness;
use crate::driver::{ArgumentsOf, Database};
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

    /// The text of the query.
    pub(crate) fn sql(self) -> Option<&'static str> {
        Some(self.site.sql)
    }

    /// Creates a witness of the next bound value.
    #[inline(always)]
    pub(crate) fn witness(self) -> Witness {
        self.parameters.witness(self.site)
    }

    /// Records the bound value.
    #[inline(always)]
    pub(crate) fn bound(&mut self, witness: Witness) {
        self.parameters = witness.parameters();
    }

    /// Records that the query was passed to a connection with these arguments.
    pub(crate) fn executed<DB: Database>(self, arguments: Option<&ArgumentsOf<DB>>) {
        let (database, parameters) = (DB::NAME, self.parameters.with_arguments(arguments));
        let is_watched = running::has_executed(self.site, DB::NAME);
        current::record(
            self.site,
            &Seen { executions: 1, database, parameters, is_watched, ..Seen::NOTHING },
        );
    }

    /// Records rows of the query.
    pub(crate) fn rows(self, rows: usize) {
        if rows == 0 {
            return;
        }
        current::record(self.site, &Seen { rows, ..Seen::NOTHING });
    }

    /// Counts rows one by one, and reports them when it is dropped.
    pub(crate) fn row_count(self) -> RowCount {
        RowCount { counter: self, rows: 0 }
    }

    /// The execution that `start` creates at the first poll, timed from then until it is ready or dropped,
    /// with the rows of its output counted.
    pub(crate) fn time<'e, T: 'e>(
        self,
        start: impl FnOnce() -> BoxFuture<'e, T> + Send + 'e,
        rows: impl FnOnce(&T) -> Option<usize> + Send + 'e,
    ) -> BoxFuture<'e, T> {
        Box::pin(Timed::new(self.site, async move { start().await }, rows, false))
    }

    /// Like [`time`](Self::time), for an execution that counts its rows itself.
    pub(crate) fn time_alone<'e, F: Future + Send + 'e>(
        self,
        execution: F,
        rows: impl FnOnce(&F::Output) -> Option<usize> + Send + 'e,
    ) -> BoxFuture<'e, F::Output> {
        Box::pin(Timed::new(self.site, execution, rows, true))
    }

    /// The rows that `start` returns at the first poll. Drivers take a query's arguments, which is when it
    /// counts, as soon as a stream is requested, but send nothing before it is polled.
    pub(crate) fn begin<'e, T: 'e>(
        self,
        start: impl FnOnce() -> BoxStream<'e, T> + Send + 'e,
    ) -> BoxStream<'e, T> {
        stream::once(async move { start() }).flatten().boxed()
    }

    /// The rows that `start` returns, timed, and counted as they arrive.
    pub(crate) fn observe<'e, T: 'e, E: 'e>(
        self,
        start: impl FnOnce() -> BoxStream<'e, Result<T, E>> + Send + 'e,
    ) -> BoxStream<'e, Result<T, E>> {
        self.observe_some(start, |_| true)
    }

    /// Like [`observe`](Self::observe), for a stream whose items are not all rows.
    pub(crate) fn observe_some<'e, T: 'e, E: 'e>(
        self,
        start: impl FnOnce() -> BoxStream<'e, Result<T, E>> + Send + 'e,
        is_row: fn(&T) -> bool,
    ) -> BoxStream<'e, Result<T, E>> {
        Box::pin(Observed::new(self.site, self.begin(start), is_row))
    }
}

/// The rows of one execution that is a future; the rows of a stream count as they arrive.
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
