//! A value that its parameter does not accept: the value is marked, with the database type and the Rust type.

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql!("SELECT name FROM events WHERE id = $1", "one").fetch_optional(db).await?;
    sql!("SELECT name FROM events WHERE id = $1", true).fetch_optional(db).await?;
    sql!("SELECT id FROM servers WHERE name = $1", 7).fetch_optional(db).await?;
    sql!("SELECT name FROM events WHERE id = ANY($1) LIMIT 9", vec![1_i32]).fetch_all(db).await?;
    sql!("UPDATE events SET next_run_at = $1 WHERE id = $2", "tomorrow", 7).execute(db).await?;
    sql!("SELECT name FROM events WHERE id = $1 AND user_id = $3", 7, "unused", 7).fetch_optional(db).await?;
    Ok(())
}

fn main() {}
