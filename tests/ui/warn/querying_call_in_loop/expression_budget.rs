//! A querying call for each element; the budget is not a number, so nothing else is reported.

#![deny(deprecated)]

use query_budget::{query_budget, sql};
use sqlx::PgPool;

#[query_budget(max = ids.len())]
pub async fn names(db: &PgPool, ids: &[i64]) -> sqlx::Result<()> {
    for id in ids {
        name(db, *id).await?; //~ querying_call_in_loop
    }
    Ok(())
}

async fn name(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("SELECT name FROM events WHERE id = $1", id).fetch_one(db).await?;
    Ok(())
}

fn main() {}
