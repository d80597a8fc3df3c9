//! A keyword that is missing is pointed at in the SQL.

use query_budget::sql;
use sqlx::PgPool;

pub async fn touch(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sql!("UPDATE events status = 'due' WHERE id = $1", id).execute(db).await?; //~ syntax_error
    Ok(())
}

fn main() {}
