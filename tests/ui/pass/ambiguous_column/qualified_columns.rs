//! Columns that only one table has, or that are qualified.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("SELECT output FROM logs JOIN events ON events.id = event_id WHERE logs.id = $1", id).fetch_optional(db).await?;
    Ok(())
}

fn main() {}
