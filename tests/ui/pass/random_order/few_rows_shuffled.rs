//! A few rows that are shuffled.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, user: i64) -> sqlx::Result<()> {
    sql!("SELECT id FROM events WHERE user_id = $1 ORDER BY random() LIMIT 1", user).fetch_optional(db).await?;
    sql!("SELECT code FROM countries ORDER BY random() LIMIT 1").fetch_optional(db).await?;
    Ok(())
}

fn main() {}
