//! `sql_as!` needs the type of its rows, and that type must say how it is made from a row.

use query_budget::sql_as;
use sqlx::PgPool;

#[derive(sqlx::FromRow)]
pub struct Event {
    pub id: i64,
}

pub async fn all(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql_as!("SELECT id FROM events WHERE id = $1", id).fetch_all(db).await?;
    sql_as!(Event).fetch_all(db).await?;
    sql_as!(Event "SELECT id FROM events WHERE id = $1", id).fetch_all(db).await?;
    Ok(())
}

fn main() {}
