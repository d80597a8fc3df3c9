//! A separate database per test, with the tables of the snapshot.

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
    let database = format!("query_budget_batch_{name}_{}", std::process::id());
    for statement in [format!("DROP DATABASE IF EXISTS {database}"), format!("CREATE DATABASE {database}")] {
        QueryBuilder::<MySql>::new(statement).build().execute(&mut server).await.expect("a database");
    }
    let options = MySqlPoolOptions::new().max_connections(4);
    let pool = options.connect_with(url.parse::<MySqlConnectOptions>().expect("a URL").database(&database));
    let pool = pool.await.expect("a connection");
    sqlx::raw_sql(include_str!("../../schema.sql")).execute(&pool).await.expect("the schema");
    test(pool.clone()).await;
    pool.close().await;
    let mut drop = QueryBuilder::<MySql>::new(format!("DROP DATABASE {database}"));
    drop.build().execute(&mut server).await.expect("the database goes");
}
