//! [`stats`]: latencies of each query and each scope since the process began, as percentiles and as JSON.

mod histogram;
mod json;
mod registry;

use std::time::Duration;

#[cfg(all(feature = "sqlx", feature = "tower"))]
pub(crate) use self::json::server as server_json;
#[cfg(feature = "tower")]
pub(crate) use self::json::value as json;
use crate::pool::PoolStats;
use crate::site::Place;

#[cfg(feature = "sqlx")]
pub(crate) use self::registry::record_wait;
pub(crate) use self::registry::{Recorded, record_execution, record_scope};

/// The statistics since the process began, sorted by total time, largest first.
///
/// ```
/// let stats = query_budget::stats();
/// println!("{}", stats.to_json());
/// ```
#[must_use]
pub fn stats() -> Stats {
    let (statements, scopes) = registry::read();
    Stats {
        statements,
        scopes,
        pools: crate::pool::watched(),
        waits: registry::waits(),
        #[cfg(feature = "cache")]
        caches: crate::cache::stats(),
    }
}

/// Statements, scopes and pools of the process.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stats {
    /// The executed statements. Those that are not written with `sql!` are included if they ran in a scope
    /// and were counted by the layer of the feature `tracing`; their literals are removed.
    pub statements: Vec<StatementStats>,
    /// The scopes that have ended, by name.
    pub scopes: Vec<ScopeStats>,
    /// The pools given to [`watch_pool`](crate::watch_pool), by name.
    pub pools: Vec<(String, PoolStats)>,
    /// The caches, by name.
    #[cfg(feature = "cache")]
    pub caches: Vec<crate::cache::CacheStats>,
    /// Waits of `sql!` queries for a connection.
    pub waits: WaitStats,
}

/// How often and how long queries of `sql!` and related macros waited for a connection of their pool,
/// counting waits from a millisecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitStats {
    /// The number of waits, including those that ended without a connection.
    pub count: u64,
    /// The number of waits that ended without a connection, usually by the timeout of the pool: no query ran.
    pub timed_out: u64,
    /// The time of all waits together.
    pub total: Duration,
    /// The longest wait.
    pub max: Duration,
}

impl Stats {
    /// The slowest statements by their 95th percentile, up to `most`.
    #[must_use]
    pub fn slowest(&self, most: usize) -> Vec<&StatementStats> {
        let mut slowest: Vec<_> = self.statements.iter().collect();
        slowest.sort_by_key(|statement| std::cmp::Reverse(statement.latency.p95));
        slowest.truncate(most);
        slowest
    }

    /// Everything as JSON, with times in milliseconds.
    #[must_use]
    pub fn to_json(&self) -> String {
        json::value(self).to_string()
    }
}

/// One statement since the process began.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StatementStats {
    /// Its text, with placeholders.
    pub sql: String,
    /// Its place; `None` if it is not written with `sql!` and related macros.
    pub place: Option<Place>,
    /// The number of rows it returned, over all executions.
    pub rows: u64,
    /// The latency of its executions.
    pub latency: Latency,
}

/// The scopes with one name since the process began.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ScopeStats {
    /// Their name.
    pub name: String,
    /// The number of queries, over all of them.
    pub queries: u64,
    /// The time from their beginning to their end.
    pub latency: Latency,
}

/// The distribution of a duration since the process began. Percentiles are at most one percent above the exact value;
/// durations of more than an hour count as an hour in them.
///
/// ```
/// for statement in query_budget::stats().slowest(5) {
///     println!("{:?}: {}", statement.latency.p95, statement.sql);
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Latency {
    /// The number of measurements.
    pub count: u64,
    /// The total time.
    pub total: Duration,
    /// The median.
    pub p50: Duration,
    /// The 95th percentile.
    pub p95: Duration,
    /// The 99th percentile.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}
