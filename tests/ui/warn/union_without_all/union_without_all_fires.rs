//! A literal tells the rows of both arms apart.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn both(db: &PgPool) -> sqlx::Result<()> {
    sql!("SELECT 'server' AS what, id FROM servers WHERE id = 1 UNION SELECT 'log', id FROM logs WHERE id = 1").fetch_all(db).await?; //~ union_without_all
    Ok(())
}

fn main() {}
