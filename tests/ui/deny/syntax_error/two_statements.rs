//! A prepared statement is one statement.

use query_budget::sql;
use sqlx::PgPool;

pub async fn reset(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("DELETE FROM logs WHERE id = $1; DELETE FROM events WHERE id = $1", id).execute(db).await?; //~ syntax_error
    Ok(())
}

fn main() {}
