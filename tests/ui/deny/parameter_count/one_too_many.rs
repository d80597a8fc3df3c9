//! More values than placeholders.

use query_budget::sql;
use sqlx::PgPool;

pub async fn name(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("SELECT name FROM events WHERE id = $1", id, 7_i64).fetch_one(db).await?; //~ parameter_count
    Ok(())
}

fn main() {}
