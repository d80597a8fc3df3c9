//! NOT IN over a column that can be NULL.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql!("SELECT id FROM servers WHERE id NOT IN (SELECT server_id FROM events) ORDER BY id LIMIT 9").fetch_all(db).await?; //~ not_in_subquery
    Ok(())
}

fn main() {}
