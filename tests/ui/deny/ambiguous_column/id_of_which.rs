//! A column that two tables have.

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("SELECT id FROM logs JOIN events ON events.id = logs.event_id WHERE logs.id = $1", id).fetch_optional(db).await?; //~ ambiguous_column
    Ok(())
}

fn main() {}
