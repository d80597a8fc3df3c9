//! An unknown function: it may come from an extension, so only its type is missing.

use query_budget::{sql, sql_scalar};
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql!("SELECT redacted(name) AS shown FROM events WHERE id = 7").fetch_one(db).await?;
    sql_scalar!("SELECT redacted(name) FROM events WHERE id = 7").fetch_one(db).await?;
    // With an override, its type is known.
    let shown: Option<String> =
        sql_scalar!(r#"SELECT redacted(name) AS "shown: String" FROM events WHERE id = 7"#).fetch_one(db).await?;
    println!("{shown:?}");
    Ok(())
}

fn main() {}
