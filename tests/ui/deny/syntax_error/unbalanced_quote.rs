//! A quote that is never closed.

use query_budget::sql;
use sqlx::PgPool;

pub async fn named(db: &PgPool) -> sqlx::Result<()> {
    sql!("SELECT id FROM events WHERE name = 'backup LIMIT 1").fetch_optional(db).await?; //~ syntax_error
    Ok(())
}

fn main() {}
