//! Lints of this project and of rustc, each where they belong.

#![deny(warnings)]

use query_budget::{query_budget, sql};
use sqlx::PgPool;

#[query_budget(max = 1)]
#[allow(dead_code, missing_limit, reason = "an export")]
async fn list(db: &PgPool, user: i64) -> sqlx::Result<()> {
    sql!("SELECT id FROM events WHERE user_id = $1", user).fetch_all(db).await?;
    Ok(())
}

fn main() {}
