//! What runs the queries: a type, a trait that it implements, and a function.

use query_budget::{sql, sql_scalar};
use sqlx::{Result, SqlitePool};

pub(crate) struct Store {
    pub(crate) db: SqlitePool,
}

impl Store {
    pub(crate) async fn one(&self, id: i64) -> Result<()> {
        sql!("SELECT name FROM items WHERE id = ?", id).fetch_optional(&self.db).await.map(drop)
    }

    pub(crate) async fn fail_from(&self, n: i64, least: i64) -> Result<()> {
        self.one(n).await?;
        if n >= least { Err(sqlx::Error::RowNotFound) } else { Ok(()) }
    }
}

pub(crate) trait Reads {
    async fn read(&self, id: i64) -> Result<()>;
}

impl Reads for Store {
    async fn read(&self, id: i64) -> Result<()> {
        self.one(id).await
    }
}

pub(crate) async fn count(db: &SqlitePool) -> Result<i64> {
    sql_scalar!("SELECT count(*) FROM items").fetch_one(db).await
}
