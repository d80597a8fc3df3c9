//! Queries and scopes as spans of `tracing`, by OpenTelemetry's conventions for database clients.
//!
//! `tracing-opentelemetry` exports them. They contain no values: a query's text is that of its `sql!`.

use std::sync::{Arc, OnceLock};

use tracing::Span;
use tracing::field::Empty;

use super::node::Node;
#[cfg(feature = "sqlx")]
use crate::site::Site;

/// The target of these spans.
const TARGET: &str = "query_budget::otel";

/// The span of one execution of a query, created at its first poll.
#[cfg(feature = "sqlx")]
#[derive(Default)]
pub(super) struct QuerySpan(Option<Span>);

#[cfg(feature = "sqlx")]
impl QuerySpan {
    pub(super) fn enter(&mut self, site: &'static Site) -> tracing::span::EnteredSpan {
        let span = self.0.get_or_insert_with(|| {
            let operation = site.sql.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
            tracing::info_span!(
                target: TARGET,
                "query",
                otel.name = operation,
                otel.kind = "client",
                otel.status_code = Empty,
                db.system.name = Empty,
                db.operation.name = operation,
                db.query.text = site.sql,
                db.response.returned_rows = Empty,
                error.type = Empty,
                code.file.path = site.place.file,
                code.line.number = site.place.line,
            )
        });
        span.clone().entered()
    }

    /// Records the database that it was sent to, by sqlx's name.
    pub(super) fn is_of(&self, database: &str) {
        let name = match database {
            "PostgreSQL" => "postgresql",
            "MySQL" => "mysql",
            "SQLite" => "sqlite",
            _ => "other_sql",
        };
        self.record("db.system.name", name);
    }

    pub(super) fn gave(&self, rows: usize) {
        self.record("db.response.returned_rows", rows);
    }

    /// The database's message may contain values, so it is not in the span.
    pub(super) fn failed(&self) {
        self.record("otel.status_code", "ERROR");
        self.record("error.type", "_OTHER");
    }

    fn record(&self, field: &str, value: impl tracing::Value) {
        if let Some(span) = &self.0 {
            span.record(field, value);
        }
    }
}

#[derive(Default)]
pub(super) struct ScopeSpan(OnceLock<Span>);

impl ScopeSpan {
    /// Creates it as a child of the current span, unless that belongs to a scope that was carried here, which
    /// it would keep open.
    pub(super) fn begin(&self, name: &str, is_carried: bool) {
        let current = Span::current();
        let is_ours = current.metadata().is_some_and(|metadata| metadata.target() == TARGET);
        macro_rules! scope {
            ($($parent:tt)*) => {
                tracing::info_span!(
                    target: TARGET, $($parent)* "scope", otel.name = name, otel.kind = "internal", queries = Empty
                )
            };
        }
        let span = if is_carried && is_ours { scope!(parent: None,) } else { scope!() };
        if is_carried && is_ours {
            span.follows_from(&current);
        }
        let _ = self.0.set(span);
    }

    pub(super) fn ended(&self, queries: usize) {
        if let Some(span) = self.0.get() {
            span.record("queries", queries);
        }
    }

    /// Enters it; returns whether there is one.
    pub(super) fn enter(&self) -> bool {
        self.0.get().is_some_and(|span| span.with_subscriber(|(id, to)| to.enter(id)).is_some())
    }

    pub(super) fn exit(&self) {
        if let Some(span) = self.0.get() {
            span.with_subscriber(|(id, to)| to.exit(id));
        }
    }
}

/// Whether a subscriber may want spans of scopes. Without one, none are created.
pub(super) fn is_listened_to() -> bool {
    tracing::level_filters::LevelFilter::current() >= tracing::Level::INFO
}

/// Creates the span of a scope that begins.
pub(super) fn begin(node: &Arc<Node>, name: &str) {
    node.traced().otel.begin(name, node.is_carried());
}
