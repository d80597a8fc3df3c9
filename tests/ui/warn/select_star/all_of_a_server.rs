//! All columns of a table.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("SELECT * FROM servers WHERE id = $1", id).fetch_optional(db).await?; //~ select_star
    Ok(())
}

fn main() {}
