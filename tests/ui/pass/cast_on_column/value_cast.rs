//! A value that is cast to the type of the column.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, id: i64, name: &str) -> sqlx::Result<()> {
    sql!("SELECT name FROM events WHERE id = $1::bigint", id).fetch_optional(db).await?;
    sql!("SELECT id FROM servers WHERE name::varchar = $1 ORDER BY id LIMIT 9", name).fetch_all(db).await?;
    Ok(())
}

fn main() {}
