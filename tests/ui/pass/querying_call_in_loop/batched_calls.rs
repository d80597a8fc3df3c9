//! A call for many elements, a fixed number of calls, and one that is allowed.

#![deny(warnings)]

use query_budget::{query_budget, sql};
use sqlx::PgPool;

#[query_budget(max = ids.len())]
pub async fn pages(db: &PgPool, ids: &[i64]) -> sqlx::Result<()> {
    for page in ids.chunks(100) {
        names(db, page).await?;
    }
    for _ in 0..2 {
        name(db, 1).await?;
    }
    for id in ids {
        // query-budget: allow(querying_call_in_loop): there are three of them
        name(db, *id).await?;
    }
    Ok(())
}

async fn names(db: &PgPool, ids: &[i64]) -> sqlx::Result<()> {
    sql!("SELECT id, name FROM events WHERE id = ANY($1) ORDER BY id LIMIT 100", ids).fetch_all(db).await?;
    Ok(())
}

async fn name(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("SELECT name FROM events WHERE id = $1", id).fetch_one(db).await?;
    Ok(())
}

fn main() {}
