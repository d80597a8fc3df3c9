//! `assert_queries!` and `assert_constant_queries`: what passes, and the messages of failures.

use std::panic::AssertUnwindSafe;

use futures_util::future::FutureExt;
use query_budget::__private::{Site, query};
use query_budget::{assert_constant_queries, assert_queries};
use sqlx::SqlitePool;

static HEAD: Site = Site::new("SELECT 'head'", 1, "src/page.rs", 3, 5);
static EACH: Site = Site::new("SELECT 'each'", 2, "src/page.rs", 7, 9);

async fn page(db: &SqlitePool, elements: usize) -> usize {
    query(&HEAD).execute(db).await.unwrap();
    for _ in 0..elements {
        query(&EACH).execute(db).await.unwrap();
    }
    elements
}

async fn failure(future: impl Future) -> Option<String> {
    let panic = AssertUnwindSafe(future).catch_unwind().await.err()?;
    Some(*panic.downcast::<String>().expect("a text"))
}

#[tokio::test]
async fn exact_limit_and_range() {
    let db = &SqlitePool::connect("sqlite::memory:").await.unwrap();
    assert_eq!(assert_queries!(3, page(db, 2)), 2);
    assert_queries!(<= 3, page(db, 2));
    assert_queries!(<= 3, page(db, 0));
    assert_queries!(1..=3, page(db, 2));
    assert_queries!(1..4, page(db, 2));
    assert_queries!(2.., page(db, 2));

    let failing = [
        (failure(async { assert_queries!(2, page(db, 2)) }).await, "exactly 2"),
        (failure(async { assert_queries!(4, page(db, 2)) }).await, "exactly 4"),
        (failure(async { assert_queries!(<= 2, page(db, 2)) }).await, "at most 2"),
        (failure(async { assert_queries!(1..=2, page(db, 2)) }).await, "1 to 2"),
        (failure(async { assert_queries!(1..3, page(db, 2)) }).await, "1 to less than 3"),
        (failure(async { assert_queries!(4.., page(db, 2)) }).await, "at least 4"),
    ];
    for (text, expected) in failing {
        let text = text.unwrap_or_else(|| panic!("{expected} passed"));
        let head = format!("expected {expected} of the queries to run\n`measured code` ran 3 queries, ");
        assert!(text.starts_with(&head), "{text}");
        assert!(text.contains("2        0") && text.contains("SELECT 'each'"), "{text}");
    }
}

#[tokio::test]
async fn number_of_queries_grows() {
    let db = &SqlitePool::connect("sqlite::memory:").await.unwrap();
    assert_constant_queries(async |_| {
        page(db, 3).await;
    })
    .await;
    // Fewer is not growth: the first run may fill a cache.
    assert_constant_queries(async |n| {
        page(db, 20 - n).await;
    })
    .await;
    let line = line!() + 1;
    let text = failure(assert_constant_queries(async |n| {
        page(db, n).await;
    }))
    .await
    .unwrap();
    let expected = format!(
        "the number of queries grows with that of elements: 3 for 2, 11 for 10
  --> {}:{line}:24

  2 times, then 10 times: SELECT 'each'
      at src/page.rs:7:9",
        file!()
    );
    assert_eq!(text, expected);
}
