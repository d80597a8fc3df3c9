//! A column beside an aggregate, but not in GROUP BY.

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, user: i64) -> sqlx::Result<()> {
    sql!("SELECT status, max(id) AS last FROM events WHERE user_id = $1", user).fetch_one(db).await?; //~ type_mismatch
    Ok(())
}

fn main() {}
