//! [`Statement`]: one query of a report, with its number of executions.

use std::borrow::Cow;
use std::time::Duration;

use crate::site::Place;

/// One query, and its activity in a scope.
///
/// ```
/// fn per_execution(statement: &query_budget::Statement) -> Option<std::time::Duration> {
///     statement.time().checked_div(u32::try_from(statement.count()).ok()?)
/// }
/// # let _ = per_execution;
/// ```
#[derive(Clone, Debug)]
pub struct Statement {
    sql: Cow<'static, str>,
    place: Option<Place>,
    fingerprint: Option<u64>,
    database: &'static str,
    count: usize,
    rows: usize,
    time: Duration,
    parameters: ParameterSets,
}

/// Whether the executions of a statement had the same values bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterSets {
    /// The same values every time: run it once and reuse or cache the result.
    Same,
    /// Different values every time, as far as examined: in the first sixteen executions. Run it once for all
    /// of them.
    Different,
    /// This many sets of values, fewer than executions: both of the above.
    Several(usize),
    /// Unknown: for queries with placeholders that are not written with `sql!` and related macros, on
    /// databases other than PostgreSQL, MySQL or SQLite, or with a large value.
    Unknown,
}

/// The text of those that are counted together, because there are too many.
pub(crate) const OTHERS: &str = "(others)";

#[cfg(any(debug_assertions, feature = "count"))]
impl Statement {
    /// The statement at a site, without activity yet.
    pub(crate) fn at(site: &'static crate::site::Site) -> Self {
        Self {
            sql: Cow::Borrowed(site.sql),
            place: Some(site.place),
            fingerprint: (site.fingerprint != 0).then_some(site.fingerprint),
            ..Self::raw(String::new())
        }
    }

    /// A statement known only by its text, without its literals.
    pub(crate) fn raw(sql: String) -> Self {
        let time = Duration::ZERO;
        let (sql, parameters) = (Cow::Owned(sql), ParameterSets::Unknown);
        Self { sql, place: None, fingerprint: None, database: "", count: 0, rows: 0, time, parameters }
    }

    pub(crate) fn with(self, parameters: ParameterSets) -> Self {
        Self { parameters, ..self }
    }

    pub(crate) fn add(&mut self, executions: usize, rows: usize, time: Duration, database: &'static str) {
        self.count = self.count.saturating_add(executions);
        if rows > 0 {
            self.rows = self.rows.saturating_add(rows);
        }
        if !time.is_zero() {
            self.time = self.time.saturating_add(time);
        }
        if !database.is_empty() {
            self.database = database;
        }
    }
}

impl Statement {
    /// Whether it stands for several statements.
    pub(crate) fn is_several(&self) -> bool {
        self.place.is_none() && self.sql == OTHERS
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.place == other.place && self.sql == other.sql
    }

    /// The text of the query, with placeholders. If it is not written with `sql!` and related macros, it is
    /// on one line, with `?` in place of each literal: text that is built at run time may contain values. Beyond a thousand
    /// such texts in a scope it is `(others)`.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// Its place in the source, if it is written with `sql!` and related macros.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.place
    }

    /// The hash of its normalised text, if it is written with `sql!` and related macros.
    #[must_use]
    pub fn fingerprint(&self) -> Option<u64> {
        self.fingerprint
    }

    /// sqlx's name for the database it ran on; empty if unknown.
    #[must_use]
    pub fn database(&self) -> &'static str {
        self.database
    }

    /// How often it ran; 0 if only its rows were read within the scope.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The number of rows it returned, over all executions.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Time spent in it, over all executions.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.time
    }

    /// Whether its executions had the same values bound.
    #[must_use]
    pub fn parameters(&self) -> ParameterSets {
        self.parameters
    }
}
