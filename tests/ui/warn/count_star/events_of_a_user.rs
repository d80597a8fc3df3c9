//! Rows that are read only to be counted.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, user: i64) -> sqlx::Result<()> {
    sql!("SELECT count(*) FROM events WHERE user_id = $1", user).fetch_one(db).await?; //~ count_star
    Ok(())
}

fn main() {}
