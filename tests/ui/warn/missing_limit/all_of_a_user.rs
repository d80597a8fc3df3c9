//! A list that grows with the table.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn list(db: &PgPool, user: i64) -> sqlx::Result<()> {
    sql!("SELECT id, name FROM events WHERE user_id = $1", user).fetch_all(db).await?; //~ missing_limit
    Ok(())
}

fn main() {}
