//! A struct whose fields are not the columns.

use query_budget::sql_as;
use sqlx::PgPool;

pub struct Event {
    pub id: i64,
    pub name: String,
}

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql_as!(Event, "SELECT id FROM events WHERE id = 7").fetch_optional(db).await?;
    sql_as!(Event, "SELECT id, name AS nmae FROM events WHERE id = 7").fetch_optional(db).await?;
    sql_as!((i64, String, String), "SELECT id, name FROM events WHERE id = 7").fetch_optional(db).await?;
    sql_as!(&'static str, "SELECT name FROM events WHERE id = 7").fetch_optional(db).await?;
    Ok(())
}

fn main() {}
