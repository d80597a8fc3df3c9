//! `None` for a column that is NOT NULL.

use query_budget::sql;
use sqlx::PgPool;

pub async fn add(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("INSERT INTO servers (id, name, country) VALUES ($1, 'a', $2)", id, None::<&str>).execute(db).await?; //~ missing_required_column
    Ok(())
}

fn main() {}
