//! The file of the SQL does not exist.

use query_budget::sql_file;
use sqlx::PgPool;

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    sql_file!("queries/missing.sql").fetch_optional(db).await?;
    sql_file!("/queries/missing.sql").fetch_optional(db).await?;
    sql_file!().fetch_optional(db).await?;
    Ok(())
}

fn main() {}
