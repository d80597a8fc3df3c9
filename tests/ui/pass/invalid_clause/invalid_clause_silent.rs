//! Positions of columns, and an order that DISTINCT returns.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql!("SELECT id, name FROM servers ORDER BY 2 LIMIT 5").fetch_all(db).await?;
    sql!("SELECT DISTINCT name FROM servers ORDER BY name LIMIT 5").fetch_all(db).await?;
    Ok(())
}

fn main() {}
