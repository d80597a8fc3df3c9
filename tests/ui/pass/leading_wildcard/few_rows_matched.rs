//! A pattern over a few rows, and over a small table.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, user: i64, part: &str) -> sqlx::Result<()> {
    sql!("SELECT id FROM events WHERE user_id = $1 AND name LIKE '%' || $2 ORDER BY id LIMIT 9", user, part)
        .fetch_all(db).await?;
    sql!("SELECT code FROM countries WHERE name LIKE '%land'").fetch_all(db).await?;
    Ok(())
}

fn main() {}
