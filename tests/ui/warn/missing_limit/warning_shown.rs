//! A finding at level warn is a warning, unless the user says otherwise; this build fails for another reason.

#![deny(unused_variables)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn list(db: &PgPool, user: i64) -> sqlx::Result<()> {
    let unused = 7;
    sql!("SELECT id, name FROM events WHERE user_id = $1", user).fetch_all(db).await?; //~ missing_limit
    Ok(())
}

fn main() {}
