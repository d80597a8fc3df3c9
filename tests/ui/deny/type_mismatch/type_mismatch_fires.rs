//! A text column is compared with a number.

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("UPDATE events SET name = 'a' WHERE id = $1 AND status = 2", id).execute(db).await?; //~ type_mismatch
    Ok(())
}

fn main() {}
