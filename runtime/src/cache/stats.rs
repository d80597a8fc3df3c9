//! [`CacheStats`]: how effective caches are.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The activity of a cache since its creation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// The name that it was created with.
    pub name: String,
    /// Reads that found an entry.
    pub hits: u64,
    /// Reads that missed at the same time as another, and shared its result.
    pub shared: u64,
    /// Reads that missed, and queried the database.
    pub misses: u64,
    /// Reads that queried the database because the cache was unreachable.
    pub bypassed: u64,
    /// Writes that invalidated entries.
    pub invalidations: u64,
    /// Invalidations that had not reached all users of the cache when the write returned.
    pub unacknowledged: u64,
    /// Invalidations that are still pending.
    pub pending: usize,
    /// Commands to the cache's server that failed.
    pub errors: u64,
}

impl CacheStats {
    /// The fraction of reads that did not query the database, from 0 to 1; 0 without reads.
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        let spared = self.hits + self.shared;
        let all = spared + self.misses + self.bypassed;
        #[expect(clippy::cast_precision_loss, reason = "a rate has fewer digits")]
        let rate = spared as f64 / all.max(1) as f64;
        rate
    }
}

/// The counters.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) hits: Count,
    pub(crate) shared: Count,
    pub(crate) misses: Count,
    pub(crate) bypassed: Count,
    pub(crate) invalidations: Count,
    pub(crate) unacknowledged: Count,
}

/// A counter, reported as a metric too.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, cache: &str, outcome: &'static str) {
        self.0.fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "metrics")]
        crate::meter::cache(cache, outcome);
        #[cfg(not(feature = "metrics"))]
        let _ = (cache, outcome);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Returns the statistics of a cache, if it still exists.
type ReadStats = Box<dyn Fn() -> Option<CacheStats> + Send + Sync>;

static CACHES: Mutex<Vec<ReadStats>> = Mutex::new(Vec::new());

/// Registers a cache.
pub(crate) fn watch(source: ReadStats) {
    CACHES.lock().unwrap_or_else(PoisonError::into_inner).push(source);
}

/// The statistics of all caches of the process, by name. Caches that no longer exist are dropped.
///
/// ```
/// use query_budget::cache::{Cache, stats};
///
/// let cache = Cache::in_memory("profiles");
/// assert_eq!(stats()[0].name, "profiles");
/// # drop(cache);
/// ```
#[must_use]
pub fn stats() -> Vec<CacheStats> {
    let mut all = Vec::new();
    CACHES.lock().unwrap_or_else(PoisonError::into_inner).retain(|source| {
        let stats = source();
        let is_there = stats.is_some();
        all.extend(stats);
        is_there
    });
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}
