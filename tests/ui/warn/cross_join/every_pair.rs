//! Two tables that nothing joins.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql!("SELECT l.output FROM events e, logs l ORDER BY l.id LIMIT 9").fetch_all(db).await?; //~ cross_join
    Ok(())
}

fn main() {}
