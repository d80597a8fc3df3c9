//! Every shape of function that can have a budget.

#![deny(warnings)]

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;

use futures_util::future::BoxFuture;
use query_budget::{query_budget, sql, sql_scalar};
use sqlx::{PgExecutor, PgPool};

pub struct Events {
    pub db: PgPool,
    pub ids: Vec<i64>,
}

impl Events {
    #[query_budget(max = 1 + self.ids.len())]
    pub async fn count(&self) -> sqlx::Result<i64> {
        sql_scalar!(i64, "SELECT count(*) FROM events WHERE id = ANY($1)", &self.ids).fetch_one(&self.db).await
    }

    #[query_budget(max = 1)]
    pub async fn first<'s>(&'s mut self, name: &'s str) -> Result<&'s str, Box<dyn std::error::Error + Send + Sync>> {
        let id = self.ids.first().ok_or("none")?;
        sql!("UPDATE events SET name = $1 WHERE id = $2", name, id).execute(&self.db).await?;
        self.ids.clear();
        Ok(name)
    }

    #[query_budget(max = 1)]
    pub async fn consume(mut self, (mut a, b): (i64, i64)) -> sqlx::Result<Vec<i64>> {
        a += b;
        self.ids.push(a);
        let Self { db, ids } = self;
        sql!("DELETE FROM events WHERE id = ANY($1)", &ids).execute(&db).await?;
        Ok(ids)
    }

    #[query_budget(max = 0)]
    pub fn longest<'a>(&'a mut self, other: &'a mut Vec<i64>) -> &'a mut Vec<i64> {
        if other.len() > self.ids.len() {
            return other;
        }
        &mut self.ids
    }

    #[query_budget(max = 0)]
    pub fn iter(&self) -> impl Iterator<Item = &i64> + '_ {
        self.ids.iter()
    }

    #[query_budget(max = 1)]
    pub fn later(&self, id: i64) -> impl Future<Output = sqlx::Result<i64>> + Send + '_ {
        let id = id + 1;
        async move { sql_scalar!(i64, "SELECT count(*) FROM events WHERE id = $1", id).fetch_one(&self.db).await }
    }

    #[query_budget(max = 1)]
    pub fn pinned(&self, id: i64) -> Pin<Box<dyn Future<Output = sqlx::Result<i64>> + Send + '_>> {
        if id < 0 {
            return Box::pin(async { Ok(0) });
        }
        Box::pin(async move { sql_scalar!(i64, "SELECT count(*) FROM events WHERE id = $1", id).fetch_one(&self.db).await })
    }

    #[query_budget(max = 1)]
    pub fn alias(&self, id: i64) -> BoxFuture<'_, sqlx::Result<i64>> {
        Box::pin(sql_scalar!(i64, "SELECT count(*) FROM events WHERE id = $1", id).fetch_one(&self.db))
    }
}

pub trait Load {
    #[query_budget(max = 1)]
    fn load(&self, id: i64) -> impl Future<Output = sqlx::Result<i64>> + Send;

    #[query_budget(max = 2)]
    fn load_default(&self, id: i64) -> impl Future<Output = sqlx::Result<i64>> + Send
    where
        Self: Sync,
    {
        async move { Ok(self.load(id).await? + self.load(id + 1).await?) }
    }

    #[query_budget(max = 0)]
    fn name(&self) -> String {
        "load".to_owned()
    }
}

impl Load for Events {
    #[query_budget(max = 1)]
    async fn load(&self, id: i64) -> sqlx::Result<i64> {
        sql_scalar!(i64, "SELECT count(*) FROM events WHERE id = $1", id).fetch_one(&self.db).await
    }
}

#[query_budget(max = 1)]
pub async fn generic<'e, E, T, const N: usize>(executor: E, id: T) -> sqlx::Result<impl Display>
where
    E: PgExecutor<'e>,
    T: Into<i64> + Copy,
{
    let id: i64 = id.into();
    let count: i64 = sql_scalar!(i64, "SELECT count(*) FROM events WHERE id = $1", id).fetch_one(executor).await?;
    Ok(format!("{count} of {N}"))
}

#[query_budget(max = 0)]
pub async fn inferred(numbers: &[&str]) -> Result<Vec<i64>, std::num::ParseIntError> {
    let numbers = numbers.iter().map(|number| number.parse()).collect::<Result<_, _>>()?;
    Ok(numbers)
}

#[query_budget(max = 0)]
pub async fn never() -> ! {
    std::process::exit(0)
}

#[query_budget(max = 8)]
pub async fn recursive(db: &PgPool, depth: u32) -> sqlx::Result<()> {
    if depth > 0 {
        Box::pin(recursive(db, depth - 1)).await?;
    }
    Ok(())
}

#[query_budget(max = 1)]
#[must_use]
#[inline(never)]
pub fn attributed(#[expect(unused_variables, reason = "a parameter with an attribute")] flag: bool) -> u8 {
    #![expect(unused_variables, reason = "an attribute inside of the body")]
    let unused = 1;
    7
}

#[query_budget(max = 1)]
#[expect(unused_mut, reason = "the lint still sees the body as the user wrote it")]
pub fn seen() -> u8 {
    let mut seven = 7;
    seven
}

fn is_send<T: Send>(_: T) {}

fn main() {
    if false {
        is_send(recursive(&PgPool::connect_lazy("postgres://localhost").unwrap(), 3));
    }
    assert_eq!(attributed(true), 7);
}
