//! [`Report`]: what ran in a scope, against what it may.

mod statement;
mod text;

use std::borrow::Cow;
use std::panic::Location;
use std::time::Duration;

pub use self::statement::{ParameterSets, Statement};
use crate::settings::settings;

/// The limits of a scope; `None` where it has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The greatest number of queries.
    pub queries: Option<usize>,
    /// The greatest number of rows fetched, over all queries.
    pub rows: Option<usize>,
    /// The longest time spent in queries, over all queries.
    pub time: Option<Duration>,
    /// The greatest number of times that one and the same statement runs.
    pub repeats: Option<usize>,
}

/// What a scope has counted up to now. Read by [`counts`](crate::counts).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Number of queries.
    pub queries: usize,
    /// Number of rows fetched.
    pub rows: usize,
    /// Time spent in queries; of those that have not ended, nothing yet.
    pub time: Duration,
    /// How often the statement ran that ran most often.
    pub most_repeated: usize,
}

#[cfg(any(debug_assertions, feature = "count"))]
impl Counts {
    /// These, with those of one more statement.
    pub(crate) fn with(self, statement: &Statement) -> Self {
        Self {
            queries: self.queries + statement.count(),
            rows: self.rows.saturating_add(statement.rows()),
            time: self.time.saturating_add(statement.time()),
            most_repeated: self.most_repeated.max(statement.count()),
        }
    }
}

impl Limits {
    #[cfg_attr(
        not(any(debug_assertions, feature = "count")),
        expect(dead_code, reason = "nothing is judged")
    )]
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What ran in a scope, and the limits it had to keep.
///
/// Displayed, it is the text of the panic. It never holds a value that was bound to a query, nor a literal of a query
/// that was put together at run time.
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
    /// The report of a scope with these statements, in the order in which they first ran.
    #[cfg(any(debug_assertions, feature = "count"))]
    pub(crate) fn new(
        name: Cow<'static, str>,
        location: &'static Location<'static>,
        limits: Limits,
        mut statements: Vec<Statement>,
    ) -> Self {
        // Stable: statements that ran equally often stay in their order.
        statements.sort_by_key(|statement| std::cmp::Reverse(statement.count()));
        Self { name, location, limits, statements, counted: true, cancelled: false }
    }

    /// The report of a build in which nothing is counted.
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

    /// Where the scope was declared.
    #[must_use]
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }

    /// What the scope may ask of its database.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The statements that ran, the one that ran most often first.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Number of queries that ran, the ones that failed included.
    #[must_use]
    pub fn queries(&self) -> usize {
        self.statements.iter().map(Statement::count).sum()
    }

    /// Number of rows that were fetched. Rows that a statement changed are not in it.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.statements.iter().map(Statement::rows).sum()
    }

    /// Time spent in queries, waiting for a connection included. Queries that ran at the same time each count in full.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.statements.iter().map(Statement::time).sum()
    }

    /// The statements that ran again and again, the one that did most often first: three times or more, unless
    /// [`configure`](crate::configure) says otherwise.
    pub fn repeated(&self) -> impl Iterator<Item = &Statement> {
        let often = settings().repeated.max(2);
        self.statements.iter().filter(move |statement| statement.count() >= often)
    }

    /// Tells of the repeated statements as events.
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

    /// Whether the scope was dropped before its end, so that these are the queries up to then.
    #[must_use]
    pub fn was_cancelled(&self) -> bool {
        self.cancelled
    }

    /// Whether some limit was exceeded.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.limits.queries.is_some_and(|limit| self.queries() > limit)
            || self.limits.rows.is_some_and(|limit| self.rows() > limit)
            || self.limits.time.is_some_and(|limit| self.time() > limit)
            || self.limits.repeats.is_some_and(|limit| self.most_repeated() > limit)
    }

    /// How often the statement ran that ran most often.
    fn most_repeated(&self) -> usize {
        self.statements.iter().map(Statement::count).max().unwrap_or_default()
    }
}
