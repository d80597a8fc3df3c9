//! An allow of a lint that does not exist.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn list(db: &PgPool, user: i64) -> sqlx::Result<()> {
    sql!(#[allow(mising_limit = "an export")] "SELECT id FROM events WHERE user_id = $1 ORDER BY id LIMIT 9", user) //~ unknown_lint
        .fetch_all(db)
        .await?;
    Ok(())
}

fn main() {}
