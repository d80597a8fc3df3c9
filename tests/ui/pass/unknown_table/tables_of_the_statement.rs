//! Tables that the statement itself defines are known.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn due(db: &PgPool) -> sqlx::Result<()> {
    sql!(
        "WITH due AS (SELECT id FROM events WHERE id = 7)
         SELECT due.id, g.n FROM due, generate_series(1, 2) AS g (n) ORDER BY due.id LIMIT 10"
    )
    .fetch_all(db)
    .await?;
    Ok(())
}

fn main() {}
