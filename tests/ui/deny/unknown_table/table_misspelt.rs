//! A table that the snapshot does not hold.

use query_budget::sql;
use sqlx::PgPool;

pub async fn name(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("SELECT name FROM event WHERE id = $1", id).fetch_one(db).await?; //~ unknown_table
    Ok(())
}

fn main() {}
