//! A misspelt function, where nothing else could have made one of that name.

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql!("SELECT lowr(name) AS low FROM events WHERE id = 7").fetch_one(db).await?; //~ type_mismatch
    Ok(())
}

fn main() {}
