//! An allow with its reason.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn list(db: &PgPool, user: i64) -> sqlx::Result<()> {
    sql!(#[allow(missing_limit, reason = "an export")] "SELECT id FROM events WHERE user_id = $1", user)
        .fetch_all(db)
        .await?;
    Ok(())
}

fn main() {}
