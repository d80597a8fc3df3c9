//! A pattern that begins with a wildcard.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, part: &str) -> sqlx::Result<()> {
    sql!("SELECT id FROM events WHERE name ILIKE '%' || $1 || '%' ORDER BY id LIMIT 9", part).fetch_all(db).await?; //~ leading_wildcard
    Ok(())
}

fn main() {}
