//! Fewer values than placeholders.

use query_budget::sql;
use sqlx::PgPool;

pub async fn rename(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("UPDATE events SET name = $1 WHERE id = $2", id).execute(db).await?; //~ parameter_count
    Ok(())
}

fn main() {}
