//! A placeholder that is used twice takes one value.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn near(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("SELECT name, $1::int8 FROM events WHERE id = $1", id as _).fetch_one(db).await?;
    Ok(())
}

fn main() {}
