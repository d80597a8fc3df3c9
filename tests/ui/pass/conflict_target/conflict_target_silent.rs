//! The name of a server is unique.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn add(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("INSERT INTO servers (id, name, country) VALUES ($1, 'a', 'de') ON CONFLICT (name) DO NOTHING", id)
        .execute(db)
        .await?;
    Ok(())
}

fn main() {}
