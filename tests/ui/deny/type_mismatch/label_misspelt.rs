//! A value that an enum does not have.

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("UPDATE pages SET visibility = 'nope' WHERE id = $1", id).execute(db).await?; //~ type_mismatch
    Ok(())
}

fn main() {}
