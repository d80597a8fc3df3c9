//! Rows that are all alike, and rows in order.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, user: i64) -> sqlx::Result<()> {
    sql!("SELECT 1 AS one FROM events WHERE user_id = $1 LIMIT 1", user).fetch_optional(db).await?;
    sql!("SELECT name FROM events WHERE user_id = $1 ORDER BY id LIMIT 9", user).fetch_all(db).await?;
    Ok(())
}

fn main() {}
