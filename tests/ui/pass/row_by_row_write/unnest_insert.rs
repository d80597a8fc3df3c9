//! All rows in one statement.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn store(db: &PgPool, event: i64, lines: &[String]) -> sqlx::Result<()> {
    sql!(
        "INSERT INTO logs (event_id, output) SELECT $1, line FROM unnest($2::text[]) AS line",
        event,
        lines,
    )
    .execute(db)
    .await?;
    Ok(())
}

fn main() {}
