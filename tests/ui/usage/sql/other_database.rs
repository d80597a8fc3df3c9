//! A query that runs on another database than it is for: one error, at what it runs on.

use query_budget::{PageRequest, sql, sql_as, sql_batch, sql_from_row, sql_page, sql_scalar};
use sqlx::{FromRow, Sqlite, SqliteConnection, SqlitePool, Transaction};

#[derive(FromRow)]
struct Event {
    id: i64,
    name: String,
}

pub async fn name(db: &SqlitePool, id: i64) -> sqlx::Result<String> {
    let event = sql!("SELECT id, name FROM events WHERE id = $1", id).fetch_one(db).await?;
    Ok(event.name)
}

pub async fn names(db: &mut SqliteConnection) -> sqlx::Result<usize> {
    let events = sql_as!(Event, "SELECT id, name FROM events ORDER BY id LIMIT 9").fetch_all(&mut *db).await?;
    Ok(events.iter().map(|event| event.id).count())
}

pub async fn user(db: &mut Transaction<'_, Sqlite>, id: i64) -> sqlx::Result<Option<i64>> {
    sql_scalar!("SELECT user_id FROM events WHERE id = $1", id).fetch_optional(&mut **db).await
}

pub async fn row(db: &SqlitePool, id: i64) -> sqlx::Result<String> {
    Ok(sql_from_row!(Event, "SELECT id, name FROM events WHERE id = $1", id).fetch_one(db).await?.name)
}

pub async fn rename(db: &SqlitePool, id: i64) -> sqlx::Result<bool> {
    let done = sql!("UPDATE events SET name = 'none' WHERE id = $1", id).execute(db).await?;
    Ok(done.rows_affected() == 1)
}

pub async fn forget(db: &SqlitePool, ids: &[i64]) -> sqlx::Result<u64> {
    let done = sql_batch!("DELETE FROM logs WHERE id = $1", ids => |id| id).execute(db).await?;
    Ok(done.rows_affected())
}

pub async fn page(db: &SqlitePool, request: &PageRequest) -> Option<String> {
    let page = sql_page!("SELECT id, name FROM events ORDER BY id").fetch_page(db, request).await;
    page.ok()?.next
}

fn main() {}
