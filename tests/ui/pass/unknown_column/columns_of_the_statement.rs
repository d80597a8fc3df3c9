//! Columns that the statement itself names are known.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn rename(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!(
        "INSERT INTO servers (id, name, country) VALUES ($1, 'a', 'de')
         ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING id AS server",
        id,
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

fn main() {}
