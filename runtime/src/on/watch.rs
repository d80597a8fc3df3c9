//! [`Timed`] and [`Observed`]: the execution of a counted query under a [`Watch`], which measures its time.
//!
//! The time is that of the database and the network: from a poll until something can be read. The time until
//! a late consumer reads it, or during which it processes a row, is excluded.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use futures_util::Stream;
use futures_util::stream::BoxStream;
use pin_project_lite::pin_project;

use super::current;
use super::ended::{self, Execution};
use super::running;
use super::tally::Seen;
use crate::site::Site;

/// Times one execution; reports to the current scopes when it is paused or dropped, and its end when it is
/// dropped.
pub(super) struct Watch {
    site: &'static Site,
    /// The time of its first poll.
    begun: Option<Instant>,
    /// The time since which it runs.
    since: Option<Instant>,
    alarm: Option<(Arc<Alarm>, Waker)>,
    /// Time and rows that have not been reported to the scopes.
    time: Duration,
    rows: usize,
    rows_in_all: usize,
    time_in_all: Duration,
    /// How long it waited for a connection, once there is one.
    waited: Option<Duration>,
    #[cfg(feature = "otel")]
    span: super::otel::QuerySpan,
}

impl Watch {
    pub(super) fn new(site: &'static Site) -> Self {
        Self {
            site,
            begun: None,
            since: None,
            alarm: None,
            time: Duration::ZERO,
            rows: 0,
            rows_in_all: 0,
            time_in_all: Duration::ZERO,
            waited: None,
            #[cfg(feature = "otel")]
            span: super::otel::QuerySpan::default(),
        }
    }

    /// Polls the execution with the watch running; it keeps running while the execution is pending.
    fn poll<T>(
        &mut self,
        context: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        #[cfg(all(feature = "tokio", feature = "tracing"))]
        let _outside = current::leave_another_task();
        let running = running::enter(self.site);
        #[cfg(feature = "otel")]
        let _span = self.span.enter(self.site);
        let now = Instant::now();
        self.resume(now, context.waker());
        let polled = match &self.alarm {
            Some((_, waker)) => poll(&mut Context::from_waker(waker)),
            None => poll(context),
        };
        if self.waited.is_none()
            && let Some(_database) = running.executed_on()
        {
            // This poll got a connection, so the time before it was spent waiting for one.
            self.waited = self.begun.map(|begun| now.duration_since(begun));
            #[cfg(feature = "otel")]
            self.span.is_of(_database);
        }
        polled
    }

    fn resume(&mut self, now: Instant, waker: &Waker) {
        self.begun.get_or_insert(now);
        match &self.alarm {
            Some((alarm, _)) => {
                if let Some(rung) = alarm.set(waker)
                    && let Some(since) = self.since.replace(now)
                {
                    self.time += rung.saturating_duration_since(since);
                }
            }
            None => {
                let alarm = Arc::new(Alarm::new(waker));
                self.alarm = Some((Arc::clone(&alarm), Waker::from(alarm)));
            }
        }
        self.since.get_or_insert(now);
    }

    fn saw(&mut self, rows: usize) {
        self.rows += rows;
        self.rows_in_all += rows;
    }

    /// Stops, and reports what has not been reported to the scopes.
    fn pause(&mut self) {
        self.stop(Instant::now());
    }

    fn stop(&mut self, until: Instant) {
        let Some(since) = self.since.take() else { return };
        let time = std::mem::take(&mut self.time) + until.saturating_duration_since(since);
        let rows = std::mem::take(&mut self.rows);
        self.time_in_all += time;
        current::record(self.site, &Seen { time, rows, ..Seen::NOTHING });
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let Some(begun) = self.begun else { return };
        #[cfg(feature = "otel")]
        self.span.gave(self.rows_in_all);
        // Dropped while pending: the time since something could be read does not count.
        let rung = self.alarm.as_ref().and_then(|(alarm, _)| alarm.rung());
        self.stop(rung.unwrap_or_else(Instant::now));
        let site = self.site;
        if self.waited.is_some() || self.rows_in_all > 0 {
            ended::execution(Execution {
                sql: site.sql,
                site: Some(site),
                rows: self.rows_in_all,
                time: self.time_in_all,
            });
            ended::waited(site, self.waited.unwrap_or_default(), true);
        } else {
            // It never got a connection, so it is not an execution.
            ended::waited(site, begun.elapsed(), false);
        }
    }
}

/// A waker used instead of the task's: it records the time, and wakes the task.
struct Alarm(Mutex<(Waker, Option<Instant>)>);

impl Alarm {
    fn new(waker: &Waker) -> Self {
        Self(Mutex::new((waker.clone(), None)))
    }

    /// Sets the waker; returns when it was last woken.
    fn set(&self, waker: &Waker) -> Option<Instant> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.clone_from(waker);
        state.1.take()
    }

    fn rung(&self) -> Option<Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let waker = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.1.get_or_insert_with(Instant::now);
            state.0.clone()
        };
        waker.wake();
    }
}

pin_project! {
    /// An execution that is a future, timed from its first poll until it is ready or dropped.
    pub(crate) struct Timed<F, R> {
        // Taken out for dropping, since sqlx also reports an execution that is abandoned.
        #[pin]
        execution: Option<F>,
        rows: Option<R>,
        // Whether the execution itself reports its rows to the scopes.
        counts_alone: bool,
        watch: Watch,
    }

    impl<F, R> PinnedDrop for Timed<F, R> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _running = running::enter(this.watch.site);
            this.execution.set(None);
        }
    }
}

impl<F, R> Timed<F, R> {
    pub(super) fn new(site: &'static Site, execution: F, rows: R, counts_alone: bool) -> Self {
        Self { execution: Some(execution), rows: Some(rows), counts_alone, watch: Watch::new(site) }
    }
}

impl<F: Future, R: FnOnce(&F::Output) -> Option<usize>> Future for Timed<F, R> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(execution) = this.execution.as_mut().as_pin_mut() else { return Poll::Pending };
        let polled = this.watch.poll(context, |context| execution.poll(context));
        if let Poll::Ready(output) = &polled {
            let rows = this.rows.take().and_then(|rows| rows(output));
            #[cfg(feature = "otel")]
            if rows.is_none() {
                this.watch.span.failed();
            }
            let rows = rows.unwrap_or_default();
            if *this.counts_alone {
                this.watch.rows_in_all = rows;
            } else {
                this.watch.saw(rows);
            }
            this.watch.pause();
        }
        polled
    }
}

/// A stream of rows under a watch, which is paused while the consumer processes a row.
pub(super) struct Observed<'e, T, E> {
    // Taken out for dropping, since sqlx reports the statement then.
    rows: Option<BoxStream<'e, Result<T, E>>>,
    is_row: fn(&T) -> bool,
    watch: Watch,
}

impl<'e, T, E> Observed<'e, T, E> {
    pub(super) fn new(
        site: &'static Site,
        rows: BoxStream<'e, Result<T, E>>,
        is_row: fn(&T) -> bool,
    ) -> Self {
        Self { rows: Some(rows), is_row, watch: Watch::new(site) }
    }
}

impl<T, E> Drop for Observed<'_, T, E> {
    fn drop(&mut self) {
        let _running = running::enter(self.watch.site);
        self.rows = None;
    }
}

impl<T, E> Stream for Observed<'_, T, E> {
    type Item = Result<T, E>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { rows, is_row, watch } = &mut *self;
        let Some(rows) = rows else { return Poll::Ready(None) };
        let polled = watch.poll(context, |context| rows.as_mut().poll_next(context));
        if let Poll::Ready(item) = &polled {
            #[cfg(feature = "otel")]
            if matches!(item, Some(Err(_))) {
                watch.span.failed();
            }
            watch.saw(usize::from(matches!(item, Some(Ok(item)) if is_row(item))));
            watch.pause();
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.rows.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}
