//! A server and a workflow may have the same name.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn names(db: &PgPool) -> sqlx::Result<()> {
    sql!("SELECT name FROM servers WHERE id = 1 UNION SELECT name FROM workflows WHERE id = 1").fetch_all(db).await?;
    Ok(())
}

fn main() {}
