//! Pages by key, on a real MariaDB server.

#[path = "../batch/database.rs"]
mod database;
#[path = "../../../walk.rs"]
mod walk;

use query_budget::{Page, PageError, PageRequest, sql_page_as};
use sqlx::MySqlPool;

use database::with_database;
use walk::walk;

/// Inserts 137 rows; groups of five share the same time.
async fn fill(db: &MySqlPool) {
    sqlx::raw_sql(
        "INSERT INTO articles (author_id, title, created_at)
         WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 136)
         SELECT n % 2, CONCAT('title ', n * 37 % 137), TIMESTAMPADD(MICROSECOND, 123456, TIMESTAMPADD(SECOND, n DIV 5, '2026-01-01 00:00:00')) FROM numbers",
    )
    .execute(db)
    .await
    .unwrap();
}

/// The keys of all rows, in the order of the statement.
async fn all(db: &MySqlPool, sql: &'static str) -> Vec<i64> {
    sqlx::query_scalar(sql).fetch_all(db).await.unwrap()
}

/// The ids of a page's rows.
fn ids<T>(page: Page<(i64, T)>) -> Page<i64> {
    page.map(|row| row.0)
}

#[tokio::test]
async fn every_order_is_walked_in_both_directions() {
    with_database("pages_walk", async |db| {
        fill(&db).await;
        let expect = all(&db, "SELECT id FROM articles ORDER BY id").await;
        walk(&expect, async |request| {
            let page = sql_page_as!((i64, String), "SELECT id, title FROM articles ORDER BY id");
            page.sizes(10, 100).fetch_page(&db, request).await.map(ids)
        })
        .await;
        let expect = all(&db, "SELECT id FROM articles WHERE author_id = 1 OR author_id = 5 ORDER BY created_at DESC, id DESC").await;
        walk(&expect, async |request| {
            let page = sql_page_as!(
                (i64, sqlx::types::chrono::NaiveDateTime),
                "SELECT id, created_at FROM articles WHERE author_id = ? OR author_id = 5 ORDER BY created_at DESC, id DESC",
                1_i64
            );
            page.sizes(7, 100).fetch_page(&db, request).await.map(ids)
        })
        .await;
        let expect = all(&db, "SELECT id FROM articles ORDER BY created_at DESC, id").await;
        walk(&expect, async |request| {
            let page = sql_page_as!(
                (i64, sqlx::types::chrono::NaiveDateTime),
                "SELECT id, created_at FROM articles ORDER BY created_at DESC, id"
            );
            page.sizes(3, 100).fetch_page(&db, request).await.map(ids)
        })
        .await;
        let expect = all(&db, "SELECT id FROM articles ORDER BY title DESC, id").await;
        walk(&expect, async |request| {
            let page = sql_page_as!((i64, String), "SELECT id, title FROM articles ORDER BY title DESC, id");
            page.sizes(136, 500).fetch_page(&db, request).await.map(ids)
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_cursor_of_another_query_or_none_at_all_is_an_error() {
    with_database("pages_cursor", async |db| {
        fill(&db).await;
        let by_id = async |request: &PageRequest| {
            let page = sql_page_as!((i64, String), "SELECT id, title FROM articles ORDER BY id");
            page.fetch_page(&db, request).await.map(ids)
        };
        let by_title = async |request: &PageRequest| {
            let page = sql_page_as!((i64, String), "SELECT id, title FROM articles ORDER BY title, id");
            page.fetch_page(&db, request).await.map(ids)
        };
        let next = by_id(&PageRequest::first()).await.unwrap().next.unwrap();
        assert!(by_id(&PageRequest::after(next.as_str())).await.is_ok());
        assert!(matches!(by_title(&PageRequest::after(next.as_str())).await, Err(PageError::Cursor)));
        for hostile in ["", "'; DROP TABLE articles; --", "AAAA", "1", &next[1..], &"A".repeat(100_000)] {
            assert!(
                matches!(by_id(&PageRequest::before(hostile)).await, Err(PageError::Cursor)),
                "{hostile}"
            );
        }
        // Sizes: 50 by default, no more than the maximum, at least 1.
        assert_eq!(by_id(&PageRequest::first()).await.unwrap().rows.len(), 50);
        assert_eq!(by_id(&PageRequest::first().size(0)).await.unwrap().rows.len(), 1);
        assert_eq!(by_id(&PageRequest::first().size(u32::MAX)).await.unwrap().rows.len(), 137);
        let page = sql_page_as!((i64, String), "SELECT id, title FROM articles ORDER BY id").sizes(20, 30);
        assert_eq!(page.fetch_page(&db, &PageRequest::first().size(90)).await.unwrap().rows.len(), 30);
        sqlx::raw_sql("DELETE FROM articles").execute(&db).await.unwrap();
        let empty = by_id(&PageRequest::first()).await.unwrap();
        assert_eq!((empty.rows.len(), empty.next, empty.previous), (0, None, None));
    })
    .await;
}
