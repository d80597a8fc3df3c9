//! Overrides in the name of a column are not part of the field's name.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<(i64, Option<String>)> {
    let event = sql!(r#"SELECT id AS "id!: i64", name AS "name?" FROM events WHERE id = 7"#).fetch_one(db).await?;
    Ok((event.id, event.name))
}

fn main() {}
