//! [`Report`]: what ran in a scope, compared with its limits.

mod statement;
mod text;

use std::borrow::Cow;
use std::panic::Location;
use std::time::Duration;

#[cfg(any(feature = "tracing", feature = "stats", feature = "metrics"))]
pub(crate) use self::statement::OTHERS;
pub use self::statement::{ParameterSets, Statement};
#[cfg(any(feature = "tracing", feature = "stats"))]
pub(crate) use self::text::milliseconds;
use crate::settings::repeated;

/// The limits of a scope; `None` for no limit. Read from a [`Report`].
///
/// ```
/// # sqlx::__rt::test_block_on(async {
/// let ((), report) = query_budget::measure(async {}).await;
/// assert_eq!(report.limits(), query_budget::Limits::default()); // `measure` sets none.
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The maximum number of queries.
    pub queries: Option<usize>,
    /// The maximum number of rows fetched, over all queries.
    pub rows: Option<usize>,
    /// The maximum time spent in queries, over all of them.
    pub time: Option<Duration>,
    /// The maximum number of executions of the same statement.
    pub repeats: Option<usize>,
}

/// The counts of a scope so far. Returned by [`counts`](crate::counts).
///
/// ```
/// // Outside of any scope there is nothing to count in.
/// assert_eq!(query_budget::counts().unwrap_or_default().queries, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Number of queries.
    pub queries: usize,
    /// Number of rows fetched.
    pub rows: usize,
    /// Time spent in queries that have ended, including waiting for a connection: the same as [`Report::time`].
    pub time: Duration,
    /// The number of executions of the most frequent statement.
    pub most_repeated: usize,
}

#[cfg(any(debug_assertions, feature = "count"))]
impl Counts {
    /// The counts with one more statement added.
    pub(crate) fn with(self, statement: &Statement) -> Self {
        Self {
            queries: self.queries + statement.count(),
            rows: self.rows.saturating_add(statement.rows()),
            time: self.time.saturating_add(statement.time()),
            most_repeated: self.most_repeated.max(if statement.is_several() { 1 } else { statement.count() }),
        }
    }
}

impl Limits {
    #[cfg_attr(
        not(any(debug_assertions, feature = "count")),
        expect(dead_code, reason = "unused in a build that does not count")
    )]
    pub(crate) const NONE: Self = Self { queries: None, rows: None, time: None, repeats: None };
}

/// What ran in a scope, and its limits.
///
/// Its `Display` is the text of the panic. It never contains a value that was bound to a query, nor a literal
/// of a query that was built at run time.
///
/// ```
/// # async fn load() {}
/// # sqlx::__rt::test_block_on(async {
/// let ((), report) = query_budget::measure(load()).await;
/// for statement in report.repeated() {
///     eprintln!("{} times: {}", statement.count(), statement.sql());
/// }
/// assert!(report.queries() == 0 && !report.is_over());
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct Report {
    name: Cow<'static, str>,
    location: &'static Location<'static>,
    limits: Limits,
    statements: Vec<Statement>,
    counted: bool,
    cancelled: bool,
}

impl Report {
    /// The report of a scope with these statements, in the order of their first execution.
    #[cfg(any(debug_assertions, feature = "count"))]
    pub(crate) fn new(
        name: Cow<'static, str>,
        location: &'static Location<'static>,
        limits: Limits,
        mut statements: Vec<Statement>,
    ) -> Self {
        // The sort is stable: statements with the same count keep their order.
        statements.sort_by_key(|statement| std::cmp::Reverse(statement.count()));
        Self { name, location, limits, statements, counted: true, cancelled: false }
    }

    /// The report of a build that does not count.
    #[cfg(not(any(debug_assertions, feature = "count")))]
    #[track_caller]
    pub(crate) fn not_counted() -> Self {
        let name = Cow::Borrowed("measured code");
        let location = Location::caller();
        Self {
            name,
            location,
            limits: Limits::default(),
            statements: Vec::new(),
            counted: false,
            cancelled: false,
        }
    }

    #[cfg(any(debug_assertions, feature = "count"))]
    pub(crate) fn cancelled(self) -> Self {
        Self { cancelled: true, ..self }
    }

    /// The name of the scope.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The place where the scope was declared.
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }

    /// The limits of the scope.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The statements that ran, most frequent first.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The number of queries, including failed ones.
    #[must_use]
    pub fn queries(&self) -> usize {
        self.statements.iter().map(Statement::count).sum()
    }

    /// The number of rows fetched. Rows that a statement changed are not included.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.statements.iter().map(Statement::rows).sum()
    }

    /// Time spent in queries, including waiting for a connection. Concurrent queries each count in full.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.statements.iter().map(Statement::time).sum()
    }

    /// The repeated statements, most frequent first: those that ran three times or more, unless
    /// [`configure`](crate::configure) says otherwise.
    pub fn repeated(&self) -> impl Iterator<Item = &Statement> {
        let often = repeated().max(2);
        self.statements.iter().filter(move |statement| statement.count() >= often && !statement.is_several())
    }

    /// Emits the repeated statements as events.
    #[cfg(feature = "tracing")]
    pub(crate) fn tell_repeated(&self) {
        for statement in self.repeated() {
            crate::counting::slow::repeated(&self.name, statement);
        }
    }

    /// Whether queries were counted at all. They are not in a release build without the feature `count`.
    #[must_use]
    pub fn was_counted(&self) -> bool {
        self.counted
    }

    /// Whether the scope was dropped before its end, so that only the queries up to then are included.
    #[must_use]
    pub fn was_cancelled(&self) -> bool {
        self.cancelled
    }

    /// Whether any limit was exceeded.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.limits.queries.is_some_and(|limit| self.queries() > limit)
            || self.limits.rows.is_some_and(|limit| self.rows() > limit)
            || self.limits.time.is_some_and(|limit| self.time() > limit)
            || self.limits.repeats.is_some_and(|limit| self.most_repeated() > limit)
    }

    /// The number of executions of the most frequent statement.
    fn most_repeated(&self) -> usize {
        let statements = self.statements.iter().filter(|statement| !statement.is_several());
        statements.map(Statement::count).max().unwrap_or_default()
    }
}
