//! NOT IN over a column that is never NULL, and NOT EXISTS.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql!("SELECT id FROM events WHERE id = 7 AND id NOT IN (SELECT event_id FROM logs)").fetch_optional(db).await?;
    sql!(
        "SELECT s.id FROM servers s
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.server_id = s.id) ORDER BY s.id LIMIT 9"
    )
    .fetch_all(db).await?;
    Ok(())
}

fn main() {}
