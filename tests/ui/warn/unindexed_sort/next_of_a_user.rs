//! The first rows in an order that no index provides.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn next(db: &PgPool, user: i64) -> sqlx::Result<()> {
    sql!("SELECT name FROM events WHERE user_id = $1 ORDER BY next_run_at LIMIT 20", user).fetch_all(db).await?; //~ unindexed_sort
    Ok(())
}

fn main() {}
