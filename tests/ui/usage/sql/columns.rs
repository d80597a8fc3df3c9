//! Columns that cannot be the fields of a record.

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql!("SELECT id + 1, name FROM events WHERE id = 7").fetch_optional(db).await?;
    sql!("SELECT e.id, l.id FROM events e JOIN logs l ON l.event_id = e.id WHERE l.id = 7").fetch_optional(db).await?;
    sql!("SELECT id AS \"the id\" FROM events WHERE id = 7").fetch_optional(db).await?;
    sql!("SELECT id AS \"id: _\" FROM events WHERE id = 7").fetch_optional(db).await?;
    sql!("SELECT id AS \"id: Vec<\" FROM events WHERE id = 7").fetch_optional(db).await?;
    sql!("SELECT id AS \"id: Missing\" FROM events WHERE id = 7").fetch_optional(db).await?;
    let event = sql!("SELECT id, name FROM events WHERE id = 7").fetch_one(db).await?;
    println!("{} {}", event.nmae, event.get::<String, _>("nmae"));
    Ok(())
}

fn main() {}
