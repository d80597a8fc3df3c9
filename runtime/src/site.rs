//! The place of a query in the source.

use std::fmt::{self, Display, Formatter};

use crate::touched::Tables;

/// One query in the source: its text and its place. Made by the `sql!` macros as a `static`.
///
/// Its address is its identity, so counting a query requires neither hashing its text nor a call stack. In a
/// build that does not count it is only the text.
#[derive(Debug)]
pub struct Site {
    pub(crate) sql: &'static str,
    #[cfg(any(debug_assertions, feature = "count"))]
    pub(crate) fingerprint: u64,
    #[cfg(any(debug_assertions, feature = "count"))]
    pub(crate) place: Place,
    /// The start of the texts that are sent instead of `sql`, if they depend on the number of rows.
    #[cfg(feature = "tracing")]
    pub(crate) head: Option<&'static str>,
    /// Its record, once there is one.
    #[cfg(feature = "stats")]
    recorded: std::sync::OnceLock<&'static crate::stats::Recorded>,
    /// The place as text, created on first use.
    #[cfg(feature = "metrics")]
    label: std::sync::OnceLock<std::sync::Arc<str>>,
    /// The tables that it touches.
    #[cfg(feature = "cache")]
    pub(crate) tables: &'static Tables,
}

impl Site {
    /// Sets the tables that the query touches.
    #[cfg(feature = "cache")]
    #[must_use]
    pub const fn touching(mut self, tables: &'static Tables) -> Self {
        self.tables = tables;
        self
    }

    /// Sets the tables that the query touches, of which nothing is kept without a cache.
    #[cfg(not(feature = "cache"))]
    #[must_use]
    pub const fn touching(self, _: &'static Tables) -> Self {
        self
    }

    /// Its record, which `find` provides the first time.
    #[cfg(feature = "stats")]
    pub(crate) fn recorded(
        &self,
        find: impl FnOnce() -> &'static crate::stats::Recorded,
    ) -> &'static crate::stats::Recorded {
        match self.recorded.get() {
            Some(recorded) => recorded,
            None => self.recorded.get_or_init(find),
        }
    }

    /// The place as text.
    #[cfg(feature = "metrics")]
    pub(crate) fn label(&self) -> std::sync::Arc<str> {
        self.label.get_or_init(|| self.place.to_string().into()).clone()
    }

    /// A query with this text, at the place of the call: replaces `file!()`, `line!()` and `column!()`, which
    /// would be three macros to expand for each query of a build.
    #[must_use]
    #[track_caller]
    pub const fn here(sql: &'static str, fingerprint: u64) -> Self {
        let here = std::panic::Location::caller();
        Self::new(sql, fingerprint, here.file(), here.line(), here.column())
    }

    /// A query whose text depends on the number of rows, and starts with `head`; `sql` is the text for one
    /// row.
    #[must_use]
    #[track_caller]
    #[cfg_attr(
        not(feature = "tracing"),
        expect(unused_mut, unused_variables, reason = "unused without the feature `tracing`")
    )]
    pub const fn for_rows(sql: &'static str, head: &'static str, fingerprint: u64) -> Self {
        let mut site = Self::here(sql, fingerprint);
        #[cfg(feature = "tracing")]
        {
            site.head = Some(head);
        }
        site
    }

    /// Whether it may have sent a text.
    #[cfg(feature = "tracing")]
    pub(crate) fn sends(&self, sql: &str) -> bool {
        self.sql == sql || self.head.is_some_and(|head| sql.starts_with(head))
    }

    /// A query with this text, at this place. `fingerprint` is the hash of its normalised text; `line` and
    /// `column` count from 1.
    #[must_use]
    pub const fn new(
        sql: &'static str,
        fingerprint: u64,
        file: &'static str,
        line: u32,
        column: u32,
    ) -> Self {
        #[cfg(any(debug_assertions, feature = "count"))]
        {
            Self {
                sql,
                fingerprint,
                place: Place { file, line, column },
                #[cfg(feature = "tracing")]
                head: None,
                #[cfg(feature = "stats")]
                recorded: std::sync::OnceLock::new(),
                #[cfg(feature = "metrics")]
                label: std::sync::OnceLock::new(),
                #[cfg(feature = "cache")]
                tables: Tables::UNKNOWN,
            }
        }
        #[cfg(not(any(debug_assertions, feature = "count")))]
        {
            let _ = (fingerprint, file, line, column);
            Self {
                sql,
                #[cfg(feature = "cache")]
                tables: Tables::UNKNOWN,
            }
        }
    }
}

/// A place in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The file, relative to where the compiler ran.
    pub file: &'static str,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1.
    pub column: u32,
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
