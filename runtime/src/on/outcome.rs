//! What is done when a scope ends over its budget: panic, print, or call the hook.

use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::current::{self, Node};
use crate::report::Report;
use crate::settings::{OverBudget, settings};

/// How a scope ended. (One whose body panicked is not judged at all.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Finished,
    /// Dropped before it was ready: whoever dropped it did not ask for a verdict, so never a panic.
    Cancelled,
}

/// What is done about a scope over its budget in this build, unless someone says otherwise.
const OF_BUILD: OverBudget =
    if cfg!(any(debug_assertions, feature = "enforce")) { OverBudget::Panic } else { OverBudget::Log };

/// What is done now: what the variable `QUERY_BUDGET` says, else the settings, else the build.
fn mode() -> OverBudget {
    of_environment().or(settings().over_budget).unwrap_or(OF_BUILD)
}

/// Reads the variable once; a value that is none of the three is said once, and is as good as none.
fn of_environment() -> Option<OverBudget> {
    static MODE: OnceLock<Option<OverBudget>> = OnceLock::new();
    *MODE.get_or_init(|| match std::env::var("QUERY_BUDGET") {
        Err(std::env::VarError::NotPresent) => None,
        Ok(value) if value.is_empty() => None,
        Ok(value) if value == "panic" => Some(OverBudget::Panic),
        Ok(value) if value == "log" => Some(OverBudget::Log),
        Ok(value) if value == "off" => Some(OverBudget::Off),
        Ok(_) | Err(std::env::VarError::NotUnicode(_)) => {
            say(&"query-budget: `QUERY_BUDGET` is none of `panic`, `log` and `off`: it is ignored");
            None
        }
    })
}

type Hook = Arc<dyn Fn(&Report) + Send + Sync>;

static HOOK: RwLock<Option<Hook>> = RwLock::new(None);

/// Takes back the hook of [`set_hook`]: what is over its budget panics or is logged again.
pub fn reset_hook() {
    *HOOK.write().unwrap_or_else(PoisonError::into_inner) = None;
}

/// Hands every report of a scope over its budget to `hook`, which takes the place of the panic or the print.
/// [`reset_hook`] takes it back.
///
/// What it asks of the database counts nowhere. `QUERY_BUDGET=off` silences the hook as well. A hook may panic to fail the code that went over, but not when
/// [`Report::was_cancelled`] says that the scope was dropped before its end.
///
/// ```
/// query_budget::set_hook(|report| eprintln!("{report}"));
/// ```
pub fn set_hook(hook: impl Fn(&Report) + Send + Sync + 'static) {
    *HOOK.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
}

/// Does what is to be done about a scope that ended so, when it is over its budget; but for a panic, of which it gives
/// the report.
pub(crate) fn verdict(report: Report, ending: Ending) -> Option<Report> {
    if !report.is_over() {
        return None;
    }
    let mode = mode();
    if mode == OverBudget::Off {
        return None;
    }
    let report = match ending {
        Ending::Finished => report,
        Ending::Cancelled => report.cancelled(),
    };
    // Cloned out of the lock: a hook may run queries, or set another hook.
    let hook = HOOK.read().unwrap_or_else(PoisonError::into_inner).clone();
    // What a hook asks of the database is no query of the scopes around this one.
    let _outside = hook.is_some().then(|| current::enter(Some(Node::outside())));
    match (hook, mode, ending) {
        (Some(hook), _, Ending::Finished) => hook(&report),
        (Some(hook), _, Ending::Cancelled) => {
            // Whoever drops a future expects no panic.
            if std::panic::catch_unwind(AssertUnwindSafe(|| hook(&report))).is_err() {
                say(&"query-budget: the hook panicked over a scope that was dropped");
            }
        }
        (None, OverBudget::Panic, Ending::Finished) => return Some(report),
        (None, ..) => log(&report),
    }
    None
}

/// Tells of it as an event where some subscriber listens, and prints it elsewhere.
fn log(report: &Report) {
    #[cfg(feature = "tracing")]
    if tracing::enabled!(target: "query_budget::over", tracing::Level::WARN) {
        super::slow::over(report);
        return;
    }
    say(report);
}

/// Prints a line on stderr. Whoever has closed it does not want to know, and is no reason to fail.
pub(crate) fn say(text: &dyn std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
