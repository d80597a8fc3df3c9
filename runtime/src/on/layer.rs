//! The layer that counts queries reported by sqlx: those of `query!`, `query()` and other crates.
//!
//! sqlx logs each statement as an event when it ends. On most drivers that happens where the future is
//! polled, and the current scope is the right one. SQLite's driver runs statements on a separate thread and
//! takes the current span along, which leads back to the scope.

use std::sync::OnceLock;
use std::time::Duration;

use tracing::dispatcher::WeakDispatch;
use tracing::field::{Field, Visit};
use tracing::{Dispatch, Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::current;
use super::ended::{self, Execution};
use super::notice;
use super::span::{self, SCOPES};
use super::tally::{Heard, Seen};
use super::traffic::is_query;

/// The target of sqlx's statement events.
const STATEMENTS: &str = "sqlx::query";

/// A layer that also counts the queries that are not written with `sql!`, each once, in the scopes they run
/// in.
///
/// ```
/// use tracing_subscriber::layer::SubscriberExt;
/// use tracing_subscriber::util::SubscriberInitExt;
///
/// tracing_subscriber::registry().with(query_budget::layer()).init();
/// ```
///
/// A second one in the same subscriber counts nothing. On SQLite, do not rename the threads of connections:
/// they are recognised by sqlx's names.
///
/// It only sees what sqlx logs: a connection with statement logging disabled is not counted. It has its own
/// filter and needs no other; a filter over the whole subscriber has to let `sqlx::query` and
/// `query_budget::scope` through. Transaction control, the set-up of a connection (`SET`, `PRAGMA`) and the
/// driver's own look-ups in the catalog are not counted. Neither is `COPY`, which sqlx does not log: pass it
/// to [`counted!`](crate::counted). A script is one query. The time
/// of a stream is all the time until it ends, that of its consumer included.
///
/// On SQLite, statements end on a separate thread. One that failed or whose stream was dropped may be
/// reported after its scope has ended; it then counts in the enclosing scopes. The span of a scope leads back
/// from there: the span that is current when the scope begins, or, within another scope, a span `scope` of
/// level `TRACE`, which `Span::current()` then returns. A span that was created outside of the scope and is entered within it, as by
/// `run(load().instrument(span))`, leads nowhere: what runs in it is not counted. Create the scope within the span. On other databases
/// scopes have no spans, and this does not matter.
pub fn layer<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let ours = |metadata: &Metadata<'_>| matches!(metadata.target(), STATEMENTS | SCOPES);
    QueryLayer { is_second: false, subscriber: OnceLock::new() }.with_filter(filter_fn(ours))
}

struct QueryLayer {
    /// Whether another one in the same subscriber counts already.
    is_second: bool,
    /// The subscriber that contains it.
    subscriber: OnceLock<WeakDispatch>,
}

impl<S> Layer<S> for QueryLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_layer(&mut self, below: &mut S) {
        notice::layer_is_there();
        let below: &dyn Subscriber = below;
        self.is_second = below.downcast_ref::<Self>().is_some();
    }

    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        let _ = self.subscriber.set(subscriber.downgrade());
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != STATEMENTS || self.is_second {
            return;
        }
        notice::layer_has_heard();
        let is_on_driver = is_thread_of_driver();
        span::heard(is_on_driver);
        let traced = || {
            let subscriber = self.subscriber.get().filter(|_| is_on_driver)?.upgrade()?;
            span::scope_of_current(&subscriber)
        };
        let Some(node) = current::node().or_else(traced) else {
            return;
        };
        let mut told = Told::default();
        event.record(&mut told);
        if told.text.is_empty() {
            told.is_short = true;
            event.record(&mut told);
        }
        let sql = told.sql();
        if is_query(sql) {
            let (rows, time) = (told.rows, told.time);
            let seen = Seen { executions: 1, rows, time, ..Seen::NOTHING };
            match current::record_told(&node, sql, seen) {
                Heard::Known => {}
                Heard::New => ended::told(Execution { sql, site: None, rows, time }, &node.traced().slow),
                Heard::Rest(site) => {
                    ended::told(Execution { sql, site: Some(site), rows, time }, &node.traced().slow)
                }
            }
        }
    }
}

/// Whether this is a thread on which SQLite's driver runs statements. Elsewhere, a scope's span may have been
/// carried to a task that was not told to count (`in_current_span`), and must not make it count.
fn is_thread_of_driver() -> bool {
    thread_local! {
        static IS_OF_DRIVER: bool =
            std::thread::current().name().is_some_and(|name| name.starts_with("sqlx-sqlite-worker"));
    }
    IS_OF_DRIVER.try_with(|is| *is).unwrap_or_default()
}

/// The fields of one event.
#[derive(Default)]
struct Told {
    /// The whole statement, between line breaks if it is longer than the summary.
    text: String,
    /// Whether the summary is the whole statement although it ends like a shortened one.
    is_short: bool,
    rows: usize,
    time: Duration,
}

impl Told {
    fn sql(&self) -> &str {
        let sql = match self.text.as_bytes() {
            [b'\n', b'\n', whole @ .., b'\n'] => self.text.get(2..2 + whole.len()).unwrap_or_default(),
            _ => &self.text,
        };
        #[cfg(feature = "trace-comments")]
        let sql = crate::comment::without(sql);
        sql
    }
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        let is_taken = match field.name() {
            // A shortened summary is not copied, since the whole statement follows.
            "summary" => self.is_short || !matches!(value.as_bytes(), [.., 0xe2, 0x80, 0xa6]),
            "db.statement" => !value.is_empty(),
            _ => false,
        };
        if is_taken {
            self.text = value.to_owned();
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "rows_returned" {
            self.rows = usize::try_from(value).unwrap_or(usize::MAX);
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.time = Duration::try_from_secs_f64(value).unwrap_or_default();
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}
