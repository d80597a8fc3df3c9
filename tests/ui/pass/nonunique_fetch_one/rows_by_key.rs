//! Rows by a unique key, and the last of many.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("SELECT country FROM servers WHERE name = 'main'").fetch_optional(db).await?;
    sql!("SELECT name FROM events WHERE user_id = $1 ORDER BY id DESC LIMIT 1", id).fetch_one(db).await?;
    Ok(())
}

fn main() {}
