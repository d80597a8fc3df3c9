//! No lint of rustc or clippy fires in an expansion.

#![deny(clippy::all, clippy::pedantic, warnings)]
#![deny(clippy::unwrap_used, clippy::panic, clippy::unreachable, clippy::let_underscore_untyped)]
#![deny(missing_docs, unreachable_pub, unused_qualifications, single_use_lifetimes, unused_results)]
#![forbid(unsafe_code)]

use query_budget::{query_budget, sql, sql_as, sql_scalar};
use sqlx::PgPool;

/// A row.
#[derive(Debug, sqlx::FromRow)]
pub struct Event {
    /// Its key.
    pub id: i64,
}

/// All forms.
///
/// # Errors
///
/// What the database says.
#[query_budget(max = 3, rows = 100, time = "1.5s")]
pub async fn all(db: &PgPool, id: i64, name: &str) -> sqlx::Result<Vec<Event>> {
    let affected = sql!("UPDATE events SET name = $1 WHERE id = $2", name, id).execute(db).await?;
    let count: i64 = sql_scalar!(i64, "SELECT count(*) FROM events WHERE id = $1", id).fetch_one(db).await?;
    if affected.rows_affected() > 1 || count > 1 {
        return Ok(Vec::new());
    }
    sql_as!(Event, "SELECT id FROM events WHERE id IN ($1, 7)", id).fetch_all(db).await
}

/// A limit computed from the arguments, one of which is used only for the limit.
///
/// # Errors
///
/// What the database says.
#[query_budget(max = 1 + extra)]
pub async fn some(db: &PgPool, id: i64, extra: usize) -> sqlx::Result<i64> {
    sql_scalar!(i64, "SELECT count(*) FROM events WHERE id = $1", id).fetch_one(db).await
}

/// Without any query.
#[must_use]
#[query_budget(max = 0, rows = limit)]
pub fn none(limit: usize) -> usize {
    if limit > 3 {
        return 3;
    }
    limit
}

fn main() {
    let _: usize = none(3);
}
