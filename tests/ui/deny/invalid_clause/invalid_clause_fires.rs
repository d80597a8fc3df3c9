//! A position of no column, and an order that DISTINCT does not return.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql!("SELECT id FROM servers ORDER BY 2 LIMIT 5").fetch_all(db).await?; //~ invalid_clause
    sql!("SELECT DISTINCT name FROM servers ORDER BY id LIMIT 5").fetch_all(db).await?; //~ invalid_clause
    Ok(())
}

fn main() {}
