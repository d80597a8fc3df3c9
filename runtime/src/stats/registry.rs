//! Stores latencies: a histogram for each statement and each scope.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::{self, Debug, Formatter};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::histogram::Histogram;
use super::{Latency, ScopeStats, StatementStats, WaitStats};
use crate::blot::without_literals;
use crate::counting::ended::{Execution, ScopeRun};
use crate::hash::Texts;
use crate::report::OTHERS;
use crate::site::Site;

/// The maximum number of distinct texts and names from run time; later ones are counted together.
const MOST_NAMES: usize = 1_000;
/// The maximum length of a name, in bytes: each is kept as long as the process runs.
const MOST_BYTES: usize = 8 * 1024;

/// Records of one kind of thing, kept as long as the process runs: one for each place in the source, and a limited number
/// by name.
struct Kept {
    sites: Option<HashMap<usize, (&'static Site, &'static Recorded)>>,
    names: Option<HashMap<String, &'static Recorded, Texts>>,
}

static STATEMENTS: Mutex<Kept> = Mutex::new(Kept { sites: None, names: None });
static SCOPES: Mutex<Kept> = Mutex::new(Kept { sites: None, names: None });

/// The record of one statement, or of the scopes with one name. Threads add to it without a lock.
pub(crate) struct Recorded {
    histogram: Histogram,
    /// In nanoseconds, which reach five centuries.
    total: AtomicU64,
    max: AtomicU64,
    /// Rows of a statement, or queries of a scope.
    inside: AtomicU64,
}

impl Debug for Recorded {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded").field("inside", &self.inside).finish_non_exhaustive()
    }
}

impl Recorded {
    fn new() -> &'static Self {
        Box::leak(Box::new(Self {
            histogram: Histogram::new(),
            total: AtomicU64::new(0),
            max: AtomicU64::new(0),
            inside: AtomicU64::new(0),
        }))
    }

    fn add(&self, time: Duration, inside: usize) {
        let time = nanoseconds(time);
        self.histogram.add(time);
        if time > self.max.load(Ordering::Relaxed) {
            self.max.fetch_max(time, Ordering::Relaxed);
        }
        self.total.fetch_add(time, Ordering::Relaxed);
        if inside > 0 {
            self.inside.fetch_add(inside as u64, Ordering::Relaxed);
        }
    }

    fn inside(&self) -> u64 {
        self.inside.load(Ordering::Relaxed)
    }

    fn latency(&self) -> Latency {
        let counts = self.histogram.counts();
        let max = Duration::from_nanos(self.max.load(Ordering::Relaxed));
        // A step is represented by its upper end, which may be above every value in it.
        let at = |quantile| Duration::from_nanos(counts.at(quantile)).min(max);
        Latency {
            count: counts.all(),
            total: Duration::from_nanos(self.total.load(Ordering::Relaxed)),
            p50: at(0.50),
            p95: at(0.95),
            p99: at(0.99),
            max,
        }
    }
}

/// Without the 128 bits of [`Duration::as_nanos`], which are slow in an unoptimised build.
#[inline(always)]
fn nanoseconds(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000_000_000).saturating_add(time.subsec_nanos() as u64)
}

impl Kept {
    fn of_site(&mut self, site: &'static Site) -> &'static Recorded {
        let address = std::ptr::from_ref(site).addr();
        let sites = self.sites.get_or_insert_default();
        sites.entry(address).or_insert_with(|| (site, Recorded::new())).1
    }

    /// The record with exactly this name, if there is one.
    fn known(&self, name: &str) -> Option<&'static Recorded> {
        self.names.as_ref()?.get(name).copied()
    }

    fn of_name(&mut self, name: String) -> &'static Recorded {
        let names = self.names.get_or_insert_default();
        let name = shortened(name);
        let is_full = names.len() >= MOST_NAMES && !names.contains_key(&name);
        match names.entry(if is_full { OTHERS.to_owned() } else { name }) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Recorded::new()),
        }
    }
}

fn shortened(mut name: String) -> String {
    if name.len() > MOST_BYTES {
        name.truncate(name.floor_char_boundary(MOST_BYTES));
        name.push('…');
        name.shrink_to_fit();
    }
    name
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn record_execution(ended: Execution<'_>) {
    let recorded = match ended.site {
        Some(site) => site.recorded(|| lock(&STATEMENTS).of_site(site)),
        None => {
            let mut kept = lock(&STATEMENTS);
            // Most texts contain no literals, and so equal their own names.
            match kept.known(ended.sql) {
                Some(known) => known,
                None => kept.of_name(without_literals(ended.sql)),
            }
        }
    };
    recorded.add(ended.time, ended.rows);
}

/// The record of a scope's name in the source, by the name's address and length.
type Found = Cell<Option<(usize, usize, &'static Recorded)>>;
/// The number of cached names.
const FOUND: usize = 16;

thread_local! {
    /// The records that were found last, each at a place derived from the name's address.
    static LAST: [Found; FOUND] = const { [const { Cell::new(None) }; FOUND] };
}

pub(crate) fn record_scope(ended: ScopeRun<'_>) {
    let recorded = match ended.name {
        Cow::Borrowed(name) => of_literal(name),
        Cow::Owned(name) => of_scope(name),
    };
    recorded.add(ended.time, ended.queries);
}

fn of_literal(name: &'static str) -> &'static Recorded {
    let (address, length) = (name.as_ptr().addr(), name.len());
    let place = (address >> 3) % FOUND;
    let found = LAST.try_with(|last| match last[place].get() {
        Some((of, long, recorded)) if of == address && long == length => Some(recorded),
        _ => None,
    });
    if let Ok(Some(recorded)) = found {
        return recorded;
    }
    let recorded = of_scope(name);
    let _ = LAST.try_with(|last| last[place].set(Some((address, length, recorded))));
    recorded
}

fn of_scope(name: &str) -> &'static Recorded {
    let mut kept = lock(&SCOPES);
    match kept.known(name) {
        Some(known) => known,
        None => kept.of_name(name.to_owned()),
    }
}

static WAITS: Mutex<WaitStats> =
    Mutex::new(WaitStats { count: 0, timed_out: 0, total: Duration::ZERO, max: Duration::ZERO });

#[cfg(feature = "sqlx")]
pub(crate) fn record_wait(time: Duration, had_one: bool) {
    let mut waits = WAITS.lock().unwrap_or_else(PoisonError::into_inner);
    waits.count = waits.count.saturating_add(1);
    waits.timed_out = waits.timed_out.saturating_add(u64::from(!had_one));
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
        rows: recorded.inside(),
        latency: recorded.latency(),
    });
    let of_texts = kept.names.iter().flatten().map(|(text, recorded)| StatementStats {
        sql: text.clone(),
        place: None,
        rows: recorded.inside(),
        latency: recorded.latency(),
    });
    let mut statements: Vec<_> = of_sites.chain(of_texts).collect();
    drop(kept);
    statements.sort_by_key(|statement| std::cmp::Reverse(statement.latency.total));
    let kept = lock(&SCOPES);
    let scopes = kept.names.iter().flatten().map(|(name, recorded)| ScopeStats {
        name: name.clone(),
        queries: recorded.inside(),
        latency: recorded.latency(),
    });
    let mut scopes: Vec<_> = scopes.collect();
    drop(kept);
    scopes.sort_by_key(|scope| std::cmp::Reverse(scope.latency.total));
    (statements, scopes)
}
