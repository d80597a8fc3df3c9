//! An optional filter beside one that an index serves.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, user: i64, status: Option<&str>) -> sqlx::Result<()> {
    sql!(
        "SELECT id FROM events WHERE user_id = $1 AND ($2::text IS NULL OR status = $2) ORDER BY id LIMIT 9",
        user,
        status,
    )
    .fetch_all(db).await?;
    Ok(())
}

fn main() {}
