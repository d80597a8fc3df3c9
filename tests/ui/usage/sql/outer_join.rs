//! A column that sqlx takes for NOT NULL, and that an outer join fills with NULL.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql!("SELECT e.id, s.name FROM events e LEFT JOIN servers s ON s.id = e.server_id WHERE e.id < 7 ORDER BY e.id LIMIT 9")
        .fetch_all(db)
        .await?;
    sql!(
        "SELECT e.id, s.name AS \"name?\", s.country AS \"country!\" \
         FROM events e LEFT JOIN servers s ON s.id = e.server_id WHERE e.id < 7 ORDER BY e.id LIMIT 9"
    )
    .fetch_all(db)
    .await?;
    Ok(())
}

fn main() {}
