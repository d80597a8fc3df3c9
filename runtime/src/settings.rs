//! [`Settings`]: from where on something is slow, or repeated, for the whole process.

#[cfg(feature = "tracing")]
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

/// From where on something is slow, and how loudly that is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tiers {
    /// Said at level `info` from here on; `None` for never.
    pub info: Option<Duration>,
    /// Said at level `warn` from here on.
    pub warn: Option<Duration>,
    /// Said at level `error` from here on.
    pub error: Option<Duration>,
}

impl Tiers {
    /// Never slow.
    pub const NEVER: Self = Self { info: None, warn: None, error: None };

    /// Said at level `info` from here on.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use query_budget::Tiers;
    ///
    /// let slow = Tiers::NEVER.warn(Duration::from_millis(100)).error(Duration::from_secs(1));
    /// assert_eq!((slow.info, slow.warn), (None, Some(Duration::from_millis(100))));
    /// ```
    #[must_use]
    pub const fn info(mut self, from: Duration) -> Self {
        self.info = Some(from);
        self
    }

    /// Said at level `warn` from here on.
    #[must_use]
    pub const fn warn(mut self, from: Duration) -> Self {
        self.warn = Some(from);
        self
    }

    /// Said at level `error` from here on.
    #[must_use]
    pub const fn error(mut self, from: Duration) -> Self {
        self.error = Some(from);
        self
    }

    /// The lowest tier, in nanoseconds.
    #[cfg(feature = "tracing")]
    fn lowest(self) -> u64 {
        [self.info, self.warn, self.error].into_iter().flatten().min().map_or(u64::MAX, nanoseconds)
    }
}

/// What is done about a scope that ends over its budget, where no hook takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OverBudget {
    /// The code that went over panics with the report.
    Panic,
    /// The report is an event of `tracing` where someone listens, else a line on stderr.
    Log,
    /// Nothing; the hook is silent as well.
    Off,
}

/// What is taken for slow, and for repeated. Set once at the start of a process by [`configure`].
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
    /// Run so often within a scope, a statement is reported as repeated. 3 unless set.
    pub repeated: usize,
    /// When a statement is slow: 50, 100 and 500 ms unless set. Told as an event of the feature `tracing`.
    pub slow_statement: Tiers,
    /// When a request is slow: warned of from 200 ms and an error from 1 s unless set. Told as an event where both the
    /// features `tower` and `tracing` are enabled.
    pub slow_request: Tiers,
    /// When it takes long to get a connection from a pool: warned of from 100 ms and an error from 1 s unless set. Told as
    /// an event of the feature `tracing`, of queries that are written with `sql!` and its kin.
    pub slow_connection: Tiers,
    /// What is done about a scope over its budget; `None`, which it is unless set, for a panic in debug builds and with the
    /// feature `enforce`, and a log elsewhere. The variable `QUERY_BUDGET` comes before this.
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

/// From so many nanoseconds on a statement is slow: read at the end of each, where the lock would be what takes longest.
#[cfg(feature = "tracing")]
static SLOW_STATEMENT: AtomicU64 = AtomicU64::new(50_000_000);

/// Sets what is taken for slow, and for repeated, from now on.
pub fn configure(settings: Settings) {
    let mut now = SETTINGS.write().unwrap_or_else(PoisonError::into_inner);
    #[cfg(feature = "tracing")]
    SLOW_STATEMENT.store(settings.slow_statement.lowest(), Ordering::Relaxed);
    *now = settings;
}

/// Whether a statement that took so long may be slow.
#[cfg(feature = "tracing")]
pub(crate) fn may_be_slow(time: Duration) -> bool {
    nanoseconds(time) >= SLOW_STATEMENT.load(Ordering::Relaxed)
}

#[cfg(feature = "tracing")]
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

pub(crate) fn settings() -> Settings {
    *SETTINGS.read().unwrap_or_else(PoisonError::into_inner)
}
