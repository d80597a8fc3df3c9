//! The end of an execution or a scope: reports it to the enabled features.

#[cfg(any(feature = "stats", feature = "metrics"))]
use std::borrow::Cow;
use std::time::Duration;

use crate::site::Site;

/// One execution of a query that has ended, or was dropped.
#[cfg_attr(
    not(any(feature = "tracing", feature = "stats", feature = "metrics")),
    expect(dead_code, reason = "read only by `tracing`, `stats` and `metrics`")
)]
#[derive(Clone, Copy)]
pub(crate) struct Execution<'a> {
    /// The query's text, with placeholders.
    #[cfg_attr(
        all(feature = "metrics", not(any(feature = "tracing", feature = "stats"))),
        expect(dead_code, reason = "a metric is labelled by the site")
    )]
    pub(crate) sql: &'a str,
    /// Its place; `None` if it was reported by sqlx.
    pub(crate) site: Option<&'static Site>,
    /// Number of rows it gave.
    pub(crate) rows: usize,
    /// Time spent in it, excluding the consumer's.
    pub(crate) time: Duration,
}

/// Reports an execution that was counted where it was made.
pub(crate) fn execution(ended: Execution<'_>) {
    #[cfg(feature = "tracing")]
    super::slow::statement(ended);
    measured(ended);
}

/// Reports an execution that sqlx reported. A layer emits no events: a slow one is stored until the scope is
/// left.
#[cfg(feature = "tracing")]
pub(crate) fn told(ended: Execution<'_>, slow: &super::slow::Slow) {
    slow.keep(ended);
    measured(ended);
}

/// Reports how long a query waited for a connection; it got none unless `had_one`.
#[cfg(feature = "sqlx")]
pub(crate) fn waited(site: &'static Site, time: Duration, had_one: bool) {
    // An immediate failure is not a wait: its values could not be encoded, or the pool is closed.
    if time < WAIT {
        return;
    }
    #[cfg(feature = "tracing")]
    super::slow::waited(site, time, had_one);
    #[cfg(feature = "stats")]
    crate::stats::record_wait(time, had_one);
    #[cfg(feature = "metrics")]
    crate::meter::waited(time, had_one);
    let _ = (site, had_one);
}

/// A shorter wait is only the pool's own overhead.
#[cfg(feature = "sqlx")]
const WAIT: Duration = Duration::from_millis(1);

fn measured(ended: Execution<'_>) {
    #[cfg(feature = "stats")]
    crate::stats::record_execution(ended);
    #[cfg(feature = "metrics")]
    crate::meter::execution(ended);
    let _ = ended;
}

/// A scope that has ended, or was dropped.
#[cfg(any(feature = "stats", feature = "metrics"))]
#[derive(Clone, Copy)]
pub(crate) struct ScopeRun<'a> {
    pub(crate) name: &'a Cow<'static, str>,
    pub(crate) queries: usize,
    /// Time from its beginning to its end.
    pub(crate) time: Duration,
}

/// Reports a scope.
#[cfg(any(feature = "stats", feature = "metrics"))]
pub(crate) fn scope(ended: ScopeRun<'_>) {
    #[cfg(feature = "stats")]
    crate::stats::record_scope(ended);
    #[cfg(feature = "metrics")]
    crate::meter::scope(ended);
}
