//! A page without an order.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, user: i64) -> sqlx::Result<()> {
    sql!("SELECT name FROM events WHERE user_id = $1 LIMIT 9", user).fetch_all(db).await?; //~ limit_without_order
    Ok(())
}

fn main() {}
