//! A function of an indexed column.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, name: &str) -> sqlx::Result<()> {
    sql!("SELECT id FROM servers WHERE lower(name) = $1 ORDER BY id LIMIT 9", name).fetch_all(db).await?; //~ function_on_column
    Ok(())
}

fn main() {}
