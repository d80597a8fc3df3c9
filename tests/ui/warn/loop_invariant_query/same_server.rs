//! The same read for each element.

#![deny(deprecated)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, users: &[i64], server: i64) -> sqlx::Result<()> {
    for user in users {
        println!("{user}");
        sql!("SELECT name FROM servers WHERE id = $1", server).fetch_one(db).await?; //~ loop_invariant_query
    }
    Ok(())
}

fn main() {}
