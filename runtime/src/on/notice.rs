//! Said once: a budget is declared on a function whose queries nothing counts.

use std::panic::Location;
use std::sync::Once;
#[cfg(feature = "tracing")]
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the layer is part of some subscriber.
#[cfg(feature = "tracing")]
static HAS_LAYER: AtomicBool = AtomicBool::new(false);
/// Whether it has heard of a statement.
#[cfg(feature = "tracing")]
static HAS_HEARD: AtomicBool = AtomicBool::new(false);

/// The layer has become part of a subscriber.
#[cfg(feature = "tracing")]
pub(crate) fn layer_is_there() {
    HAS_LAYER.store(true, Ordering::Relaxed);
}

/// The layer has heard of a statement.
#[cfg(feature = "tracing")]
pub(crate) fn layer_has_heard() {
    if !HAS_HEARD.load(Ordering::Relaxed) {
        HAS_HEARD.store(true, Ordering::Relaxed);
    }
}

/// Why queries that are not written with `sql!` are not counted; `None` when they are.
#[cfg(feature = "tracing")]
fn obstacle() -> Option<&'static str> {
    if HAS_HEARD.load(Ordering::Relaxed) {
        return None;
    }
    if !HAS_LAYER.load(Ordering::Relaxed) {
        return Some("add `query_budget::layer()` to the subscriber of `tracing`");
    }
    let is_told = tracing::enabled!(target: "sqlx::query", tracing::Level::DEBUG);
    (!is_told).then_some("let `sqlx::query=debug` through the filter of the subscriber")
}

#[cfg(not(feature = "tracing"))]
fn obstacle() -> Option<&'static str> {
    Some("enable the feature `tracing` of `query-budget` and add `query_budget::layer()` to the subscriber")
}

/// A scope has ended whose body has queries that are not written with `sql!`.
pub(crate) fn raw_queries_ran(scope: &str, location: &Location<'_>) {
    static SAID: Once = Once::new();
    if SAID.is_completed() {
        return;
    }
    if let Some(remedy) = obstacle() {
        SAID.call_once(|| {
            eprintln!(
                "note: `{scope}` has a budget, and queries that nothing counts\n  --> {location}\n  \
                 = help: write them with `sql!`; or {remedy}\n  = note: this is said once"
            );
        });
    }
}
