//! A separate database per test: created under a random name, and dropped when the test ends, however it
//! ends.

use std::hash::{BuildHasher, RandomState};
use std::panic::resume_unwind;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, MySql, MySqlConnection, MySqlPool, PgConnection, PgPool, Postgres, QueryBuilder};

/// Runs the test in an empty PostgreSQL database on the server of `QUERY_BUDGET_TEST_POSTGRES`.
///
/// # Panics
///
/// If there is no such server, or the test panics.
pub async fn with_postgres<F>(test: impl FnOnce(PgPool) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let server: PgConnectOptions =
        variable("QUERY_BUDGET_TEST_POSTGRES").parse().expect("the URL of a server");
    let name = random_name();
    let mut connection = PgConnection::connect_with(&server).await.expect("connect to PostgreSQL");
    let mut create = QueryBuilder::<Postgres>::new(format!("CREATE DATABASE {name}"));
    create.build().execute(&mut connection).await.expect("create a database");
    // Nothing has to survive a crash of the server, so no statement waits for the disk.
    let made = server.database(&name).options([("synchronous_commit", "off")]);
    let pool = PgPool::connect_with(made).await.expect("connect to the database made");
    let outcome = tokio::spawn(test(pool.clone())).await;
    pool.close().await;
    let mut drop = QueryBuilder::<Postgres>::new(format!("DROP DATABASE {name} WITH (FORCE)"));
    drop.build().execute(&mut connection).await.expect("drop the database made");
    propagate(outcome);
}

/// Runs the test in an empty MySQL or MariaDB database on the server of `QUERY_BUDGET_TEST_MYSQL`.
///
/// # Panics
///
/// If there is no such server, or the test panics.
pub async fn with_mysql<F>(test: impl FnOnce(MySqlPool) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let server: MySqlConnectOptions =
        variable("QUERY_BUDGET_TEST_MYSQL").parse().expect("the URL of a server");
    let name = random_name();
    let mut connection = MySqlConnection::connect_with(&server).await.expect("connect to MySQL");
    let mut create = QueryBuilder::<MySql>::new(format!("CREATE DATABASE {name}"));
    create.build().execute(&mut connection).await.expect("create a database");
    let made = by_socket(server.database(&name), &mut connection).await;
    let pool = MySqlPool::connect_with(made).await.expect("connect to the database made");
    let outcome = tokio::spawn(test(pool.clone())).await;
    pool.close().await;
    let mut drop = QueryBuilder::<MySql>::new(format!("DROP DATABASE {name}"));
    drop.build().execute(&mut connection).await.expect("drop the database made");
    propagate(outcome);
}

/// The same database by the server's socket, if that is on this machine. Over TCP each statement waits 40 ms for an
/// acknowledgement, because sqlx sends two small packets in a row and leaves Nagle's algorithm on.
async fn by_socket(made: MySqlConnectOptions, connection: &mut MySqlConnection) -> MySqlConnectOptions {
    let Ok(Some(path)) =
        sqlx::query_scalar::<_, Option<String>>("SELECT @@socket").fetch_one(connection).await
    else {
        return made;
    };
    let by_socket = made.clone().socket(path);
    match MySqlConnection::connect_with(&by_socket).await {
        Ok(connection) => connection.close().await.map_or(made, |()| by_socket),
        Err(_) => made,
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("`{name}` is not set"))
}

/// A name for a database, file or key that no other test uses.
pub fn random_name() -> String {
    format!("query_budget_{:016x}", RandomState::new().hash_one(std::process::id()))
}

/// Continues the test's panic once everything is cleaned up.
fn propagate(outcome: Result<(), tokio::task::JoinError>) {
    if let Err(error) = outcome {
        resume_unwind(error.into_panic());
    }
}
