//! Every way of writing SQL in Rust is read.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn all(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("SELECT name FROM events WHERE id = $1", id).fetch_one(db).await?;
    sql!(r#"SELECT "name" FROM "events" WHERE id = $1"#, id).fetch_one(db).await?;
    sql!("SELECT name " + "FROM events " + "WHERE id = $1", id).fetch_one(db).await?;
    sql!("SELECT 'it''s' AS its, \"name\"\n FROM events WHERE id = $1", id).fetch_one(db).await?;
    sql!(
        "SELECT name
         FROM events -- the scheduled ones
         WHERE id = $1",
        id,
    )
    .fetch_one(db)
    .await?;
    Ok(())
}

fn main() {}
