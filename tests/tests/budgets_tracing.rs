//! The layer counts what is not written with `sql!`, each statement once, on every database.

use std::sync::Once;

use futures_util::TryStreamExt;
use query_budget::__private::{Site, query};
use query_budget::{BudgetExt, ParameterSets, Report, measure, scope, uncounted};
use query_budget_tests::{with_mysql, with_postgres};
use sqlx::{AssertSqlSafe, Executor, MySqlPool, PgPool, SqlitePool};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The subscriber is global to the process: the thread that runs SQLite's statements has no other.
fn subscribe() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing_subscriber::registry().with(query_budget::layer()).init());
}

#[track_caller]
fn counted(report: &Report, queries: usize, rows: usize) {
    assert_eq!((report.queries(), report.rows()), (queries, rows), "{report}");
}

static SITE: Site = Site::new("SELECT id FROM items ORDER BY id LIMIT 3", 1, "src/items.rs", 1, 1);

macro_rules! cases {
    ($pool:ty, $parameter:literal) => {
        async fn raw_queries_count_once(db: &$pool) {
            let one = concat!("SELECT id FROM items WHERE id = ", $parameter);
            let ((), report) = measure(async {
                sqlx::query("UPDATE items SET id = id WHERE id = 1").execute(db).await.unwrap();
                sqlx::query(one).bind(1_i64).fetch_one(db).await.unwrap();
                sqlx::query(one).bind(2_i64).fetch_optional(db).await.unwrap();
                sqlx::query("SELECT id FROM items WHERE id > 97").fetch_all(db).await.unwrap();
                let rows = sqlx::query_scalar::<_, i64>(one).bind(3_i64).fetch(db);
                rows.try_collect::<Vec<_>>().await.unwrap();
                sqlx::QueryBuilder::new("SELECT id FROM items WHERE id = ")
                    .push_bind(4_i64)
                    .build()
                    .fetch_one(db)
                    .await
                    .unwrap();
            })
            .await;
            counted(&report, 6, 7);
            let built = report.statements().first().unwrap();
            assert_eq!((built.sql(), built.count(), built.place()), (one, 4, None), "{report}");
        }

        async fn counted_queries_count_once(db: &$pool) {
            let ((), report) = measure(async {
                query(&SITE).fetch_all(db).await.unwrap();
                db.fetch_all(query(&SITE)).await.unwrap();
                query(&SITE).fetch(db).try_collect::<Vec<_>>().await.unwrap();
                query(&SITE).fetch_one(db).await.unwrap();
                // The same text from elsewhere is a separate statement.
                sqlx::query(SITE_TEXT).fetch_all(db).await.unwrap();
            })
            .await;
            counted(&report, 5, 13);
            let counts: Vec<_> =
                report.statements().iter().map(|it| (it.count(), it.place().is_some())).collect();
            assert_eq!(counts, [(4, true), (1, false)], "{report}");
        }

        async fn what_is_around_queries_does_not_count(db: &$pool) {
            use sqlx::Acquire;

            let ((), report) = measure(async {
                let mut transaction = db.begin().await.unwrap();
                let mut savepoint = transaction.begin().await.unwrap();
                sqlx::query("SELECT 1").execute(&mut *savepoint).await.unwrap();
                savepoint.commit().await.unwrap();
                transaction.rollback().await.unwrap();
                // A new connection is set up by statements.
                let options = db.connect_options();
                let mut connection = sqlx::ConnectOptions::connect(&*options).await.unwrap();
                sqlx::query("SELECT 2").execute(&mut connection).await.unwrap();
            })
            .await;
            assert_eq!(report.queries(), 2, "{report}");
        }

        /// sqlx reports a statement when its stream ends or is dropped, in whatever scope that is.
        async fn streams_that_leave_their_scope_count_once(db: &$pool) {
            for read in [0, 1, 3] {
                let (mut rows, first) = measure(async {
                    let mut rows = query(&SITE).fetch(db);
                    rows.try_next().await.unwrap().unwrap();
                    rows
                })
                .await;
                counted(&first, 1, 1);
                let ((), outer) = measure(async {
                    let ((), second) = measure(async move {
                        for _ in 0..read {
                            rows.try_next().await.unwrap();
                        }
                        drop(rows);
                    })
                    .await;
                    counted(&second, 0, usize::min(read, 2));
                    sqlx::query("SELECT 1").execute(db).await.unwrap();
                })
                .await;
                counted(&outer, 1, usize::min(read, 2) + 1);
            }
        }

        async fn uncounted_is_not_counted(db: &$pool) {
            let ((), report) = measure(async {
                uncounted(async {
                    sqlx::query("SELECT 1").execute(db).await.unwrap();
                    query(&SITE).fetch_all(db).await.unwrap();
                    let (db, elsewhere) = (db.clone(), async |db: $pool| {
                        sqlx::query("SELECT 1").execute(&db).await.map(drop).unwrap();
                    });
                    elsewhere(db).in_current_budget().await;
                })
                .await;
                sqlx::query("SELECT 2").execute(db).await.unwrap();
            })
            .await;
            assert_eq!(report.queries(), 1, "{report}");
        }

        /// A statement that is built with its values is one statement, and its values are never visible.
        async fn values_in_the_text_are_told_apart_and_not_shown(db: &$pool) {
            let lookup = async |ids: [i64; 4]| {
                let ((), report) = measure(async {
                    for id in ids {
                        let text = format!("SELECT id FROM items WHERE id = {id} AND 'a secret' <> ''");
                        sqlx::query(AssertSqlSafe(text)).fetch_all(db).await.unwrap();
                    }
                })
                .await;
                counted(&report, 4, 4);
                assert!(!report.to_string().contains("secret"), "{report}");
                let [statement] = report.statements() else { panic!("{report}") };
                assert_eq!(statement.sql(), "SELECT id FROM items WHERE id = ? AND ? <> ?");
                statement.parameters()
            };
            assert_eq!(lookup([71, 72, 73, 74]).await, ParameterSets::Different);
            assert_eq!(lookup([71, 71, 71, 71]).await, ParameterSets::Same);
            assert_eq!(lookup([71, 72, 71, 72]).await, ParameterSets::Several(2));
        }

        /// One round trip is one query, whatever it contains.
        async fn a_script_counts_once(db: &$pool) {
            let ((), report) = measure(async {
                let script = "SELECT 1; UPDATE items SET id = id WHERE id = 1; SELECT 2";
                sqlx::raw_sql(script).execute(db).await.unwrap();
                sqlx::raw_sql(script).fetch_all(db).await.unwrap();
            })
            .await;
            assert_eq!(report.queries(), 2, "{report}");
        }

        async fn scopes_hold_apart(db: &$pool) {
            let times = async |times: i64| {
                for _ in 0..times {
                    sqlx::query("SELECT 1").fetch_one(db).await.unwrap();
                    tokio::task::yield_now().await;
                }
            };
            let joined = futures_util::future::join(measure(times(5)), measure(times(7)));
            let (((), left), ((), right)) = joined.await;
            counted(&left, 5, 5);
            counted(&right, 7, 7);
            let (inside, outside) = (db.clone(), db.clone());
            let ((), report) = measure(async move {
                let inside = async move { sqlx::query("SELECT 1").fetch_one(&inside).await.map(drop) };
                let outside = async move { sqlx::query("SELECT 1").fetch_one(&outside).await.map(drop) };
                tokio::spawn(inside.in_current_budget()).await.unwrap().unwrap();
                tokio::spawn(outside).await.unwrap().unwrap();
                scope("inner").max(2).run(times(2)).await;
            })
            .await;
            counted(&report, 3, 3);
        }

        async fn all(db: $pool) {
            let values = (1..=100).map(|id| format!("({id})")).collect::<Vec<_>>().join(", ");
            sqlx::raw_sql("CREATE TABLE items (id BIGINT PRIMARY KEY)").execute(&db).await.unwrap();
            let fill = format!("INSERT INTO items (id) VALUES {values}");
            sqlx::raw_sql(sqlx::AssertSqlSafe(fill)).execute(&db).await.unwrap();
            raw_queries_count_once(&db).await;
            counted_queries_count_once(&db).await;
            what_is_around_queries_does_not_count(&db).await;
            streams_that_leave_their_scope_count_once(&db).await;
            uncounted_is_not_counted(&db).await;
            values_in_the_text_are_told_apart_and_not_shown(&db).await;
            a_script_counts_once(&db).await;
            scopes_hold_apart(&db).await;
        }
    };
}

/// The text of `SITE`.
const SITE_TEXT: &str = "SELECT id FROM items ORDER BY id LIMIT 3";

mod sqlite {
    use super::*;

    cases!(SqlitePool, "?");

    #[tokio::test(flavor = "multi_thread")]
    async fn raw_and_counted() {
        subscribe();
        let one =
            sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
        all(one.connect("sqlite::memory:").await.unwrap()).await;
    }
}

mod postgres {
    use super::*;

    cases!(PgPool, "$1");

    #[tokio::test(flavor = "multi_thread")]
    #[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
    async fn raw_and_counted() {
        subscribe();
        with_postgres(all).await;
    }
}

mod mysql {
    use super::*;

    cases!(MySqlPool, "?");

    #[tokio::test(flavor = "multi_thread")]
    #[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
    async fn raw_and_counted() {
        subscribe();
        with_mysql(all).await;
    }
}
