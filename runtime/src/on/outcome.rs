//! What happens when a scope ends over its budget: panic, print, or call the hook.

use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::current;
use super::node::Node;
use crate::report::Report;
use crate::settings::{OverBudget, settings};

/// How a scope ended. (One whose body panicked is not checked at all.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Finished,
    /// Dropped before it was ready: whoever dropped it does not expect a result, so it never panics.
    Cancelled,
}

/// The default reaction to a scope over its budget in this build.
const OF_BUILD: OverBudget =
    if cfg!(any(debug_assertions, feature = "enforce")) { OverBudget::Panic } else { OverBudget::Log };

/// The current reaction: that of the variable `QUERY_BUDGET`, else of the settings, else of the build.
fn mode() -> OverBudget {
    of_environment().or(settings().over_budget).unwrap_or(OF_BUILD)
}

/// Reads the variable once; an invalid value is reported once and ignored.
fn of_environment() -> Option<OverBudget> {
    static MODE: OnceLock<Option<OverBudget>> = OnceLock::new();
    *MODE.get_or_init(|| match std::env::var("QUERY_BUDGET") {
        Err(std::env::VarError::NotPresent) => None,
        Ok(value) if value.is_empty() => None,
        Ok(value) if value == "panic" => Some(OverBudget::Panic),
        Ok(value) if value == "log" => Some(OverBudget::Log),
        Ok(value) if value == "off" => Some(OverBudget::Off),
        Ok(_) | Err(std::env::VarError::NotUnicode(_)) => {
            say(&"query-budget: `QUERY_BUDGET` is not one of `panic`, `log` and `off`: it is ignored");
            None
        }
    })
}

type Hook = Arc<dyn Fn(&Report) + Send + Sync>;

static HOOK: RwLock<Option<Hook>> = RwLock::new(None);

/// Removes the hook of [`set_hook`]: scopes over their budgets panic or are logged again.
pub fn reset_hook() {
    *HOOK.write().unwrap_or_else(PoisonError::into_inner) = None;
}

/// Passes every report of a scope over its budget to `hook`, which replaces the panic or the print.
/// [`reset_hook`] removes it.
///
/// Its own queries count nowhere. `QUERY_BUDGET=off` silences the hook as well. A hook may panic to fail the
/// code that exceeded its budget, but not if [`Report::was_cancelled`] says that the scope was dropped before
/// its end.
///
/// ```
/// query_budget::set_hook(|report| eprintln!("{report}"));
/// ```
pub fn set_hook(hook: impl Fn(&Report) + Send + Sync + 'static) {
    *HOOK.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
}

/// Reacts to a scope that ended over its budget; instead of panicking, it returns the report.
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
    // Queries of a hook do not belong to the enclosing scopes.
    let _outside = hook.is_some().then(|| current::enter(Some(Node::outside())));
    match (hook, mode, ending) {
        (Some(hook), _, Ending::Finished) => hook(&report),
        (Some(hook), _, Ending::Cancelled) => {
            // Dropping a future must not panic.
            if std::panic::catch_unwind(AssertUnwindSafe(|| hook(&report))).is_err() {
                say(&"query-budget: the hook panicked over a scope that was dropped");
            }
        }
        (None, OverBudget::Panic, Ending::Finished) => return Some(report),
        (None, ..) => log(&report),
    }
    None
}

#[cfg(feature = "axum")]
thread_local! {
    /// The text of the last report that this thread has panicked with.
    static FAILED: std::cell::RefCell<Option<String>> = const { std::cell::RefCell::new(None) };
}

/// Panics with the report.
pub(crate) fn fail(over: &Report) -> ! {
    let text = over.to_string();
    #[cfg(feature = "axum")]
    let _ = FAILED.try_with(|failed| failed.replace(Some(text.clone())));
    panic!("{text}")
}

/// The report that a panic on this thread was about; `None` for any other panic.
#[cfg(feature = "axum")]
pub(crate) fn failed(panic: &(dyn std::any::Any + Send)) -> Option<String> {
    let failed = FAILED.try_with(|failed| failed.take()).ok().flatten()?;
    panic.downcast_ref::<String>().is_some_and(|text| *text == failed).then_some(failed)
}

/// Emits it as an event if a subscriber listens, and prints it otherwise.
fn log(report: &Report) {
    #[cfg(feature = "tracing")]
    if tracing::enabled!(target: "query_budget::over", tracing::Level::WARN) {
        super::slow::over(report);
        return;
    }
    say(report);
}

/// Prints a line on stderr, and ignores a closed stderr.
pub(crate) fn say(text: &dyn std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
