//! No name in an expansion collides with one of the user's.

#![deny(warnings)]

use query_budget::{query_budget, sql, sql_as, sql_scalar};
use sqlx::PgPool;

const SITE: i64 = 7;

#[derive(sqlx::FromRow)]
struct Event {
    id: i64,
}

#[query_budget(max = 4)]
async fn names(db: &PgPool, site: i64, query: i64, scope: i64, output: i64) -> sqlx::Result<i64> {
    sql!("SELECT name FROM events WHERE id IN ($1, $2, $3)", SITE, site, query).fetch_all(db).await?;
    let event = sql_as!(Event, "SELECT id FROM events WHERE id = $1", scope).fetch_one(db).await?;
    let count: i64 = sql_scalar!(i64, "SELECT count(*) FROM events WHERE id = $1", output).fetch_one(db).await?;
    let same = sql_scalar!(i64, "SELECT count(*) FROM events WHERE id = $1", output).fetch_one(db).await?;
    Ok(event.id + count + same + site + query + scope + output)
}

#[query_budget(max = 0)]
fn scope(scope: i64) -> i64 {
    #[expect(non_snake_case, reason = "the name is the point")]
    let SITE_ = scope;
    SITE_
}

mod query_budget_of_another_kind {
    pub mod query_budget {}
    pub mod core {}
    pub mod std {}
}

#[expect(unused_imports, reason = "modules that hide crates of the same names")]
use query_budget_of_another_kind::{core, std};

fn main() {
    let _ = (names, scope);
}
