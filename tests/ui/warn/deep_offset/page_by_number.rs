//! A page found by counting.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, user: i64, offset: i64) -> sqlx::Result<()> {
    sql!("SELECT name FROM events WHERE user_id = $1 ORDER BY id LIMIT 50 OFFSET $2", user, offset) //~ deep_offset
        .fetch_all(db).await?;
    Ok(())
}

fn main() {}
