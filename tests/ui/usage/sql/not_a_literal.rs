//! SQL is read at compile time, so it must be written in the macro call.

use query_budget::{sql, sql_scalar};
use sqlx::PgPool;

const SQL: &str = "SELECT id FROM events LIMIT 1";

pub async fn all(db: &PgPool, table: &str) -> sqlx::Result<()> {
    sql!(SQL).fetch_all(db).await?;
    sql!(concat!("SELECT id ", "FROM events LIMIT 1")).fetch_all(db).await?;
    sql!(&format!("SELECT id FROM {table} LIMIT 1")).fetch_all(db).await?;
    sql!("SELECT id " + table).fetch_all(db).await?;
    sql!(b"SELECT id FROM events LIMIT 1").fetch_all(db).await?;
    let _: Option<i64> = sql_scalar!(SQL).fetch_optional(db).await?;
    Ok(())
}

fn main() {}
