//! Lists with a bound, and one without a bound but with a reason.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn list(db: &PgPool, user: i64, ids: &[i64]) -> sqlx::Result<()> {
    sql!("SELECT id FROM events WHERE user_id = $1 ORDER BY id LIMIT 50", user).fetch_all(db).await?;
    sql!("SELECT id FROM events WHERE id = ANY($1)", ids).fetch_all(db).await?;
    let _one = sql!("SELECT max(id) FROM events WHERE user_id = $1", user).fetch(db);
    sql!("SELECT code FROM countries").fetch_all(db).await?;
    sql!(#[allow(missing_limit = "an export")] "SELECT id FROM events WHERE user_id = $1", user).fetch_all(db).await?;
    // query-budget: allow(missing_limit): an export
    sql!("SELECT name FROM events WHERE user_id = $1", user).fetch_all(db).await?;
    Ok(())
}

fn main() {}
