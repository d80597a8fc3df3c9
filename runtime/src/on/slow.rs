//! Slow statements and requests, repeated statements and exceeded budgets, as events of `tracing`; never with
//! a value.

use std::borrow::Cow;
use std::sync::PoisonError;
use std::time::Duration;

use tracing::Level;

use super::ended::Execution;
#[cfg(feature = "tower")]
use super::outcome::Ending;
use crate::blot::without_literals;
use crate::report::{ParameterSets, Report, Statement, milliseconds};
use crate::settings::{Tiers, may_be_slow, settings};
#[cfg(feature = "sqlx")]
use crate::site::Site;
use crate::sync::{AtomicBool, Mutex, Ordering};

/// The level for a duration; `None` if it is not slow.
fn level(tiers: Tiers, time: Duration) -> Option<Level> {
    let reached = |tier: Option<Duration>| tier.is_some_and(|tier| time >= tier);
    match () {
        () if reached(tiers.error) => Some(Level::ERROR),
        () if reached(tiers.warn) => Some(Level::WARN),
        () if reached(tiers.info) => Some(Level::INFO),
        () => None,
    }
}

/// An event with a level that is only known at run time, while `tracing` requires it at compile time.
macro_rules! event {
    ($level:expr, $($event:tt)*) => {
        match $level {
            Level::ERROR => tracing::error!($($event)*),
            Level::WARN => tracing::warn!($($event)*),
            _ => tracing::info!($($event)*),
        }
    };
}

/// Reports a statement if it was slow.
pub(crate) fn statement(ended: Execution<'_>) {
    if !may_be_slow(ended.time) {
        return;
    }
    let Some(level) = level(settings().slow_statement, ended.time) else { return };
    let statement = match ended.site {
        Some(site) => on_one_line(site.sql),
        // Text built at run time may contain values.
        None => without_literals(ended.sql).into(),
    };
    told_slow(level, &statement, &at(ended), ended.rows, ended.time);
    #[cfg(all(debug_assertions, feature = "sqlx", any(feature = "stats", feature = "metrics")))]
    if let Some(site) = ended.site {
        crate::pool::tell_plan(site);
    }
}

/// Reports the plan of a slow statement.
#[cfg(all(debug_assertions, feature = "sqlx", any(feature = "stats", feature = "metrics")))]
pub(crate) fn plan(site: &'static Site, plan: &str) {
    let (statement, site) = (&*on_one_line(site.sql), site.place.to_string());
    tracing::info!(target: "query_budget::slow", statement, site, plan, "plan of a slow statement");
}

fn told_slow(level: Level, statement: &str, site: &str, rows: usize, time: Duration) {
    let elapsed_ms = milliseconds(time);
    event!(level, target: "query_budget::slow", statement, site, rows, elapsed_ms, "slow statement");
}

/// Reports a query that waited long for a connection, or got none.
#[cfg(feature = "sqlx")]
pub(crate) fn waited(site: &'static Site, time: Duration, had_one: bool) {
    let Some(level) = level(settings().slow_connection, time) else { return };
    let (statement, site) = (&*on_one_line(site.sql), site.place.to_string());
    let (waited_ms, pools) = (milliseconds(time), crate::pool::in_use());
    if had_one {
        event!(level, target: "query_budget::pool", statement, site, waited_ms, pools, "waited for a connection");
    } else {
        event!(level, target: "query_budget::pool", statement, site, waited_ms, pools, "no connection");
    }
}

/// Reports a pool all of whose connections are in use.
#[cfg(any(feature = "stats", feature = "metrics"))]
pub(crate) fn exhausted(pool: &str, used: usize) {
    tracing::warn!(target: "query_budget::pool", pool, used, "pool exhausted");
}

/// Reports a request if it was slow, or was abandoned by the client after a long time.
#[cfg(feature = "tower")]
pub(crate) fn request(report: &Report, time: Duration, ending: Ending) {
    let Some(level) = level(settings().slow_request, time) else { return };
    let (request, queries) = (report.name(), report.queries());
    let (query_ms, elapsed_ms) = (milliseconds(report.time()), milliseconds(time));
    match ending {
        Ending::Finished => event!(
            level, target: "query_budget::slow", request, queries, query_ms, elapsed_ms, "slow request"
        ),
        Ending::Cancelled => event!(
            level, target: "query_budget::slow", request, queries, query_ms, elapsed_ms, "slow request, cancelled"
        ),
    }
}

/// Reports a scope that ended over its budget.
pub(crate) fn over(report: &Report) {
    let (scope, queries, rows) = (report.name(), report.queries(), report.rows());
    let (query_ms, site) = (milliseconds(report.time()), report.location().to_string());
    tracing::warn!(
        target: "query_budget::over",
        scope, site, queries, rows, query_ms, report = %report, "over budget"
    );
}

/// Reports a repeated statement.
pub(crate) fn repeated(scope: &str, repeated: &Statement) {
    let statement = &*on_one_line(repeated.sql());
    let site = repeated.place().map_or_else(String::new, |place| place.to_string());
    let parameters = match repeated.parameters() {
        ParameterSets::Same => "same",
        ParameterSets::Different => "different",
        ParameterSets::Several(_) => "some the same",
        ParameterSets::Unknown => "unknown",
    };
    let (times, elapsed_ms) = (repeated.count(), milliseconds(repeated.time()));
    tracing::warn!(
        target: "query_budget::n_plus_one",
        scope, statement, site, times, elapsed_ms, parameters, "repeated statement"
    );
}

/// Slow statements found by a layer, to be reported by the scope: a layer that emits events confuses the
/// others.
#[derive(Default)]
pub(crate) struct Slow {
    /// Whether there are any, because a scope is left at every poll. Only changed under the lock.
    any: AtomicBool,
    kept: Mutex<Vec<(Level, String, usize, Duration)>>,
}

impl Slow {
    pub(crate) fn keep(&self, ended: Execution<'_>) {
        if !may_be_slow(ended.time) {
            return;
        }
        if let Some(level) = level(settings().slow_statement, ended.time) {
            let told = (level, without_literals(ended.sql), ended.rows, ended.time);
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push(told);
            self.any.store(true, Ordering::Release);
        }
    }

    pub(crate) fn tell(&self) {
        // This runs at every poll of a scope.
        if !self.any.load(Ordering::Acquire) {
            return;
        }
        for (level, statement, rows, time) in self.take() {
            told_slow(level, &statement, "", rows, time);
        }
    }

    fn take(&self) -> Vec<(Level, String, usize, Duration)> {
        if !self.any.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        self.any.store(false, Ordering::Release);
        std::mem::take(&mut *kept)
    }
}

fn at(ended: Execution<'_>) -> String {
    ended.site.map_or_else(String::new, |site| site.place.to_string())
}

fn on_one_line(sql: &str) -> Cow<'_, str> {
    // Most are on one line already, which is tested in a fraction of the time.
    let (bytes, mut at, mut is_space) = (sql.as_bytes(), 0, true);
    while at < bytes.len() {
        let is_next = bytes[at] == b' ';
        if !(b' '..128).contains(&bytes[at]) || (is_space && is_next) {
            return Cow::Owned(sql.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        (is_space, at) = (is_next, at + 1);
    }
    Cow::Borrowed(sql.trim_ascii_end())
}

#[cfg(all(test, query_budget_loom))]
mod tests {
    use std::sync::Arc;

    use loom::thread;

    use super::*;

    /// Two threads find slow statements while a third leaves the scope: each is reported once.
    #[test]
    fn each_is_told_of_once() {
        loom::model(|| {
            let slow = Arc::new(Slow::default());
            let time = Duration::from_secs(1);
            let keep = move |slow: &Slow| slow.keep(Execution { sql: "SELECT 1", site: None, rows: 0, time });
            let threads = [(); 2].map(|()| {
                let slow = Arc::clone(&slow);
                thread::spawn(move || keep(&slow))
            });
            let early = slow.take().len();
            threads.into_iter().for_each(|thread| thread.join().expect("it ends"));
            assert_eq!(early + slow.take().len(), 2);
        });
    }
}
