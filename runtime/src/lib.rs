//! Performance linting of SQL at compile time, and query budgets at run time.
//!
//! A **budget** bounds what a piece of code may ask of its database. It is declared on a function with
//! `#[query_budget(max = 3)]`, or around any future:
//!
//! ```
//! # async fn load() -> u32 { 7 }
//! # let run = async {
//! let page = query_budget::scope("load the page").max(3).run(load()).await;
//! # assert_eq!(page, 7);
//! # };
//! # sqlx::__rt::test_block_on(run);
//! ```
//!
//! Every query written with `sql!`, `sql_as!` or `sql_scalar!` that runs inside, in whatever function, counts
//! in it and in the enclosing scopes. A scope that ends over its budget panics with a report of what ran,
//! where and how often; `QUERY_BUDGET=log` prints the report instead, `QUERY_BUDGET=off` is silent, and
//! [`set_hook`] passes the report to a function of yours.
//!
//! A scope belongs to its future: it is entered whenever the future is polled, so that concurrent futures on
//! one thread do not count in each other's scopes, and a spawned task only counts where
//! [`BudgetExt::in_current_budget`] says so.
//!
//! **Off means off.** Queries count in debug builds and tests, and in release builds with the feature `count` or one
//! that implies it. An exceeded budget panics in debug builds and with the feature `enforce`, and is logged in other
//! builds that count. In builds that do not count the attribute leaves the function's body unchanged, and the queries
//! are sqlx's own.
//!
//! # Queries
//!
//! `sql!` is sqlx's `query!`, checked against a snapshot of the schema instead of a database. `cargo query-budget init`
//! writes the snapshot from the migrations.
//!
//! ```
//! # #[cfg(feature = "sqlx")]
//! # mod example {
//! use query_budget::{query_budget, sql_as};
//! use sqlx::{Result, SqlitePool};
//! # #[derive(sqlx::FromRow)]
//! pub struct Event {
//!     pub id: i64,
//!     pub name: String,
//! }
//!
//! #[query_budget(max = 1, rows = 20, time = "50ms")]
//! pub async fn latest(db: &SqlitePool, user: i64) -> Result<Vec<Event>> {
//!     sql_as!(Event, "SELECT id, name FROM events WHERE user_id = ?1 ORDER BY id DESC LIMIT 20", user)
//!         .fetch_all(db)
//!         .await
//! }
//! # }
//! ```
//!
//! # Features
//!
//! | feature | brings | counts in release builds |
//! | --- | --- | --- |
//! | `sqlx` (default) | `sql!` and related macros, on sqlx 0.9; the package `query-budget-sqlx-08` has them on 0.8 | |
//! | `postgres`, `mysql`, `sqlite` | sqlx's features of the same name | |
//! | `bigdecimal`, `bit-vec`, `chrono`, `ipnet`, `ipnetwork`, `json`, `mac_address`, `rust_decimal`, `time`, `uuid` | sqlx's features of the same name: the Rust types of columns | |
//! | `count` | counts, and logs exceeded budgets | yes |
//! | `enforce` | panics over a budget in release builds too | yes |
//! | `tracing` | a layer that counts sqlx's own queries too, and events for what is slow or repeated | yes |
//! | `otel` | spans for queries and scopes, by OpenTelemetry's conventions | yes |
//! | `trace-comments` | appends the trace to each query of `sql!` as a comment; on sqlx 0.9 only | yes |
//! | `tower` | `RequestLayer`: a scope for each request, and headers about its queries | yes |
//! | `axum` | the same for axum, with the route as the name | yes |
//! | `stats` | latencies of queries and scopes, as data and as JSON | yes |
//! | `metrics` | the same through the crate `metrics` | yes |
//! | `cache` | cached reads in memory, invalidated by the writes of `sql!` | |
//! | `redis` | the same over Redis or Valkey, or in memory with messages over these; implies `tokio` | |
//! | `tokio` | tells tasks that tokio runs within a scope's poll, as a `LocalSet` does, from the scope's own future | |
//!
//! [The book](https://github.com/query-budget/query-budget/blob/main/docs/introduction.md) has a tutorial, recipes, the
//! command line and all lints.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(feature = "sqlx"),
    expect(
        dead_code,
        reason = "counts by site are for the queries of `sql!`, of which there are none without sqlx"
    )
)]

// Exactly one of the two is compiled, under the same name: scopes and counts in a build that counts, and
// empty types with the same names in one that does not.
#[cfg(any(debug_assertions, feature = "count"))]
#[path = "on/mod.rs"]
mod counting;
#[cfg(not(any(debug_assertions, feature = "count")))]
#[path = "off.rs"]
mod counting;

#[cfg(feature = "sqlx")]
mod batch;
#[cfg(any(feature = "tracing", feature = "stats"))]
mod blot;
#[cfg(feature = "cache")]
pub mod cache;
#[cfg(feature = "trace-comments")]
mod comment;
// What differs between the versions of sqlx, likewise: the package `query-budget-sqlx-08` compiles the same source.
#[cfg(all(feature = "sqlx", not(feature = "sqlx-08")))]
#[path = "sqlx_09.rs"]
mod driver;
#[cfg(feature = "sqlx-08")]
#[path = "sqlx_08.rs"]
mod driver;
#[cfg(all(feature = "stats", feature = "tower"))]
mod endpoint;
mod expect;
#[cfg(feature = "sqlx")]
mod fits;
#[cfg(any(debug_assertions, feature = "count"))]
mod hash;
mod later;
mod macros;
#[cfg(feature = "sqlx")]
mod map;
#[cfg(feature = "sqlx")]
mod mapped;
#[cfg(feature = "metrics")]
mod meter;
#[cfg(feature = "sqlx")]
mod pages;
#[cfg(feature = "sqlx")]
mod parameter;
mod pool;
#[cfg(feature = "sqlx")]
mod query;
mod report;
#[cfg(feature = "tower")]
mod request;
#[cfg(all(feature = "sqlx", feature = "stats"))]
mod server;
mod settings;
mod site;
#[cfg(feature = "stats")]
mod stats;
#[cfg(any(debug_assertions, feature = "count"))]
mod sync;
#[cfg(feature = "sqlx")]
mod target;
mod touched;
#[cfg(feature = "sqlx")]
mod typed;
#[cfg(feature = "sqlx")]
mod values;

#[cfg(feature = "sqlx")]
pub use crate::batch::{Batch, EachRow, NoRows, ReturnsAll, Selected, SomeRows};
#[cfg(feature = "trace-comments")]
pub use crate::comment::{reset_trace_context, set_trace_context};
#[cfg(feature = "tracing")]
pub use crate::counting::layer;
pub use crate::counting::{
    Budgeted, BudgetedStream, Counted, CurrentBudget, InBudget, Measured, Scope, counts, current, measure,
    reset_hook, scope, set_hook, uncounted,
};
#[cfg(all(feature = "stats", feature = "tower"))]
pub use crate::endpoint::{StatsService, stats_service};
pub use crate::expect::assert_constant_queries;
#[cfg(feature = "sqlx")]
pub use crate::map::Map;
#[cfg(feature = "sqlx")]
pub use crate::mapped::{FetchOne, FetchOptional};
#[cfg(feature = "metrics")]
pub use crate::meter::record_pools;
#[cfg(feature = "sqlx")]
pub use crate::pages::{Page, PageDatabase, PageError, PageQuery, PageRequest};
pub use crate::pool::PoolStats;
#[cfg(feature = "sqlx")]
pub use crate::pool::{PoolProfile, StatementTimeout};
#[cfg(all(feature = "sqlx", any(feature = "stats", feature = "metrics")))]
pub use crate::pool::{WatchedPool, watch_pool};
#[cfg(feature = "sqlx")]
pub use crate::query::Query;
pub use crate::report::{Counts, Limits, ParameterSets, Report, Statement};
#[cfg(feature = "tower")]
pub use crate::request::{RequestFuture, RequestLayer, RequestService};
#[cfg(all(feature = "sqlx", feature = "stats"))]
pub use crate::server::{
    IndexStats, ServerStatementStats, ServerStats, ServerViews, TableStats, server_stats,
};
pub use crate::settings::{OverBudget, Settings, Tiers, configure};
pub use crate::site::Place;
#[cfg(feature = "stats")]
pub use crate::stats::{Latency, ScopeStats, StatementStats, Stats, WaitStats, stats};
#[cfg(feature = "sqlx")]
pub use crate::target::{BatchTarget, Target};
#[cfg(feature = "sqlx")]
pub use crate::typed::{QueryAs, QueryScalar};
pub use query_budget_macros::query_budget;
#[cfg(feature = "sqlx")]
pub use query_budget_macros::{
    sql, sql_as, sql_as_unchecked, sql_batch, sql_batch_as, sql_batch_scalar, sql_file, sql_file_as,
    sql_file_as_unchecked, sql_file_scalar, sql_file_scalar_unchecked, sql_file_unchecked, sql_from_row,
    sql_page, sql_page_as, sql_scalar, sql_scalar_unchecked, sql_unchecked,
};
// The same under sqlx's names, for migrating code.
#[cfg(feature = "sqlx")]
pub use query_budget_macros::{
    sql as query, sql_as as query_as, sql_as_unchecked as query_as_unchecked, sql_file as query_file,
    sql_file_as as query_file_as, sql_file_as_unchecked as query_file_as_unchecked,
    sql_file_scalar as query_file_scalar, sql_file_scalar_unchecked as query_file_scalar_unchecked,
    sql_file_unchecked as query_file_unchecked, sql_scalar as query_scalar,
    sql_scalar_unchecked as query_scalar_unchecked, sql_unchecked as query_unchecked,
};

/// Names used in the expansions of the macros. Not public API: it changes without notice.
#[doc(hidden)]
pub mod __private {
    #[cfg(feature = "sqlx")]
    pub mod batch {
        pub use crate::batch::{Column, Each, Piece, Statement, Whole, batch, each};
    }
    #[cfg(feature = "sqlx")]
    pub mod pages {
        pub use crate::pages::{Key, KeyKind, PageStatement, Pages, page_query};
    }
    pub use crate::counting::{counted, scope};
    pub use crate::expect::expect_queries;
    #[cfg(feature = "sqlx")]
    pub use crate::fits::{Fits, FitsRef, RowOf, column, converted, decoded, reads, record};
    pub use crate::later::{ByEnd, ByKind, ByLastRow, ByName, Later, Returned, called};
    #[cfg(feature = "sqlx")]
    pub mod parameter {
        pub use crate::parameter::*;
    }
    #[cfg(feature = "sqlx")]
    pub use crate::query::query;
    pub use crate::site::Site;
    pub use crate::touched::Tables;
    #[cfg(feature = "sqlx")]
    pub use crate::typed::{query_as, query_scalar, read_as, read_scalar};
    #[cfg(feature = "sqlx")]
    pub use crate::values::{Both, query_of};
    #[cfg(feature = "sqlx")]
    pub use sqlx;
}

#[cfg(feature = "sqlx")]
#[doc(no_inline)]
pub use sqlx;

/// Carries the current budget along with a future that leaves it, such as a spawned task.
pub trait BudgetExt: Future + Sized {
    /// Counts the queries of this future in the scopes that are current **now**, wherever it is polled later.
    ///
    /// A spawned task runs outside the scope that spawned it; this makes it count there all the same. Queries
    /// after the end of a scope are too late to be checked: join the task inside the scope.
    ///
    /// What is polled within the scope's own poll is part of it, unless it is known to be a task: those of a `LocalSet`
    /// that the future of the scope runs are known with the feature `tokio`. What `rayon` runs on a thread while a closure
    /// in a scope waits there is not. Nor is a task on SQLite that runs raw queries in the scope's span: a local one, and one
    /// that takes the span along by `in_current_span`. SQLite runs statements on a thread that knows their span, and not their
    /// task. Put such a task in [`uncounted`], or the scope inside of the task that it is for.
    fn in_current_budget(self) -> InBudget<Self> {
        current().run(self)
    }
}

impl<F: Future> BudgetExt for F {}
