//! A filter that no index serves.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn output(db: &PgPool, event: i64) -> sqlx::Result<()> {
    sql!("SELECT output FROM logs WHERE event_id = $1 ORDER BY id LIMIT 20", event).fetch_all(db).await?; //~ unindexed_filter
    Ok(())
}

fn main() {}
