//! `COPY`, of which sqlx logs nothing, counts if it is passed to `counted!`.

use futures_util::TryStreamExt;
use query_budget::{counted, measure, query_budget, stats};
use query_budget_tests::with_postgres;
use sqlx::PgPool;
use sqlx::postgres::PgPoolCopyExt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const IN: &str = "COPY steps (name) FROM STDIN";

/// One `COPY` that is counted, and a query beside it.
#[query_budget(max = 2)]
async fn copied(db: &PgPool, lines: &str) -> sqlx::Result<u64> {
    let rows = counted!(IN, async {
        let mut copy = db.copy_in_raw("COPY steps (name) FROM STDIN").await?;
        copy.send(lines.as_bytes()).await?;
        copy.finish().await
    })
    .await?;
    sqlx::query("UPDATE steps SET name = upper(name)").execute(db).await?;
    Ok(rows)
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn a_copy_counts_once_with_its_time() {
    let _ = tracing_subscriber::registry().with(query_budget::layer()).try_init();
    with_postgres(async |db| {
        sqlx::raw_sql("CREATE TABLE steps (name TEXT NOT NULL)").execute(&db).await.unwrap();
        let (rows, report) = measure(copied(&db, "one\ntwo\n")).await;
        assert_eq!((rows.unwrap(), report.queries()), (2, 2), "{report}");
        let copy = report.statements().iter().find(|statement| statement.sql() == IN).expect("it counts");
        assert!(copy.count() == 1 && !copy.time().is_zero(), "{report}");
        assert_eq!((copy.place().unwrap().file, copy.fingerprint()), (file!(), None));
        assert!(stats().statements.iter().any(|statement| statement.sql == IN));

        // One that fails counts, as does one that is given up; one that is never polled does not.
        let out = "COPY steps TO STDOUT";
        let ((), report) = measure(async {
            let no_table = counted!("COPY no_table FROM STDIN", db.copy_in_raw("COPY no_table FROM STDIN"));
            assert!(no_table.await.is_err());
            drop(counted!("COPY steps TO STDOUT", db.copy_out_raw(out)));
            let lines: Vec<_> =
                counted!("COPY steps TO STDOUT", async { db.copy_out_raw(out).await?.try_collect().await })
                    .await
                    .unwrap();
            assert_eq!(lines.concat(), *b"ONE\nTWO\n");
            let mut pending = Box::pin(counted!("COPY steps TO STDIN", std::future::pending::<()>()));
            assert!(futures_util::FutureExt::now_or_never(&mut pending).is_none());
        })
        .await;
        assert_eq!(report.queries(), 3, "{report}");
    })
    .await;
}
