//! One row fetched as one, and several rows.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("SELECT name FROM servers WHERE id = $1", id).fetch_optional(db).await?;
    sql!("SELECT name FROM servers WHERE id IN ($1, $2)", id, id + 1).fetch_all(db).await?;
    Ok(())
}

fn main() {}
