//! A loop that queries has no bound.

use query_budget::{query_budget, sql};
use sqlx::PgPool;

#[query_budget(max = 3)]
pub async fn dashboard(db: &PgPool, ids: &[i64]) -> sqlx::Result<()> { //~ budget_exceeded
    for id in ids {
        // query-budget: allow(query_in_loop): what is shown here is the budget
        sql!("SELECT name FROM events WHERE id = $1", id).fetch_one(db).await?;
    }
    Ok(())
}

fn main() {}
