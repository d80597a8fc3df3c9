//! [`Counted`]: an execution that only its caller knows of, such as `COPY`. Made by `counted!`.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;

use super::current;
use super::ended::{self, Execution};
use super::tally::Seen;
use crate::site::Site;

pin_project! {
    /// A future that counts as one execution of a statement. Made by [`counted!`](crate::counted).
    #[must_use = "futures do nothing unless polled"]
    pub struct Counted<F> {
        // Dropped first, while the execution is still known.
        #[pin]
        future: F,
        known: Known,
    }
}

crate::macros::debug_without_inner!(Counted);

/// Runs the future as one execution of the statement at `site`.
#[doc(hidden)]
pub fn counted<F: Future>(site: &'static Site, future: F) -> Counted<F> {
    let known = Known {
        site,
        begun: None,
        #[cfg(all(feature = "otel", feature = "sqlx"))]
        span: super::otel::QuerySpan::default(),
    };
    Counted { future, known }
}

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.known.begin();
        #[cfg(all(feature = "otel", feature = "sqlx"))]
        let _span = this.known.span.enter(this.known.site);
        let polled = this.future.poll(context);
        if polled.is_ready() {
            this.known.end();
        }
        polled
    }
}

/// The execution: counted at its first poll, timed until the future is ready or dropped.
struct Known {
    site: &'static Site,
    begun: Option<Instant>,
    #[cfg(all(feature = "otel", feature = "sqlx"))]
    span: super::otel::QuerySpan,
}

impl Known {
    fn begin(&mut self) {
        if self.begun.is_some() {
            return;
        }
        self.begun = Some(Instant::now());
        let executed = Seen {
            executions: 1,
            // sqlx reports nothing of it that would have to be told apart.
            is_watched: true,
            ..Seen::NOTHING
        };
        current::record(self.site, &executed);
    }

    fn end(&mut self) {
        let Some(begun) = self.begun.take() else { return };
        let (site, time) = (self.site, begun.elapsed());
        current::record(site, &Seen { time, ..Seen::NOTHING });
        ended::execution(Execution { sql: site.sql, site: Some(site), rows: 0, time });
    }
}

impl Drop for Known {
    fn drop(&mut self) {
        self.end();
    }
}
