//! Fewer values than columns.

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("INSERT INTO servers (id, name, country) VALUES ($1, 'a')", id).execute(db).await?; //~ values_count
    Ok(())
}

fn main() {}
