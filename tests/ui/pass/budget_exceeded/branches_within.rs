//! Only one of two branches runs, and a known number of iterations multiplies.

#![deny(warnings)]

use query_budget::{query_budget, sql};
use sqlx::PgPool;

#[query_budget(max = 3)]
pub async fn page(db: &PgPool, id: i64, server: bool) -> sqlx::Result<()> {
    if server {
        sql!("SELECT name FROM servers WHERE id = $1", id).fetch_one(db).await?;
    } else {
        sql!("SELECT name FROM workflows WHERE id = $1", id).fetch_one(db).await?;
    }
    for _ in 0..2 {
        sql!("SELECT name FROM events WHERE id = $1", id).fetch_one(db).await?;
    }
    Ok(())
}

#[query_budget(max = 1 + ids.len())]
pub async fn names(db: &PgPool, ids: &[i64]) -> sqlx::Result<()> {
    sql!("SELECT name FROM events WHERE id = ANY($1)", ids).fetch_all(db).await?;
    Ok(())
}

fn main() {}
