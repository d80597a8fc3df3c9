//! Values of a row that do not fit, and rows that may be missing.

use query_budget::{sql_batch, sql_batch_scalar};
use sqlx::PgPool;

pub async fn values(db: &PgPool, ids: &[i64], names: &[String]) -> sqlx::Result<()> {
    sql_batch!("DELETE FROM logs WHERE id = $1", names => |name| name).execute(db).await?;
    sql_batch!("UPDATE events SET name = $2 WHERE id = $1", ids => |id| (id, id)).execute(db).await?;
    let new = sql_batch_scalar!(
        "INSERT INTO servers (id, name, country) VALUES ($1, 'new', 'is') ON CONFLICT DO NOTHING RETURNING id",
        ids => |id| id
    );
    new.fetch_all(db).await?;
    Ok(())
}

fn main() {}
