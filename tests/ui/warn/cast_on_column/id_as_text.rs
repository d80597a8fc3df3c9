//! A key that is cast to text.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, id: &str) -> sqlx::Result<()> {
    sql!("SELECT name FROM events WHERE id::text = $1 ORDER BY id LIMIT 9", id).fetch_all(db).await?; //~ cast_on_column
    Ok(())
}

fn main() {}
