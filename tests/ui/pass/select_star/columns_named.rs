//! Named columns, and `*` over a subquery that names them.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("SELECT id, name FROM servers WHERE id = $1", id).fetch_optional(db).await?;
    sql!("SELECT * FROM (SELECT id, name FROM servers WHERE id = $1) s", id).fetch_optional(db).await?;
    Ok(())
}

fn main() {}
