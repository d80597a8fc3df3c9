//! A separate database per test, with the tables of the snapshot and two users.

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool, Postgres, QueryBuilder};

/// Runs a test in a new database, which is dropped when the test has passed. Without a configured server, the
/// test passes without running.
pub(crate) async fn with_database<F: AsyncFnOnce(PgPool)>(name: &str, test: F) {
    let Ok(url) = std::env::var("QUERY_BUDGET_TEST_POSTGRES") else {
        eprintln!("QUERY_BUDGET_TEST_POSTGRES is not set: `{name}` is not run");
        return;
    };
    let options: PgConnectOptions = url.parse().expect("a URL");
    let mut server = options.connect().await.expect("a server");
    let database = format!("query_budget_typed_{name}_{}", std::process::id());
    QueryBuilder::<Postgres>::new(format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"))
        .build()
        .execute(&mut server)
        .await
        .expect("nothing is in the way");
    QueryBuilder::<Postgres>::new(format!("CREATE DATABASE {database}"))
        .build()
        .execute(&mut server)
        .await
        .expect("a database");
    let pool = PgPoolOptions::new()
        .max_connections(4)
        .connect_with(options.database(&database))
        .await
        .expect("a connection");
    sqlx::raw_sql(include_str!("../../schema.sql")).execute(&pool).await.expect("the schema");
    sqlx::raw_sql(
        "INSERT INTO users (name, nickname, score, tags, mood) VALUES
         ('Ada', NULL, 7, '{math,notes}', 'happy'), ('Bob', 'bobby', 3, '{}', 'sad');
         INSERT INTO posts (id, user_id, title) VALUES (10, 1, 'first'), (11, 1, 'second');",
    )
    .execute(&pool)
    .await
    .expect("rows");
    test(pool.clone()).await;
    pool.close().await;
    QueryBuilder::<Postgres>::new(format!("DROP DATABASE {database} WITH (FORCE)"))
        .build()
        .execute(&mut server)
        .await
        .expect("the database goes");
}
