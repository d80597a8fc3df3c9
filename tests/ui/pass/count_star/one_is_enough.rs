//! Whether a row exists, and a count up to a limit.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, user: i64) -> sqlx::Result<()> {
    sql!("SELECT EXISTS (SELECT 1 FROM events WHERE user_id = $1)", user).fetch_one(db).await?;
    sql!("SELECT count(*) FROM (SELECT 1 FROM events WHERE user_id = $1 LIMIT 100) some", user).fetch_one(db).await?;
    Ok(())
}

fn main() {}
