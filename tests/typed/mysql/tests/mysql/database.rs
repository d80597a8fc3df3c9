//! A separate database per test, with the tables of the snapshot and two users.

use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::{ConnectOptions, MySql, MySqlPool, QueryBuilder};

/// Runs a test in a new database, which is dropped when the test has passed. Without a configured server, the
/// test passes without running.
pub(crate) async fn with_database<F: AsyncFnOnce(MySqlPool)>(name: &str, test: F) {
    let Ok(url) = std::env::var("QUERY_BUDGET_TEST_MYSQL") else {
        eprintln!("QUERY_BUDGET_TEST_MYSQL is not set: `{name}` is not run");
        return;
    };
    let options: MySqlConnectOptions = url.parse().expect("a URL");
    let mut server = options.connect().await.expect("a server");
    let database = format!("query_budget_typed_{name}_{}", std::process::id());
    for statement in [format!("DROP DATABASE IF EXISTS {database}"), format!("CREATE DATABASE {database}")] {
        QueryBuilder::<MySql>::new(statement).build().execute(&mut server).await.expect("a database");
    }
    let options = MySqlPoolOptions::new().max_connections(4);
    let pool = options.connect_with(url.parse::<MySqlConnectOptions>().expect("a URL").database(&database));
    let pool = pool.await.expect("a connection");
    sqlx::raw_sql(include_str!("../../schema.sql")).execute(&pool).await.expect("the schema");
    sqlx::raw_sql(
        "INSERT INTO users VALUES
             (1, 'Ada', NULL, 36, TRUE, 3, 4, 5, 18446744073709551615, 1.5, NULL, x'0102', '1984-02-03',
              '2020-01-02 03:04:05', '2020-01-02 03:04:05', 'happy'),
             (2, 'Bob', 'b', NULL, FALSE, -3, 4, 5, 6, 2, 0.5, NULL, NULL, '2021-01-02 03:04:05', NULL, 'sad');
         INSERT INTO posts (id, user_id, title, body) VALUES (10, 1, 'first', NULL), (11, 1, 'second', 'text');",
    )
    .execute(&pool)
    .await
    .expect("rows");
    test(pool.clone()).await;
    pool.close().await;
    let mut drop = QueryBuilder::<MySql>::new(format!("DROP DATABASE {database}"));
    drop.build().execute(&mut server).await.expect("the database goes");
}
