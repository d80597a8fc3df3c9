//! Stores latencies: a histogram for each statement and each scope.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::{Latency, ScopeStats, StatementStats, WaitStats};
use crate::blot::without_literals;
use crate::counting::ended::{Execution, ScopeRun};
use crate::site::Site;

/// The maximum number of distinct texts and names from run time; later ones are counted together.
const MOST_NAMES: usize = 1_000;
/// The name for those that are counted together.
const OTHERS: &str = "(others)";

/// An hour, in nanoseconds: longer durations are counted as that.
const LONGEST: u64 = 3_600_000_000_000;

/// Histograms of one kind of thing: one for each place in the source, and a limited number by name.
struct Kept {
    sites: Option<HashMap<usize, (&'static Site, Recorded)>>,
    names: Option<HashMap<String, Recorded>>,
}

static STATEMENTS: Mutex<Kept> = Mutex::new(Kept { sites: None, names: None });
static SCOPES: Mutex<Kept> = Mutex::new(Kept { sites: None, names: None });

/// The record of one statement, or of the scopes with one name.
struct Recorded {
    /// In nanoseconds, with two significant digits: 18 KiB of constant size.
    histogram: Option<Histogram<u32>>,
    total: Duration,
    max: Duration,
    /// Rows of a statement, or queries of a scope.
    inside: u64,
}

impl Recorded {
    fn new() -> Self {
        // These bounds are valid for the crate, so creating a histogram cannot fail.
        Self {
            histogram: Histogram::new_with_bounds(1, LONGEST, 2).ok(),
            total: Duration::ZERO,
            max: Duration::ZERO,
            inside: 0,
        }
    }

    fn add(&mut self, time: Duration, inside: usize) {
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record(nanoseconds(time));
        }
        self.max = self.max.max(time);
        self.total = self.total.saturating_add(time);
        self.inside = self.inside.saturating_add(u64::try_from(inside).unwrap_or(u64::MAX));
    }

    fn latency(&self) -> Latency {
        let Some(histogram) = &self.histogram else { return Latency::default() };
        // A bucket is represented by its upper end, which may be above every value in it.
        let at = |quantile| Duration::from_nanos(histogram.value_at_quantile(quantile)).min(self.max);
        Latency {
            count: histogram.len(),
            total: self.total,
            p50: at(0.50),
            p95: at(0.95),
            p99: at(0.99),
            max: self.max,
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Kept {
    fn of_site(&mut self, site: &'static Site) -> &mut Recorded {
        let address = std::ptr::from_ref(site).addr();
        let sites = self.sites.get_or_insert_default();
        &mut sites.entry(address).or_insert_with(|| (site, Recorded::new())).1
    }

    /// The record with exactly this name, if there is one.
    fn known(&mut self, name: &str) -> Option<&mut Recorded> {
        self.names.as_mut()?.get_mut(name)
    }

    fn of_name(&mut self, name: String) -> &mut Recorded {
        let names = self.names.get_or_insert_default();
        let is_full = names.len() >= MOST_NAMES && !names.contains_key(&name);
        match names.entry(if is_full { OTHERS.to_owned() } else { name }) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Recorded::new()),
        }
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn record_execution(ended: Execution<'_>) {
    match ended.site {
        Some(site) => lock(&STATEMENTS).of_site(site).add(ended.time, ended.rows),
        None => {
            let mut kept = lock(&STATEMENTS);
            // Most texts contain no literals, and so equal their own names.
            if let Some(known) = kept.known(ended.sql) {
                return known.add(ended.time, ended.rows);
            }
            kept.of_name(without_literals(ended.sql)).add(ended.time, ended.rows);
        }
    }
}

pub(crate) fn record_scope(ended: ScopeRun<'_>) {
    let mut kept = lock(&SCOPES);
    match kept.known(ended.name) {
        Some(known) => known.add(ended.time, ended.queries),
        None => kept.of_name(ended.name.to_owned()).add(ended.time, ended.queries),
    }
}

static WAITS: Mutex<WaitStats> =
    Mutex::new(WaitStats { count: 0, in_vain: 0, total: Duration::ZERO, max: Duration::ZERO });

#[cfg(feature = "sqlx")]
pub(crate) fn record_wait(time: Duration, had_one: bool) {
    let mut waits = WAITS.lock().unwrap_or_else(PoisonError::into_inner);
    waits.count = waits.count.saturating_add(1);
    waits.in_vain = waits.in_vain.saturating_add(u64::from(!had_one));
    waits.total = waits.total.saturating_add(time);
    waits.max = waits.max.max(time);
}

pub(super) fn waits() -> WaitStats {
    *WAITS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All records, sorted by total time, largest first.
pub(super) fn read() -> (Vec<StatementStats>, Vec<ScopeStats>) {
    let kept = lock(&STATEMENTS);
    let of_sites = kept.sites.iter().flatten().map(|(_, (site, recorded))| StatementStats {
        sql: site.sql.split_whitespace().collect::<Vec<_>>().join(" "),
        place: Some(site.place),
        rows: recorded.inside,
        latency: recorded.latency(),
    });
    let of_texts = kept.names.iter().flatten().map(|(text, recorded)| StatementStats {
        sql: text.clone(),
        place: None,
        rows: recorded.inside,
        latency: recorded.latency(),
    });
    let mut statements: Vec<_> = of_sites.chain(of_texts).collect();
    drop(kept);
    statements.sort_by_key(|statement| std::cmp::Reverse(statement.latency.total));
    let kept = lock(&SCOPES);
    let scopes = kept.names.iter().flatten().map(|(name, recorded)| ScopeStats {
        name: name.clone(),
        queries: recorded.inside,
        latency: recorded.latency(),
    });
    let mut scopes: Vec<_> = scopes.collect();
    drop(kept);
    scopes.sort_by_key(|scope| std::cmp::Reverse(scope.latency.total));
    (statements, scopes)
}
