//! Three statements in a row, with a budget of two.

use query_budget::{query_budget, sql};
use sqlx::PgPool;

#[query_budget(max = 2)]
pub async fn page(db: &PgPool, id: i64) -> sqlx::Result<()> { //~ budget_exceeded
    sql!("SELECT name FROM events WHERE id = $1", id).fetch_one(db).await?;
    sql!("SELECT name FROM servers WHERE id = $1", id).fetch_optional(db).await?;
    sql!("SELECT name FROM workflows WHERE id = $1", id).fetch_optional(db).await?;
    Ok(())
}

fn main() {}
