//! A read that runs once, and one on each database.

#![deny(warnings)]

use query_budget::sql;
use sqlx::PgPool;

pub async fn run(db: &PgPool, users: &[i64], shards: &[PgPool], server: i64) -> sqlx::Result<()> {
    sql!("SELECT name FROM servers WHERE id = $1", server).fetch_one(db).await?;
    for user in users {
        println!("{user}");
    }
    for shard in shards {
        sql!("SELECT name FROM servers WHERE id = $1", server).fetch_one(shard).await?;
    }
    Ok(())
}

fn main() {}
