//! [`Statement`]: one query of a report, with how often it ran.

use std::borrow::Cow;
use std::time::Duration;

use crate::site::Place;

/// One query, and what was seen of it in a scope.
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

/// Whether a statement that ran several times ran with the same values bound to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParameterSets {
    /// The same values every time: run it once and keep what it gives, or cache that.
    Same,
    /// Other values every time, as far as was looked: in the first sixteen executions. Run it once for all of them.
    Different,
    /// So many sets of values, fewer than executions: both of the above.
    Several(usize),
    /// Not known: of queries with placeholders that are not written with `sql!` and its kin, or on another database than
    /// PostgreSQL, MySQL or SQLite, or with a large value.
    Unknown,
}

#[cfg(any(debug_assertions, feature = "count"))]
impl Statement {
    /// The statement at that site, of which nothing has been seen yet.
    pub(crate) fn at(site: &'static crate::site::Site) -> Self {
        Self {
            sql: Cow::Borrowed(site.sql),
            place: Some(site.place),
            fingerprint: Some(site.fingerprint),
            ..Self::raw(String::new())
        }
    }

    /// A statement of which only the text is known, without the literals in it.
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
        self.rows = self.rows.saturating_add(rows);
        self.time = self.time.saturating_add(time);
        if !database.is_empty() {
            self.database = database;
        }
    }
}

impl Statement {
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.place == other.place && self.sql == other.sql
    }

    /// The text of the query, with placeholders. Of what is not written with `sql!` and its kin it is on one line, with
    /// `?` in place of each literal: text that is put together at run time may hold values.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// Where it stands in the source. Known of what is written with `sql!` and its kin.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.place
    }

    /// The hash of its normalised text. Known of what is written with `sql!` and its kin.
    #[must_use]
    pub fn fingerprint(&self) -> Option<u64> {
        self.fingerprint
    }

    /// sqlx's name for the database it ran on; empty when that is not known.
    #[must_use]
    pub fn database(&self) -> &'static str {
        self.database
    }

    /// How often it ran. Zero when only its rows came within the scope.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// Number of rows it gave, over all executions.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Time spent in it, over all executions.
    #[must_use]
    pub fn time(&self) -> Duration {
        self.time
    }

    /// Whether it ran with the same values bound to it.
    #[must_use]
    pub fn parameters(&self) -> ParameterSets {
        self.parameters
    }
}
