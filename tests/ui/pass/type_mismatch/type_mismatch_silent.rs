//! Implicit conversions of PostgreSQL are no mismatch.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("UPDATE events SET name = 'a' WHERE id = $1 AND user_id = 2.5 AND status = '2'", id).execute(db).await?;
    Ok(())
}

fn main() {}
