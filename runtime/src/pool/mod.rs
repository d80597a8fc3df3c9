//! The state of a connection pool, and its recommended size.

#[cfg(all(
    debug_assertions,
    feature = "sqlx",
    feature = "tracing",
    any(feature = "stats", feature = "metrics")
))]
mod plan;
#[cfg(feature = "sqlx")]
mod profile;
#[cfg(any(feature = "stats", feature = "metrics"))]
mod watch;

#[cfg(feature = "sqlx")]
use sqlx::{Database, Pool};

#[cfg(all(
    debug_assertions,
    feature = "sqlx",
    feature = "tracing",
    any(feature = "stats", feature = "metrics")
))]
pub(crate) use self::plan::tell_plan;
#[cfg(feature = "sqlx")]
pub use self::profile::{PoolProfile, StatementTimeout};
#[cfg(any(feature = "stats", feature = "metrics"))]
pub(crate) use self::watch::watched;
#[cfg(all(feature = "sqlx", any(feature = "stats", feature = "metrics")))]
pub use self::watch::{WatchedPool, watch_pool};

/// The connections of a pool at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// The number of open connections.
    pub size: usize,
    /// The number of idle ones.
    pub idle: usize,
    /// The number of those in use.
    pub used: usize,
    /// The maximum number of open connections.
    pub max: usize,
}

impl PoolStats {
    /// Whether all permitted connections are in use, so that further queries have to wait.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.max > 0 && self.used >= self.max
    }
}

/// The watched pools, as text.
#[cfg(all(feature = "sqlx", feature = "tracing"))]
pub(crate) fn in_use() -> String {
    #[cfg(any(feature = "stats", feature = "metrics"))]
    {
        let pools = watch::stats();
        let pools = pools.iter().map(|(name, of)| format!("{name}: {} of {} in use", of.used, of.max));
        pools.collect::<Vec<_>>().join(", ")
    }
    #[cfg(not(any(feature = "stats", feature = "metrics")))]
    String::new()
}

#[cfg(feature = "sqlx")]
impl PoolStats {
    /// The statistics of any pool of sqlx.
    ///
    /// ```
    /// # use query_budget::PoolStats;
    /// # sqlx::__rt::test_block_on(async {
    /// let pool = sqlx::SqlitePool::connect("sqlite::memory:").await.unwrap();
    /// let stats = PoolStats::of(&pool);
    /// assert_eq!(stats.used, 0);
    /// # });
    /// ```
    #[must_use]
    pub fn of<DB: Database>(pool: &Pool<DB>) -> Self {
        let size = wide(pool.size());
        // The two are read one after the other, and connections come and go in between.
        let idle = pool.num_idle().min(size);
        Self { size, idle, used: size - idle, max: wide(pool.options().get_max_connections()) }
    }
}

#[cfg(feature = "sqlx")]
fn wide(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
