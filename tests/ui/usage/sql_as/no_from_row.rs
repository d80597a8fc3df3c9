//! The type of the rows implements `sqlx::FromRow`.

use query_budget::sql_from_row;
use sqlx::PgPool;

pub struct Event {
    pub id: i64,
}

pub async fn all(db: &PgPool, id: i64) -> sqlx::Result<Vec<Event>> {
    sql_from_row!(Event, "SELECT id FROM events WHERE id IN ($1, 7)", id).fetch_all(db).await
}

fn main() {}
