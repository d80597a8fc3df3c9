//! A page found by its key, and the second page.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, user: i64, last: i64) -> sqlx::Result<()> {
    sql!("SELECT name FROM events WHERE user_id = $1 AND id > $2 ORDER BY id LIMIT 50", user, last)
        .fetch_all(db).await?;
    sql!("SELECT name FROM events WHERE user_id = $1 ORDER BY id LIMIT 50 OFFSET 50", user).fetch_all(db).await?;
    Ok(())
}

fn main() {}
