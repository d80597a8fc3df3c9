//! The attribute gets along with other macros around it, below it, and between it and the queries.

#![deny(warnings)]

use async_trait::async_trait;
use query_budget::{query_budget, sql, sql_scalar};
use sqlx::PgPool;

#[async_trait]
pub trait Load {
    #[query_budget(max = 1)]
    async fn load(&self, id: i64) -> sqlx::Result<i64>;

    #[query_budget(max = 2 * ids.len())]
    async fn load_all(&self, ids: &[i64]) -> sqlx::Result<i64> {
        let mut all = 0;
        for id in ids {
            // query-budget: allow(querying_call_in_loop): what is shown here is the expansion
            all += self.load(*id).await?;
        }
        Ok(all)
    }
}

pub struct Events {
    pub db: PgPool,
    pub factor: usize,
}

#[async_trait]
impl Load for Events {
    #[query_budget(max = self.factor)]
    async fn load(&self, id: i64) -> sqlx::Result<i64> {
        sql_scalar!(i64, "SELECT count(*) FROM events WHERE id = $1", id).fetch_one(&self.db).await
    }
}

#[async_trait]
impl Load for PgPool {
    #[query_budget(max = 1)]
    async fn load(&self, id: i64) -> sqlx::Result<i64> {
        sql_scalar!(i64, "SELECT count(*) FROM events WHERE id = $1", id).fetch_one(self).await
    }
}

macro_rules! rename {
    ($db:expr, $table:literal, $id:expr) => {
        sql!("UPDATE " + $table + " SET name = 'x' WHERE id = $1", $id).execute($db)
    };
}

macro_rules! getter {
    ($name:ident, $max:expr, $sql:literal) => {
        #[query_budget(max = $max)]
        pub async fn $name(db: &PgPool, id: i64) -> sqlx::Result<String> {
            sql_scalar!($sql, id).fetch_one(db).await
        }
    };
}

getter!(event_name, 1, "SELECT name FROM events WHERE id = $1");

#[tokio::main(flavor = "current_thread")]
#[query_budget(max = 1)]
async fn above() {}

#[query_budget(max = 1)]
#[tokio::main(flavor = "current_thread")]
async fn below() {}

pub async fn run(db: &PgPool) -> sqlx::Result<()> {
    rename!(db, "events", 7).await?;
    tokio::select! {
        done = rename!(db, "servers", 7) => done.map(drop),
        name = event_name(db, 7) => name.map(drop),
    }
}

fn main() {
    above();
    below();
}
