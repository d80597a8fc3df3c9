//! A number is added to a text.

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("SELECT id + name AS both FROM events WHERE id = $1", id).fetch_one(db).await?; //~ type_mismatch
    Ok(())
}

fn main() {}
