//! A separate in-memory database per test, with the tables of the snapshot.

use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;

/// Runs a test in a new database.
pub(crate) async fn with_database<F: AsyncFnOnce(SqlitePool)>(_: &str, test: F) {
    // Each connection has its own in-memory database.
    let options = SqlitePoolOptions::new().max_connections(1);
    let pool = options.connect("sqlite::memory:").await.expect("a database");
    sqlx::raw_sql(include_str!("../../schema.sql")).execute(&pool).await.expect("the schema");
    test(pool).await;
}
