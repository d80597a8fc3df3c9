//! An allow says why.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn list(db: &PgPool, user: i64) -> sqlx::Result<()> {
    sql!(#[allow(missing_limit)] "SELECT id FROM events WHERE user_id = $1", user) //~ allow_without_reason
        .fetch_all(db)
        .await?;
    Ok(())
}

fn main() {}
