//! The layer that counts queries by what sqlx tells of them: those of `query!`, `query()` and other crates.
//!
//! sqlx logs each statement when it ends, as an event. On most drivers that is where the future is polled, and the
//! current scope is the right one. SQLite's runs statements on a thread of its own and takes the current span along,
//! so each scope has a span, in whose extensions this layer finds the scope again.

use std::cell::RefCell;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Metadata, Span, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::current::{self, Node};
use super::ended::{self, Execution};
use super::notice;
use super::tally::{Heard, Seen};
use super::traffic::is_query;

/// Where sqlx tells of its statements.
const STATEMENTS: &str = "sqlx::query";
/// Where a scope has its span.
const SCOPES: &str = "query_budget::scope";

thread_local! {
    /// The scope whose span is being made: a span is given to a layer by its metadata and fields alone.
    static BEING_MADE: RefCell<Option<Weak<Node>>> = const { RefCell::new(None) };
}

/// The span of a scope; disabled, and as good as nothing, without the layer.
///
/// One that begins directly within a scope that was carried here is no child of that one's span: a span keeps its parents
/// open, and a task that starts the next in its budget has no end of them.
pub(crate) fn span_of(node: &Weak<Node>, is_carried: bool) -> Span {
    let is_root =
        is_carried && Span::current().metadata().is_some_and(|metadata| metadata.target() == SCOPES);
    // A scope made while the thread ends counts nothing any more.
    let _ = BEING_MADE.try_with(|made| made.replace(Some(Weak::clone(node))));
    let span = if is_root {
        tracing::span!(target: SCOPES, parent: None, Level::TRACE, "scope")
    } else {
        tracing::span!(target: SCOPES, Level::TRACE, "scope")
    };
    let _ = BEING_MADE.try_with(|made| made.replace(None));
    span
}

/// A layer that counts the queries that are not written with `sql!` too, each once, in the scopes they run in.
///
/// ```
/// use tracing_subscriber::layer::SubscriberExt;
/// use tracing_subscriber::util::SubscriberInitExt;
///
/// tracing_subscriber::registry().with(query_budget::layer()).init();
/// ```
///
/// A second one in the same subscriber counts nothing. On SQLite the threads of connections keep the names that sqlx gives
/// them, for that is how they are known.
///
/// It hears of what sqlx logs: a connection whose statements are not logged is not counted. It has a filter of its own
/// and needs no other; a filter over the whole subscriber has to let `sqlx::query` and `query_budget::scope` through.
/// Transaction control, the set-up of a connection (`SET`, `PRAGMA`) and the driver's own look-ups in the catalog are
/// not counted. On SQLite, whose statements end on a thread of their own, one that failed or whose stream was dropped may
/// be told of when its scope has ended; it then counts in the scopes around that.
pub fn layer<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let ours = |metadata: &Metadata<'_>| matches!(metadata.target(), STATEMENTS | SCOPES);
    QueryLayer { is_second: false }.with_filter(filter_fn(ours))
}

struct QueryLayer {
    /// Whether another one of the same subscriber counts already.
    is_second: bool,
}

/// The scope of a span.
struct ScopeOfSpan(Weak<Node>);

impl<S> Layer<S> for QueryLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_layer(&mut self, below: &mut S) {
        notice::layer_is_there();
        let below: &dyn Subscriber = below;
        self.is_second = below.downcast_ref::<Self>().is_some();
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if attributes.metadata().target() == SCOPES
            && let Some(node) = BEING_MADE.try_with(|made| made.borrow().clone()).ok().flatten()
            && let Some(span) = context.span(id)
        {
            span.extensions_mut().replace(ScopeOfSpan(node));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() != STATEMENTS || self.is_second {
            return;
        }
        notice::layer_has_heard();
        let traced = || is_thread_of_driver().then(|| scope_of(event, &context)).flatten();
        let Some(node) = current::current().0.or_else(traced) else {
            return;
        };
        let mut told = Told::default();
        event.record(&mut told);
        let sql = told.sql();
        if is_query(sql) {
            let (rows, time) = (told.rows, told.time);
            let seen = Seen { executions: 1, rows, time, ..Seen::default() };
            match current::record_told(&node, sql, seen) {
                Heard::Known => {}
                Heard::New => ended::told(Execution { sql, site: None, rows, time }, node.slow()),
                Heard::Rest(site) => {
                    ended::told(Execution { sql, site: Some(site), rows, time }, node.slow())
                }
            }
        }
    }
}

/// Whether this is a thread on which SQLite's driver runs statements. Elsewhere a span of a scope may have been taken to
/// a task that was not told to count (`in_current_span`), and is no reason to count there.
fn is_thread_of_driver() -> bool {
    std::thread::current().name().is_some_and(|name| name.starts_with("sqlx-sqlite-worker"))
}

/// The scope of the innermost span that has one.
fn scope_of<S>(event: &Event<'_>, context: &Context<'_, S>) -> Option<Arc<Node>>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    context.event_scope(event)?.find_map(|span| span.extensions().get::<ScopeOfSpan>()?.0.upgrade())
}

/// The fields of one event.
#[derive(Default)]
struct Told {
    /// The first words.
    summary: String,
    /// The whole, between line breaks, when it is more than the summary.
    statement: String,
    rows: usize,
    time: Duration,
}

impl Told {
    fn sql(&self) -> &str {
        let whole = self.statement.strip_prefix("\n\n").and_then(|rest| rest.strip_suffix('\n'));
        whole.filter(|whole| !whole.is_empty()).unwrap_or(&self.summary)
    }
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => self.summary = value.to_owned(),
            "db.statement" => self.statement = value.to_owned(),
            _ => {}
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
