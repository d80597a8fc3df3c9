//! An order of the first rows that an index provides, and an order of all rows, which have to be sorted anyway.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn newest(db: &PgPool, user: i64) -> sqlx::Result<()> {
    sql!("SELECT name FROM events WHERE user_id = $1 ORDER BY id DESC LIMIT 20", user).fetch_all(db).await?;
    sql!("SELECT name FROM events WHERE id = $1 ORDER BY next_run_at LIMIT 20", user).fetch_optional(db).await?;
    Ok(())
}

fn main() {}
