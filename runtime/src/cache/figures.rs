//! [`CacheFigures`]: how often caches were of use.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What a cache has done since it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheFigures {
    /// Its name.
    pub name: String,
    /// Reads that found an entry.
    pub hits: u64,
    /// Reads that missed together with another, and took what that one read.
    pub shared: u64,
    /// Reads that missed, and asked the database.
    pub misses: u64,
    /// Reads that asked the database because the cache could not be asked.
    pub bypassed: u64,
    /// Writes that made entries invalid.
    pub invalidations: u64,
    /// Invalidations that could not be told to all who use the cache when the write was done.
    pub unacknowledged: u64,
    /// Invalidations that are still to be told.
    pub pending: usize,
    /// Commands to the cache's server that failed.
    pub errors: u64,
}

impl CacheFigures {
    /// How many of all reads did not ask the database: 0 to 1, and 0 where there was none.
    #[must_use]
    pub fn hit_rate(&self) -> f64 {
        let spared = self.hits + self.shared;
        let all = spared + self.misses + self.bypassed;
        #[expect(clippy::cast_precision_loss, reason = "a rate has fewer digits")]
        let rate = spared as f64 / all.max(1) as f64;
        rate
    }
}

/// What is counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) hits: Count,
    pub(crate) shared: Count,
    pub(crate) misses: Count,
    pub(crate) bypassed: Count,
    pub(crate) invalidations: Count,
    pub(crate) unacknowledged: Count,
}

/// One count, and its name among the metrics.
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

/// What gives the figures of a cache that is still there.
type Source = Box<dyn Fn() -> Option<CacheFigures> + Send + Sync>;

static CACHES: Mutex<Vec<Source>> = Mutex::new(Vec::new());

/// Has a cache counted among all.
pub(crate) fn watch(source: Source) {
    CACHES.lock().unwrap_or_else(PoisonError::into_inner).push(source);
}

/// The figures of all caches of the process, by their names. Those that are gone are forgotten.
///
/// ```
/// use query_budget::cache::{Cache, figures};
///
/// let cache = Cache::in_memory("profiles");
/// assert_eq!(figures()[0].name, "profiles");
/// # drop(cache);
/// ```
#[must_use]
pub fn figures() -> Vec<CacheFigures> {
    let mut all = Vec::new();
    CACHES.lock().unwrap_or_else(PoisonError::into_inner).retain(|source| {
        let figures = source();
        let is_there = figures.is_some();
        all.extend(figures);
        is_there
    });
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}
