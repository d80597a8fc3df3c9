//! Tables that are joined, and a subquery of one row.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql!("SELECT l.output FROM events e, logs l WHERE e.id = l.event_id ORDER BY l.id LIMIT 9").fetch_all(db).await?;
    sql!("SELECT l.id, n.last FROM logs l CROSS JOIN (SELECT max(id) AS last FROM events) n ORDER BY l.id LIMIT 9")
        .fetch_all(db).await?;
    Ok(())
}

fn main() {}
