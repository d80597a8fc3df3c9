//! Without a column list, the last columns of a table take their defaults on PostgreSQL.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("INSERT INTO servers VALUES ($1, 'a', 'de')", id).execute(db).await?;
    Ok(())
}

fn main() {}
