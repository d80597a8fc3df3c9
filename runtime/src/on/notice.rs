//! One-time notices: a budget is set, or a count is read, although queries are not counted.

use std::panic::Location;
use std::sync::Once;
#[cfg(feature = "tracing")]
use std::sync::atomic::{AtomicBool, Ordering};

use super::node::Node;

/// Whether the layer is part of a subscriber.
#[cfg(feature = "tracing")]
static HAS_LAYER: AtomicBool = AtomicBool::new(false);
/// Whether it has received a statement.
#[cfg(feature = "tracing")]
static HAS_HEARD: AtomicBool = AtomicBool::new(false);

/// Records that the layer has become part of a subscriber.
#[cfg(feature = "tracing")]
pub(crate) fn layer_is_there() {
    HAS_LAYER.store(true, Ordering::Relaxed);
}

#[cfg(feature = "tracing")]
pub(crate) fn has_layer() -> bool {
    HAS_LAYER.load(Ordering::Relaxed)
}

/// Records that the layer has received a statement.
#[cfg(feature = "tracing")]
pub(crate) fn layer_has_heard() {
    if !HAS_HEARD.load(Ordering::Relaxed) {
        HAS_HEARD.store(true, Ordering::Relaxed);
    }
}

/// Why queries of the scope that are not written with `sql!` are not counted; `None` if they are.
#[cfg(feature = "tracing")]
fn obstacle(node: Option<&Node>) -> Option<&'static str> {
    if !HAS_LAYER.load(Ordering::Relaxed) {
        return Some("add `query_budget::layer()` to the subscriber of `tracing`");
    }
    if !tracing::enabled!(target: "sqlx::query", tracing::Level::DEBUG) {
        return Some(
            "let `sqlx::query=debug` and `query_budget::scope=trace` through the filter of the subscriber",
        );
    }
    // SQLite reports its statements on a separate thread, from which only the span leads back.
    if node.is_some_and(Node::is_untraceable) {
        return Some("let `query_budget::scope=trace` through the filter of the subscriber");
    }
    let has_raw = node.is_some_and(|node| node.tally().has_raw());
    let is_silent = !HAS_HEARD.load(Ordering::Relaxed) && !has_raw;
    is_silent.then_some(
        "have the connections log their statements (`log_statements` of their options), and on SQLite make the subscriber \
         the process's",
    )
}

#[cfg(not(feature = "tracing"))]
fn obstacle(_: Option<&Node>) -> Option<&'static str> {
    Some("enable the feature `tracing` of `query-budget` and add `query_budget::layer()` to the subscriber")
}

/// Called when a scope ends whose count is read or checked, and that may have run uncounted queries: it saw
/// none, or a filter hides them.
pub(crate) fn count_is_read(scope: &str, location: &Location<'_>, node: Option<&Node>) {
    static SAID: Once = Once::new();
    if SAID.is_completed() {
        return;
    }
    if node.is_some_and(|node| node.tally().queries() > 0) && !is_hidden() {
        return;
    }
    if let Some(remedy) = obstacle(node) {
        SAID.call_once(|| {
            super::outcome::say(&format_args!(
                "note: `{scope}` counts queries that are written with `sql!`, and no others\n  --> {location}\n  \
                 = help: to count all, {remedy}\n  = note: this is said once"
            ));
        });
    }
}

/// Called when a scope ends whose rows or time are read or checked, and that may have run queries of which only sqlx knows
/// them.
pub(crate) fn rows_are_read(scope: &str, location: &Location<'_>, node: &Node) {
    static SAID: Once = Once::new();
    if SAID.is_completed() || !node.tally().has_unwatched() {
        return;
    }
    if let Some(remedy) = obstacle(Some(node)) {
        SAID.call_once(|| {
            super::outcome::say(&format_args!(
                "note: `{scope}` counts no rows and no time of a query that was passed to an executor's own method\n  --> \
                 {location}\n  = help: run it by the query's own method, `sql!(..).fetch_all(db)`; or {remedy}\n  = note: \
                 this is said once"
            ));
        });
    }
}

/// Whether there is a layer, and a filter over it that hides statements.
fn is_hidden() -> bool {
    #[cfg(feature = "tracing")]
    return HAS_LAYER.load(Ordering::Relaxed)
        && !tracing::enabled!(target: "sqlx::query", tracing::Level::DEBUG);
    #[cfg(not(feature = "tracing"))]
    false
}

/// Called when a scope ends whose body has a `COPY`: whatever the subscriber, nothing is logged of it.
pub(crate) fn copies_ran(scope: &str, location: &Location<'_>) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        super::outcome::say(&format_args!(
            "note: `{scope}` has a budget, and a `COPY` that nothing counts: sqlx does not log it\n  --> {location}\n  \
             = help: count it: `query_budget::counted!(\"COPY ..\", future)`\n  = note: this is said once"
        ));
    });
}

/// Called when a scope ends whose body has queries that are not written with `sql!`.
pub(crate) fn raw_queries_ran(scope: &str, location: &Location<'_>, node: Option<&Node>) {
    static SAID: Once = Once::new();
    if SAID.is_completed() {
        return;
    }
    if let Some(remedy) = obstacle(node) {
        SAID.call_once(|| {
            super::outcome::say(&format_args!(
                "note: `{scope}` has a budget, and queries that nothing counts\n  --> {location}\n  \
                 = help: write them with `sql!`; or {remedy}\n  = note: this is said once"
            ));
        });
    }
}
