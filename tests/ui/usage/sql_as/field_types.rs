//! A field that does not fit its column: what the column gives, and why it may be NULL.

use query_budget::sql_as;
use sqlx::PgPool;

pub struct Narrow {
    pub id: i32,
}

pub struct Text {
    pub id: String,
}

pub struct Server {
    pub server_id: i64,
}

pub struct Line {
    pub output: String,
}

pub struct Total {
    pub total: i64,
}

pub struct Page {
    pub id: i64,
    pub visibility: i64,
}

#[derive(sqlx::Type)]
#[sqlx(type_name = "visibility", rename_all = "lowercase")]
pub enum Visibility {
    Public,
    Private,
}

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql_as!(Narrow, "SELECT id FROM events WHERE id = 7").fetch_optional(db).await?;
    sql_as!(Text, "SELECT id FROM events WHERE id = 7").fetch_optional(db).await?;
    sql_as!(Server, "SELECT server_id FROM events WHERE id = 7").fetch_optional(db).await?;
    // query-budget: allow(missing_limit, unindexed_filter): what counts here is the join
    sql_as!(Line, "SELECT l.output FROM events e LEFT JOIN logs l ON l.event_id = e.id WHERE e.id = 7")
        .fetch_all(db)
        .await?;
    sql_as!(Total, "SELECT count(*) AS total FROM events WHERE id = 7").fetch_one(db).await?;
    sql_as!((i64, i64), "SELECT id, name FROM events WHERE id = 7").fetch_optional(db).await?;
    sql_as!(Page, "SELECT id, visibility AS \"visibility: Visibility\" FROM pages WHERE id = 7")
        .fetch_optional(db)
        .await?;
    Ok(())
}

fn main() {}
