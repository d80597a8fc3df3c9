//! An unknown function: it may come from an extension, so only its type is missing.

use query_budget::{sql, sql_scalar};
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql!("SELECT lowr(name) AS low FROM events WHERE id = 7").fetch_one(db).await?;
    sql_scalar!("SELECT lowr(name) FROM events WHERE id = 7").fetch_one(db).await?;
    // With an override, its type is known.
    let low: Option<String> =
        sql_scalar!(r#"SELECT lowr(name) AS "low: String" FROM events WHERE id = 7"#).fetch_one(db).await?;
    println!("{low:?}");
    Ok(())
}

fn main() {}
