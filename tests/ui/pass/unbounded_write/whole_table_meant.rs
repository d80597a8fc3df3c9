//! A write of a whole table that says so.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn clear(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("DELETE FROM logs WHERE id = $1", id).execute(db).await?;
    sql!(#[allow(unbounded_write = "the demonstration starts anew")] "DELETE FROM logs").execute(db).await?;
    Ok(())
}

fn main() {}
