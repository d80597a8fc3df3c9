//! A function that nothing knows: it may be one of an extension, so that its type alone is missed.

use query_budget::{sql, sql_scalar};
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql!("SELECT lowr(name) AS low FROM events WHERE id = 7").fetch_one(db).await?;
    sql_scalar!("SELECT lowr(name) FROM events WHERE id = 7").fetch_one(db).await?;
    // Whoever says what it gives is believed.
    let low: Option<String> =
        sql_scalar!(r#"SELECT lowr(name) AS "low: String" FROM events WHERE id = 7"#).fetch_one(db).await?;
    println!("{low:?}");
    Ok(())
}

fn main() {}
