//! A value that is read as a different type from that of its column.

use query_budget::sql_scalar;
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql_scalar!(String, "SELECT count(*) FROM events WHERE id = 7").fetch_one(db).await?;
    sql_scalar!(i64, "SELECT server_id FROM events WHERE id = 7").fetch_one(db).await?;
    sql_scalar!("SELECT id, name FROM events WHERE id = 7").fetch_one(db).await?;
    let name: String = sql_scalar!("SELECT id FROM events WHERE id = 7").fetch_one(db).await?;
    println!("{name}");
    Ok(())
}

fn main() {}
