//! A column that its table does not have.

use query_budget::sql;
use sqlx::PgPool;

pub async fn name(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("SELECT e.nme FROM events e WHERE e.id = $1", id).fetch_one(db).await?; //~ unknown_column
    Ok(())
}

fn main() {}
