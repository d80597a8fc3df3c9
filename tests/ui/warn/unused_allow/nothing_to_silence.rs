//! An allow without a finding.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn list(db: &PgPool, user: i64) -> sqlx::Result<()> {
    sql!(#[allow(missing_limit = "an export")] "SELECT id FROM events WHERE user_id = $1 ORDER BY id LIMIT 9", user) //~ unused_allow
        .fetch_all(db)
        .await?;
    Ok(())
}

fn main() {}
