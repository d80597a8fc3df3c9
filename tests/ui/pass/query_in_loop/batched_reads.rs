//! Batches, constant ranges and a loop with its reason.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn names(db: &PgPool, events: &[i64]) -> sqlx::Result<()> {
    for batch in events.chunks(100) {
        sql!("SELECT name FROM events WHERE id = ANY($1)", batch).fetch_all(db).await?;
    }
    for event in events {
        // query-budget: allow(query_in_loop): at most three events are shown
        sql!("SELECT name FROM events WHERE id = $1", event).fetch_one(db).await?;
    }
    Ok(())
}

fn main() {}
