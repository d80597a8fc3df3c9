//! A row without a country, which every server must have.

use query_budget::sql;
use sqlx::PgPool;

pub async fn add(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("INSERT INTO servers (id, name) VALUES ($1, 'a')", id).execute(db).await?; //~ missing_required_column
    Ok(())
}

fn main() {}
