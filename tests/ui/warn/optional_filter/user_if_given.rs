//! A filter that a parameter turns off.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, user: Option<i64>) -> sqlx::Result<()> {
    sql!("SELECT id FROM events WHERE $1::bigint IS NULL OR user_id = $1 ORDER BY id LIMIT 9", user) //~ optional_filter
        .fetch_all(db).await?;
    Ok(())
}

fn main() {}
