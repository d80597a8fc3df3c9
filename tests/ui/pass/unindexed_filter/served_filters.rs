//! Filters that an index serves, and a small table.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn served(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("SELECT name FROM events WHERE user_id = $1 ORDER BY id LIMIT 20", id).fetch_all(db).await?;
    sql!(
        "SELECT w.name FROM workflows w JOIN events e ON e.workflow_id = w.id WHERE e.server_id = $1 ORDER BY w.id LIMIT 20",
        id,
    )
    .fetch_all(db)
    .await?;
    sql!("SELECT code FROM countries WHERE name = 'Chad' LIMIT 1").fetch_optional(db).await?;
    Ok(())
}

fn main() {}
