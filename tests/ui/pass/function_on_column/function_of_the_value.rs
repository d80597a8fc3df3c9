//! A function of the value, and one that is called on few rows.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, id: i64, name: &str) -> sqlx::Result<()> {
    sql!("SELECT id FROM servers WHERE name = lower($1)", name).fetch_optional(db).await?;
    sql!("SELECT name FROM events WHERE id = $1 AND lower(status) = 'done'", id).fetch_optional(db).await?;
    Ok(())
}

fn main() {}
