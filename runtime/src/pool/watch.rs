//! The pools whose figures are reported.

use std::sync::{Mutex, PoisonError};

#[cfg(feature = "sqlx")]
use sqlx::{Database, Pool};

use super::PoolFigures;

/// A pool that is watched: its figures, or `None` once it is closed.
type Watched = (String, Box<dyn Fn() -> Option<PoolFigures> + Send + Sync>);

static WATCHED: Mutex<Vec<Watched>> = Mutex::new(Vec::new());

/// Has the figures of this pool reported under that name, by `stats()` and as metrics, until it is closed.
///
/// The name takes the place of another pool of that name.
#[cfg(feature = "sqlx")]
pub fn watch_pool<DB: Database>(name: impl Into<String>, pool: &Pool<DB>) {
    let (name, pool) = (name.into(), pool.clone());
    let figures = Box::new(move || (!pool.is_closed()).then(|| PoolFigures::of(&pool)));
    let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    watched.retain(|(other, _)| *other != name);
    watched.push((name, figures));
}

/// The pools that are watched, by name. Those that are closed are forgotten.
pub(crate) fn watched() -> Vec<(String, PoolFigures)> {
    let mut all = Vec::new();
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner).retain(|(name, figures)| {
        let figures = figures();
        all.extend(figures.map(|figures| (name.clone(), figures)));
        figures.is_some()
    });
    all
}
