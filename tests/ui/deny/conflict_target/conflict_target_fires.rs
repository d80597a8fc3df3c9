//! The country of a server is not unique.

use query_budget::sql;
use sqlx::PgPool;

pub async fn add(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("INSERT INTO servers (id, name, country) VALUES ($1, 'a', 'de') ON CONFLICT (country) DO NOTHING", id).execute(db).await?; //~ conflict_target
    Ok(())
}

fn main() {}
