//! An allow on the function counts for each of its queries.

#![deny(warnings)]

use query_budget::{query_budget, sql};
use sqlx::PgPool;

#[query_budget(max = 2)]
#[allow(missing_limit, reason = "an export")]
pub async fn list(db: &PgPool, user: i64) -> sqlx::Result<()> {
    sql!("SELECT id FROM events WHERE user_id = $1", user).fetch_all(db).await?;
    sql!("SELECT id FROM workflows WHERE user_id = $1", user).fetch_all(db).await?;
    Ok(())
}

fn main() {}
