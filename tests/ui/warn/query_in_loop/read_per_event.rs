//! A read for each element.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn names(db: &PgPool, events: &[i64]) -> sqlx::Result<()> {
    for event in events {
        sql!("SELECT name FROM events WHERE id = $1", event).fetch_one(db).await?; //~ query_in_loop
    }
    Ok(())
}

fn main() {}
