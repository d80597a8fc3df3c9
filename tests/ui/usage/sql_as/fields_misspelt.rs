//! A field whose name is not the column's, and lists of a different type from the column's.

use query_budget::{sql_as, sql_scalar};
use sqlx::PgPool;

pub struct Event {
    pub id: i64,
    pub nmae: String,
}

pub struct Named {
    pub name: Option<i64>,
}

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql_as!(Event, "SELECT id, name FROM events WHERE id = 7").fetch_optional(db).await?;
    sql_as!(Named, "SELECT name FROM events WHERE id = 7").fetch_optional(db).await?;
    let ids: Vec<i32> =
        sql_scalar!("SELECT id FROM events WHERE user_id = 7 ORDER BY id LIMIT 9").fetch_all(db).await?;
    println!("{ids:?}");
    Ok(())
}

fn main() {}
