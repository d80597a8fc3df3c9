//! A write without WHERE.

use query_budget::sql;
use sqlx::PgPool;

pub async fn clear(db: &PgPool) -> sqlx::Result<()> {
    sql!("DELETE FROM logs").execute(db).await?; //~ unbounded_write
    sql!("UPDATE events SET status = 'due'").execute(db).await?; //~ unbounded_write
    Ok(())
}

fn main() {}
