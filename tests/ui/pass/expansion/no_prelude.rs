//! Expansions name everything by its full path.

#![deny(warnings)]
#![no_implicit_prelude]
#![forbid(unsafe_code)]

use ::query_budget::{query_budget, sql, sql_scalar};
use ::std::future::Future;
use ::std::pin::Pin;

#[query_budget(max = 2 + extra)]
pub async fn count(db: &::sqlx::PgPool, id: i64, extra: usize) -> ::sqlx::Result<i64> {
    sql!("SELECT name FROM events WHERE id = $1", id).fetch_optional(db).await?;
    sql_scalar!(i64, "SELECT count(*) FROM events WHERE id = $1", id).fetch_one(db).await
}

#[query_budget(max = 1)]
pub fn boxed(db: &::sqlx::PgPool) -> Pin<::std::boxed::Box<dyn Future<Output = ::sqlx::Result<i64>> + '_>> {
    ::std::boxed::Box::pin(async move { sql_scalar!(i64, "SELECT count(*) FROM events WHERE id = 1").fetch_one(db).await })
}

#[query_budget(max = 1)]
pub fn plain() -> i64 {
    7
}

fn main() {
    plain();
}
