//! A table that is shuffled.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql!("SELECT id FROM events ORDER BY random() LIMIT 1").fetch_optional(db).await?; //~ random_order
    Ok(())
}

fn main() {}
