//! [`stats`]: latencies of each query and of each scope since the process began, as percentiles and as JSON.

mod json;
mod registry;

use std::time::Duration;

#[cfg(all(feature = "sqlx", feature = "tower"))]
pub(crate) use self::json::server as server_json;
#[cfg(feature = "tower")]
pub(crate) use self::json::value as json;
use crate::pool::PoolFigures;
use crate::site::Place;

#[cfg(feature = "sqlx")]
pub(crate) use self::registry::record_wait;
pub(crate) use self::registry::{record_execution, record_scope};

/// What has been seen since the process began, what took the most time first.
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
        caches: crate::cache::figures(),
    }
}

/// Statements, scopes and pools of the process.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stats {
    /// The statements that were executed. Those that are not written with `sql!` are here when they ran in a scope and
    /// the layer of the feature `tracing` counts them; their literals are blotted out.
    pub statements: Vec<StatementStats>,
    /// The scopes that have ended, by name.
    pub scopes: Vec<ScopeStats>,
    /// The pools given to [`watch_pool`](crate::watch_pool), by name.
    pub pools: Vec<(String, PoolFigures)>,
    /// The caches, by name.
    #[cfg(feature = "cache")]
    pub caches: Vec<crate::cache::CacheFigures>,
    /// What queries of `sql!` waited for a connection.
    pub waits: WaitStats,
}

/// How often and how long queries of `sql!` and its kin waited for a connection of their pool, a millisecond or longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitStats {
    /// How often, in vain included.
    pub count: u64,
    /// How often there was none in the end: no query ran.
    pub in_vain: u64,
    /// The time of all of them.
    pub total: Duration,
    /// The longest.
    pub max: Duration,
}

impl Stats {
    /// The statements whose latency is longest, by their 95th percentile: at most so many.
    #[must_use]
    pub fn slowest(&self, most: usize) -> Vec<&StatementStats> {
        let mut slowest: Vec<_> = self.statements.iter().collect();
        slowest.sort_by_key(|statement| std::cmp::Reverse(statement.latency.p95));
        slowest.truncate(most);
        slowest
    }

    /// All of it as JSON, times in milliseconds.
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
    /// Where it is written; `None` when it is not written with `sql!` and its kin.
    pub place: Option<Place>,
    /// Number of rows it gave, over all executions.
    pub rows: u64,
    /// Its executions.
    pub latency: Latency,
}

/// The scopes of one name since the process began.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ScopeStats {
    /// Their name.
    pub name: String,
    /// Number of queries, over all of them.
    pub queries: u64,
    /// The time from their beginning to their end.
    pub latency: Latency,
}

/// How long something took, over all times it was done. Percentiles are exact to one part in a hundred.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Latency {
    /// How often it was done.
    pub count: u64,
    /// The time of all of them.
    pub total: Duration,
    /// Half of them took no longer.
    pub p50: Duration,
    /// Ninety-five of a hundred took no longer.
    pub p95: Duration,
    /// Ninety-nine of a hundred took no longer.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}
