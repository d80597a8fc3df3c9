//! One row of many.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, user: i64) -> sqlx::Result<()> {
    sql!("SELECT name FROM events WHERE user_id = $1", user).fetch_one(db).await?; //~ nonunique_fetch_one
    Ok(())
}

fn main() {}
