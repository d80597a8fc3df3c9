//! What the profile of a pool sends when a connection is opened is in no scope's count.

use query_budget::{PoolProfile, StatementTimeout, measure};
use query_budget_tests::{with_mysql, with_postgres};
use sqlx::{Connection, Database, Executor, IntoArguments, Pool};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// A connection that is opened, and set up, while a scope counts.
async fn set_up<DB>(options: <DB::Connection as Connection>::Options)
where
    DB: Database + StatementTimeout,
    DB::Arguments: IntoArguments<DB>,
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    let _ = tracing_subscriber::registry().with(query_budget::layer()).try_init();
    let db: Pool<DB> = PoolProfile::SERVERLESS.options().connect_lazy_with(options);
    let (outcome, report) = measure(sqlx::query("SELECT 1").execute(&db)).await;
    outcome.unwrap();
    assert_eq!(report.queries(), 1, "{report}");
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn a_profile_on_postgres_spends_no_budget() {
    with_postgres(|db| async move {
        set_up::<sqlx::Postgres>(db.connect_options().as_ref().clone()).await;
    })
    .await;
}

#[tokio::test]
#[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
async fn a_profile_on_mysql_spends_no_budget() {
    with_mysql(|db| async move {
        set_up::<sqlx::MySql>(db.connect_options().as_ref().clone()).await;
    })
    .await;
}
