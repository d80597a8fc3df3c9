//! What is done when a scope ends over its budget: panic, print, or call the hook.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::report::Report;

/// How a scope ended. (One whose body panicked is not judged at all.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Finished,
    /// Dropped before it was ready: whoever dropped it did not ask for a verdict, so never a panic.
    Cancelled,
}

/// What the variable `QUERY_BUDGET` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Panic,
    Log,
    Off,
}

impl Mode {
    /// A service that counts its queries in release does not fall over them.
    const UNSET: Self =
        if cfg!(any(debug_assertions, feature = "enforce")) { Self::Panic } else { Self::Log };

    /// Reads the variable once; a value that is none of the three is said once, and taken as `panic`.
    fn of_environment() -> Self {
        static MODE: OnceLock<Mode> = OnceLock::new();
        *MODE.get_or_init(|| match std::env::var("QUERY_BUDGET") {
            Err(std::env::VarError::NotPresent) => Self::UNSET,
            Ok(value) if value.is_empty() => Self::UNSET,
            Ok(value) if value == "panic" => Self::Panic,
            Ok(value) if value == "log" => Self::Log,
            Ok(value) if value == "off" => Self::Off,
            Ok(_) | Err(std::env::VarError::NotUnicode(_)) => {
                eprintln!("query-budget: `QUERY_BUDGET` is none of `panic`, `log`, `off`; taken as `panic`");
                Self::Panic
            }
        })
    }
}

type Hook = Arc<dyn Fn(&Report) + Send + Sync>;

static HOOK: RwLock<Option<Hook>> = RwLock::new(None);

/// Hands every report of a scope over its budget to `hook`, which takes the place of the panic or the print.
///
/// `QUERY_BUDGET=off` silences the hook as well. A hook may panic to fail the code that went over, but not when
/// [`Report::was_cancelled`] says that the scope was dropped before its end.
///
/// ```
/// query_budget::set_hook(|report| eprintln!("{report}"));
/// ```
pub fn set_hook(hook: impl Fn(&Report) + Send + Sync + 'static) {
    *HOOK.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
}

/// Does what is to be done about a scope that ended so, when it is over its budget.
pub(crate) fn judge(report: Report, ending: Ending) {
    if !report.is_over() {
        return;
    }
    let mode = Mode::of_environment();
    if mode == Mode::Off {
        return;
    }
    let report = match ending {
        Ending::Finished => report,
        Ending::Cancelled => report.cancelled(),
    };
    // Cloned out of the lock: a hook may run queries, or set another hook.
    let hook = HOOK.read().unwrap_or_else(PoisonError::into_inner).clone();
    match (hook, mode, ending) {
        (Some(hook), ..) => hook(&report),
        (None, Mode::Panic, Ending::Finished) => panic!("{report}"),
        (None, ..) => log(&report),
    }
}

/// Tells of it as an event where some subscriber listens, and prints it elsewhere.
fn log(report: &Report) {
    #[cfg(feature = "tracing")]
    if tracing::enabled!(target: "query_budget::over", tracing::Level::WARN) {
        super::slow::over(report);
        return;
    }
    eprintln!("{report}");
}
