//! A list of at most one row.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("SELECT name FROM servers WHERE id = $1", id).fetch_all(db).await?; //~ fetch_all_for_one
    Ok(())
}

fn main() {}
