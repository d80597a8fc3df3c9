//! Queries, scopes and pools as metrics, through the facade of the crate `metrics`.
//!
//! | metric | kind | labels |
//! | --- | --- | --- |
//! | `query_budget_queries_total`, `query_budget_rows_total` | counter | `site` |
//! | `query_budget_query_seconds` | histogram | `site` |
//! | `query_budget_scope_seconds`, `query_budget_scope_queries` | histogram | `scope` |
//! | `query_budget_cache_total` | counter | `cache`, `outcome`: `hit`, `shared`, `miss`, `bypass`, `invalidation`, `unacknowledged` |
//! | `query_budget_pool_connections` | gauge | `pool`, `state`: `idle`, `used`, `max` |
//! | `query_budget_connection_wait_seconds` | histogram | `outcome`: `connected`, `timed out` |
//!
//! A site is a place in the source, so there are as many as there are queries; everything that is not written
//! with `sql!` has the site `raw`.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use metrics::{SharedString, counter, gauge, histogram, with_recorder};

use crate::counting::ended::{Execution, ScopeRun};
use crate::pool::PoolStats;
use crate::report::OTHERS;

/// Whether a recorder is installed, so that keys and labels are needed. The placeholder of the crate `metrics` has size zero and
/// the address of a static; an installed recorder of size zero is a leaked box, whose address is its alignment.
fn is_listened_to() -> bool {
    with_recorder(|recorder| {
        let place = std::ptr::from_ref(recorder).addr();
        size_of_val(recorder) > 0 || place <= align_of_val(recorder)
    })
}

pub(crate) fn execution(ended: Execution<'_>) {
    if !is_listened_to() {
        return;
    }
    let site = ended.site.map_or(SharedString::const_str("raw"), |site| site.label().into());
    counter!("query_budget_queries_total", "site" => site.clone()).increment(1);
    counter!("query_budget_rows_total", "site" => site.clone())
        .increment(u64::try_from(ended.rows).unwrap_or(u64::MAX));
    histogram!("query_budget_query_seconds", "site" => site).record(ended.time.as_secs_f64());
}

pub(crate) fn scope(ended: ScopeRun<'_>) {
    if !is_listened_to() {
        return;
    }
    let name = label(ended.name);
    histogram!("query_budget_scope_seconds", "scope" => name.clone()).record(ended.time.as_secs_f64());
    histogram!("query_budget_scope_queries", "scope" => name).record(f64::from(count(ended.queries)));
}

/// Records how long a query waited for a connection of its pool.
#[cfg(feature = "sqlx")]
pub(crate) fn waited(time: std::time::Duration, had_one: bool) {
    let outcome = if had_one { "connected" } else { "timed out" };
    histogram!("query_budget_connection_wait_seconds", "outcome" => outcome).record(time.as_secs_f64());
}

/// Records a read of a cache or a write to it, and its outcome.
#[cfg(feature = "cache")]
pub(crate) fn cache(name: &str, outcome: &'static str) {
    counter!("query_budget_cache_total", "cache" => name.to_owned(), "outcome" => outcome).increment(1);
}

/// The maximum number of distinct scope names, since some are derived from client input.
const MOST_NAMES: usize = 1_000;

/// The maximum length of such a name, in bytes.
const MOST_BYTES: usize = 1_024;

/// The name of a scope as a label; beyond the limit, all new names share one.
fn label(name: &str) -> String {
    let name = &name[..name.floor_char_boundary(MOST_BYTES)];
    static NAMES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let is_known = names.contains(name) || (names.len() < MOST_NAMES && names.insert(name.to_owned()));
    if is_known { name.to_owned() } else { OTHERS.to_owned() }
}

/// Sets the gauges of the watched pools. Call it when metrics are scraped, or every few seconds.
///
/// ```
/// query_budget::record_pools();
/// ```
pub fn record_pools() {
    for (name, stats) in crate::pool::watched() {
        record(&name, stats);
    }
}

fn record(pool: &str, stats: PoolStats) {
    let states = [("idle", stats.idle), ("used", stats.used), ("max", stats.max)];
    for (state, connections) in states {
        let labels = [("pool", pool.to_owned()), ("state", state.to_owned())];
        gauge!("query_budget_pool_connections", &labels).set(f64::from(count(connections)));
    }
}

/// A count that a metric can represent exactly.
fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
