//! A write for each element.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn store(db: &PgPool, event: i64, lines: &[String]) -> sqlx::Result<()> {
    for line in lines {
        sql!( //
            "INSERT INTO logs (event_id, output) VALUES ($1, $2)", //~ row_by_row_write
            event,
            line,
        )
        .execute(db)
        .await?;
    }
    Ok(())
}

fn main() {}
