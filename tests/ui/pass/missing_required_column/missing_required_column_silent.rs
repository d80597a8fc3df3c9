//! A column that may be NULL may be left out.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn add(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("INSERT INTO events (id, user_id, name, status) VALUES ($1, 1, 'a', 'new')", id).execute(db).await?;
    Ok(())
}

fn main() {}
