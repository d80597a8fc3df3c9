//! A text in double quotes, which PostgreSQL takes for a column.

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql!("SELECT id FROM servers WHERE name = \"first\"").fetch_optional(db).await?; //~ unknown_column
    Ok(())
}

fn main() {}
