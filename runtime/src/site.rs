//! Where a query stands in the source.

use std::fmt::{self, Display, Formatter};

/// One query in the source: its text and where it stands. Made by the `sql!` macros as a `static`.
///
/// Its address is its identity, so counting a query needs neither hashing of its text nor a call stack. Without
/// counting it is the text alone.
#[derive(Debug)]
pub struct Site {
    pub(crate) sql: &'static str,
    #[cfg(any(debug_assertions, feature = "count"))]
    pub(crate) fingerprint: u64,
    #[cfg(any(debug_assertions, feature = "count"))]
    pub(crate) place: Place,
    /// How the texts begin that are sent in the place of `sql`, where they depend on how many rows there are.
    #[cfg(feature = "tracing")]
    pub(crate) head: Option<&'static str>,
    /// The place as text, written once it is asked for.
    #[cfg(feature = "metrics")]
    label: std::sync::OnceLock<std::sync::Arc<str>>,
    /// The tables that it touches.
    #[cfg(feature = "cache")]
    pub(crate) tables: &'static crate::cache::Tables,
}

impl Site {
    /// The query, which touches these tables.
    #[cfg(feature = "cache")]
    #[must_use]
    pub const fn touching(mut self, tables: &'static crate::cache::Tables) -> Self {
        self.tables = tables;
        self
    }

    /// The place as text.
    #[cfg(feature = "metrics")]
    pub(crate) fn label(&self) -> std::sync::Arc<str> {
        self.label.get_or_init(|| self.place.to_string().into()).clone()
    }

    /// A query of this text, where it is called: in place of `file!()`, `line!()` and `column!()`, which would be three
    /// macros to expand for each query of a build.
    #[must_use]
    #[track_caller]
    pub const fn here(sql: &'static str, fingerprint: u64) -> Self {
        let here = std::panic::Location::caller();
        Self::new(sql, fingerprint, here.file(), here.line(), here.column())
    }

    /// A query whose text depends on how many rows there are, and begins with `head`; `sql` is that for one row.
    #[must_use]
    #[track_caller]
    #[cfg_attr(
        not(feature = "tracing"),
        expect(unused_mut, unused_variables, reason = "nobody is told a text")
    )]
    pub const fn for_rows(sql: &'static str, head: &'static str, fingerprint: u64) -> Self {
        let mut site = Self::here(sql, fingerprint);
        #[cfg(feature = "tracing")]
        {
            site.head = Some(head);
        }
        site
    }

    /// Whether a text is one that it sends.
    #[cfg(feature = "tracing")]
    pub(crate) fn sends(&self, sql: &str) -> bool {
        self.sql == sql || self.head.is_some_and(|head| sql.starts_with(head))
    }

    /// A query of this text, at this place. `fingerprint` is the hash of its normalised text; `line` and `column`
    /// count from one.
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
                #[cfg(feature = "metrics")]
                label: std::sync::OnceLock::new(),
                #[cfg(feature = "cache")]
                tables: crate::cache::Tables::UNKNOWN,
            }
        }
        #[cfg(not(any(debug_assertions, feature = "count")))]
        {
            let _ = (fingerprint, file, line, column);
            Self {
                sql,
                #[cfg(feature = "cache")]
                tables: crate::cache::Tables::UNKNOWN,
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
    /// The line, from one.
    pub line: u32,
    /// The column, from one.
    pub column: u32,
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}
