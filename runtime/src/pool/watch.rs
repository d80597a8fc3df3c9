//! The pools whose statistics are reported.

#[cfg(feature = "sqlx")]
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

#[cfg(feature = "sqlx")]
use sqlx::{Database, Pool};

use super::PoolStats;

/// A watched pool.
struct Watched {
    #[cfg_attr(not(feature = "sqlx"), expect(dead_code, reason = "there are no pools without sqlx"))]
    id: u64,
    name: String,
    /// Returns its statistics; `None` once it is closed.
    stats: Box<dyn Fn() -> Option<PoolStats> + Send + Sync>,
    #[cfg(all(debug_assertions, feature = "sqlx", feature = "tracing"))]
    explainer: Option<super::plan::Explainer>,
}

static WATCHED: Mutex<Vec<Watched>> = Mutex::new(Vec::new());

/// Reports the statistics of this pool under a name, in `stats()` and as metrics, until it is closed or the
/// returned value is dropped: store that value next to the pool, since it keeps the pool open.
///
/// It replaces an earlier pool with the same name. In debug builds with the feature `tracing`, the database
/// of such a pool is asked for its plan of each slow `SELECT` of `sql!`, once and without running it.
///
/// ```
/// # sqlx::__rt::test_block_on(async {
/// let pool = sqlx::SqlitePool::connect("sqlite::memory:").await.unwrap();
/// let watched = query_budget::watch_pool("main", &pool);
/// // struct State { pool, watched }, or for a pool that is as old as the process:
/// watched.forget();
/// # });
/// ```
#[cfg(feature = "sqlx")]
pub fn watch_pool<DB: Database>(name: impl Into<String>, pool: &Pool<DB>) -> WatchedPool {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let (id, name, pool) = (LAST.fetch_add(1, Ordering::Relaxed), name.into(), pool.clone());
    #[cfg(all(debug_assertions, feature = "tracing"))]
    let explainer = super::plan::Explainer::of(&pool);
    let stats = Box::new(move || (!pool.is_closed()).then(|| PoolStats::of(&pool)));
    let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    watched.retain(|other| other.name != name);
    watched.push(Watched {
        id,
        name,
        stats,
        #[cfg(all(debug_assertions, feature = "tracing"))]
        explainer,
    });
    WatchedPool { id }
}

/// A pool whose statistics are reported until this is dropped. Made by [`watch_pool`].
#[cfg(feature = "sqlx")]
#[derive(Debug)]
#[must_use = "the pool is watched until this is dropped"]
pub struct WatchedPool {
    id: u64,
}

#[cfg(feature = "sqlx")]
impl WatchedPool {
    /// Keeps watching the pool until it is closed.
    pub fn forget(self) {
        std::mem::forget(self);
    }
}

#[cfg(feature = "sqlx")]
impl Drop for WatchedPool {
    fn drop(&mut self) {
        let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
        let at = watched.iter().position(|pool| pool.id == self.id);
        let gone = at.map(|at| watched.remove(at));
        // Dropped outside of the lock: it may be the last owner of the pool.
        drop(watched);
        drop(gone);
    }
}

/// The watched pools by name; exhausted ones are reported as events.
pub(crate) fn watched() -> Vec<(String, PoolStats)> {
    let all = stats();
    #[cfg(feature = "tracing")]
    for (name, stats) in all.iter().filter(|(_, stats)| stats.is_exhausted()) {
        crate::counting::slow::exhausted(name, stats.used);
    }
    all
}

/// The watched pools by name. Closed ones are dropped.
pub(crate) fn stats() -> Vec<(String, PoolStats)> {
    let mut all = Vec::new();
    let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    let gone: Vec<Watched> = watched
        .extract_if(.., |pool| {
            let stats = (pool.stats)();
            all.extend(stats.map(|stats| (pool.name.clone(), stats)));
            stats.is_none()
        })
        .collect();
    drop(watched);
    drop(gone);
    all
}

/// The explainers for the watched pools of a database.
#[cfg(all(debug_assertions, feature = "sqlx", feature = "tracing"))]
pub(super) fn explainers() -> Vec<super::plan::Explainer> {
    let watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    watched.iter().filter_map(|pool| pool.explainer.clone()).collect()
}
