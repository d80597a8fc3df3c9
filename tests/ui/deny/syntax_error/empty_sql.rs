//! No statement at all.

use query_budget::sql;
use sqlx::PgPool;

pub async fn nothing(db: &PgPool) -> sqlx::Result<()> {
    sql!("").execute(db).await?; //~ syntax_error
    sql!(" -- later\n").execute(db).await?; //~ syntax_error
    Ok(())
}

fn main() {}
