//! A call under sqlx's name is called so by the messages.

use query_budget::{query, query_as, query_scalar};
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    query!().fetch_one(db).await?;
    query_as!("SELECT id FROM events WHERE id = 7").fetch_one(db).await?;
    query_as!(&'static str, "SELECT name FROM events WHERE id = 7").fetch_one(db).await?;
    query_budget::query!("SELECT id AS \"id: _\" FROM events WHERE id = 7").fetch_one(db).await?;
    query_scalar!("SELECT id, name FROM events WHERE id = 7").fetch_one(db).await?;
    Ok(())
}

fn main() {}
