//! Arguments are values after a comma, and only an allow may precede the SQL.

use query_budget::sql;
use sqlx::PgPool;

pub async fn all(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!().fetch_all(db).await?;
    sql!("SELECT name FROM events WHERE id = $1" id).fetch_all(db).await?;
    sql!("SELECT name FROM events WHERE id = $1", id = id).fetch_all(db).await?;
    sql!(#[inline] "SELECT name FROM events WHERE id = $1", id).fetch_all(db).await?;
    sql!(#[allow(missing_limit("an export"))] "SELECT name FROM events WHERE id = $1", id).fetch_all(db).await?;
    sql!(#[allow(missing_limit = 7)] "SELECT name FROM events WHERE id = $1", id).fetch_all(db).await?;
    Ok(())
}

fn main() {}
