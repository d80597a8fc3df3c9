//! [`Settings`]: when something is slow or repeated, and what happens over a budget, for the whole process.

#[cfg(feature = "tracing")]
use std::sync::atomic::AtomicU64;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

/// The thresholds from which something is slow, with their levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tiers {
    /// Reported at level `info` from this duration; `None` for never.
    pub info: Option<Duration>,
    /// Reported at level `warn` from this duration.
    pub warn: Option<Duration>,
    /// Reported at level `error` from this duration.
    pub error: Option<Duration>,
}

impl Tiers {
    /// Never slow.
    pub const NEVER: Self = Self { info: None, warn: None, error: None };

    /// Reports at level `info` from this duration.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use query_budget::Tiers;
    ///
    /// let slow = Tiers::NEVER.info(Duration::from_millis(20)).error(Duration::from_secs(1));
    /// assert_eq!((slow.info, slow.warn), (Some(Duration::from_millis(20)), None));
    /// ```
    #[must_use]
    pub const fn info(mut self, from: Duration) -> Self {
        self.info = Some(from);
        self
    }

    /// Reports at level `warn` from this duration.
    #[must_use]
    pub const fn warn(mut self, from: Duration) -> Self {
        self.warn = Some(from);
        self
    }

    /// Reports at level `error` from this duration.
    #[must_use]
    pub const fn error(mut self, from: Duration) -> Self {
        self.error = Some(from);
        self
    }

    /// The lowest threshold, in nanoseconds.
    #[cfg(feature = "tracing")]
    fn lowest(self) -> u64 {
        [self.info, self.warn, self.error].into_iter().flatten().min().map_or(u64::MAX, nanoseconds)
    }
}

/// The reaction to a scope that ends over its budget, if no hook handles it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OverBudget {
    /// The code that exceeded its budget panics with the report.
    Panic,
    /// The report is an event of `tracing` if a subscriber listens, else a line on stderr.
    Log,
    /// Nothing; the hook is not called either.
    Off,
}

/// When something is slow or repeated, and what happens over a budget. Set once at the start of a process by
/// [`configure`].
///
/// ```
/// let mut settings = query_budget::Settings::default();
/// settings.repeated = 5;
/// settings.slow_statement = query_budget::Tiers::NEVER.warn(std::time::Duration::from_millis(100));
/// query_budget::configure(settings);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The number of executions within a scope from which a statement is reported as repeated. Default: 3.
    pub repeated: usize,
    /// When a statement is slow. Default: 50, 100 and 500 ms. Reported as an event with the feature
    /// `tracing`.
    pub slow_statement: Tiers,
    /// When a request is slow. Default: a warning from 200 ms and an error from 1 s. Reported as an event if
    /// both the features `tower` and `tracing` are enabled.
    pub slow_request: Tiers,
    /// When getting a connection from a pool is slow. Default: a warning from 100 ms and an error from 1 s.
    /// Reported as an event with the feature `tracing`, for queries that are written with `sql!` and related
    /// macros.
    pub slow_connection: Tiers,
    /// The reaction to a scope over its budget. The default, `None`, is a panic in debug builds and with the
    /// feature `enforce`, and a log otherwise. The variable `QUERY_BUDGET` takes precedence.
    pub over_budget: Option<OverBudget>,
}

impl Settings {
    const DEFAULT: Self = Self {
        repeated: 3,
        slow_statement: Tiers::NEVER
            .info(Duration::from_millis(50))
            .warn(Duration::from_millis(100))
            .error(Duration::from_millis(500)),
        slow_request: Tiers::NEVER.warn(Duration::from_millis(200)).error(Duration::from_secs(1)),
        slow_connection: Tiers::NEVER.warn(Duration::from_millis(100)).error(Duration::from_secs(1)),
        over_budget: None,
    };
}

impl Default for Settings {
    fn default() -> Self {
        Self::DEFAULT
    }
}

static SETTINGS: RwLock<Settings> = RwLock::new(Settings::DEFAULT);

/// The duration in nanoseconds from which a statement is slow. It is read at the end of each statement, where
/// a lock would dominate.
#[cfg(feature = "tracing")]
static SLOW_STATEMENT: AtomicU64 = AtomicU64::new(50_000_000);

/// [`Settings::repeated`], read at the end of each scope.
static REPEATED: AtomicUsize = AtomicUsize::new(Settings::DEFAULT.repeated);

/// Sets when something is slow or repeated, and what happens over a budget, from now on.
pub fn configure(settings: Settings) {
    let mut now = SETTINGS.write().unwrap_or_else(PoisonError::into_inner);
    #[cfg(feature = "tracing")]
    SLOW_STATEMENT.store(settings.slow_statement.lowest(), Ordering::Relaxed);
    REPEATED.store(settings.repeated, Ordering::Relaxed);
    *now = settings;
}

/// Whether a statement with this duration may be slow.
#[cfg(feature = "tracing")]
pub(crate) fn may_be_slow(time: Duration) -> bool {
    nanoseconds(time) >= SLOW_STATEMENT.load(Ordering::Relaxed)
}

#[cfg(feature = "tracing")]
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The number of executions from which a statement is repeated.
pub(crate) fn repeated() -> usize {
    REPEATED.load(Ordering::Relaxed)
}

#[cfg_attr(
    not(any(debug_assertions, feature = "count")),
    expect(dead_code, reason = "unused in a build that does not count")
)]
pub(crate) fn settings() -> Settings {
    *SETTINGS.read().unwrap_or_else(PoisonError::into_inner)
}
