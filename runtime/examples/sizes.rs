//! The sizes of the futures of counted queries, compared with sqlx's own, for the features of this build:
//! `cargo run --release -p query-budget --features sqlite --example sizes`, and with `count` for a build that
//! counts.

use query_budget::__private::{Site, query, query_as};
use query_budget::scope;
use sqlx::{Sqlite, SqlitePool};

static SITE: Site = Site::new("SELECT 1", 1, file!(), line!(), column!());

fn main() {
    let bare = |db: &'static SqlitePool| {
        [
            ("fetch_one", size_of_val(&sqlx::query::<Sqlite>("SELECT 1").fetch_one(db))),
            ("fetch_all", size_of_val(&sqlx::query::<Sqlite>("SELECT 1").fetch_all(db))),
            ("execute", size_of_val(&sqlx::query::<Sqlite>("SELECT 1").execute(db))),
            ("as, fetch_one", size_of_val(&sqlx::query_as::<Sqlite, (i64,)>("SELECT 1").fetch_one(db))),
            ("as, fetch_all", size_of_val(&sqlx::query_as::<Sqlite, (i64,)>("SELECT 1").fetch_all(db))),
            ("a function", size_of_val(&function(db))),
        ]
    };
    let counted = |db: &'static SqlitePool| {
        [
            size_of_val(&query::<Sqlite>(&SITE).fetch_one(db)),
            size_of_val(&query::<Sqlite>(&SITE).fetch_all(db)),
            size_of_val(&query::<Sqlite>(&SITE).execute(db)),
            size_of_val(&query_as::<Sqlite, (i64,)>(&SITE).fetch_one(db)),
            size_of_val(&query_as::<Sqlite, (i64,)>(&SITE).fetch_all(db)),
            size_of_val(&scope("a function").run(function(db))),
        ]
    };
    sqlx::__rt::test_block_on(async {
        let db: &'static SqlitePool =
            Box::leak(Box::new(SqlitePool::connect_lazy("sqlite::memory:").expect("a pool")));
        println!("{:<16}{:>8}{:>10}", "bytes", "sqlx", "counted");
        for ((name, bare), counted) in bare(db).into_iter().zip(counted(db)) {
            println!("{name:<16}{bare:>8}{counted:>10}");
        }
    });
}

/// A function with a budget.
async fn function(db: &SqlitePool) -> sqlx::Result<()> {
    sqlx::query("SELECT 1").execute(db).await.map(drop)
}
