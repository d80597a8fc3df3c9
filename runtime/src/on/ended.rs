//! What is done when an execution or a scope ends: whoever wants to know is told, by the features that are enabled.

use std::time::Duration;

use crate::site::Site;

/// One execution of a query that has come to its end, or was dropped.
#[cfg_attr(
    not(any(feature = "tracing", feature = "stats", feature = "metrics")),
    expect(dead_code, reason = "nobody wants to know")
)]
#[derive(Clone, Copy)]
pub(crate) struct Execution<'a> {
    /// The query's text, with placeholders.
    #[cfg_attr(
        all(feature = "metrics", not(any(feature = "tracing", feature = "stats"))),
        expect(dead_code, reason = "a metric is labelled by the site")
    )]
    pub(crate) sql: &'a str,
    /// Where it is written; `None` of what sqlx told.
    pub(crate) site: Option<&'static Site>,
    /// Number of rows it gave.
    pub(crate) rows: usize,
    /// Time spent in it, the consumer's left out.
    pub(crate) time: Duration,
}

/// Tells of an execution that was counted where it was made.
pub(crate) fn execution(ended: Execution<'_>) {
    #[cfg(feature = "tracing")]
    super::slow::statement(ended);
    measured(ended);
}

/// Tells of an execution that sqlx told of. A layer makes no events: a slow one is kept until the scope is left.
#[cfg(feature = "tracing")]
pub(crate) fn told(ended: Execution<'_>, slow: &super::slow::Slow) {
    slow.keep(ended);
    measured(ended);
}

fn measured(ended: Execution<'_>) {
    #[cfg(feature = "stats")]
    crate::stats::record_execution(ended);
    #[cfg(feature = "metrics")]
    crate::meter::execution(ended);
    let _ = ended;
}

/// A scope that has come to its end, or was dropped.
#[cfg(any(feature = "stats", feature = "metrics"))]
#[derive(Clone, Copy)]
pub(crate) struct ScopeRun<'a> {
    pub(crate) name: &'a str,
    pub(crate) queries: usize,
    /// Time from its beginning to its end.
    pub(crate) time: Duration,
}

/// Tells of a scope.
#[cfg(any(feature = "stats", feature = "metrics"))]
pub(crate) fn scope(ended: ScopeRun<'_>) {
    #[cfg(feature = "stats")]
    crate::stats::record_scope(ended);
    #[cfg(feature = "metrics")]
    crate::meter::scope(ended);
}
