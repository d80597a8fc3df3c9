//! A value of a type that the database does not have: one message, at the value, that says what to write.

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, limit: usize, ids: Vec<i64>) -> sqlx::Result<()> {
    sql!("SELECT name FROM events LIMIT $1", limit).fetch_all(db).await?;
    sql!("SELECT name FROM events LIMIT $1", limit * 2).fetch_all(db).await?;
    sql!("SELECT name FROM events LIMIT $1", limit as _).fetch_all(db).await?;
    sql!("SELECT name FROM events WHERE id = ANY($1) LIMIT 9", ids.iter()).fetch_all(db).await?;
    sql!("SELECT name FROM events WHERE id = ANY($1) LIMIT 9", ids.iter().map(|id| id + 1)).fetch_all(db).await?;
    sql!("SELECT name FROM events WHERE id IN ($1)", &ids).fetch_all(db).await?;
    sql!("SELECT id FROM servers WHERE name = $1", None).fetch_optional(db).await?;
    Ok(())
}

fn main() {}
