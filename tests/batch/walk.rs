//! The walk through all pages of a query, for the tests of each database.

use query_budget::{Page, PageError, PageRequest};

/// Walks through all pages, forward from the first and backward from the last, and compares them with all
/// rows.
pub(crate) async fn walk(expect: &[i64], page: impl AsyncFn(&PageRequest) -> Result<Page<i64>, PageError>) {
    let mut seen = Vec::new();
    let mut request = PageRequest::first();
    loop {
        let found = page(&request).await.unwrap();
        assert_eq!(found.previous.is_none(), seen.is_empty());
        seen.extend(found.rows);
        let Some(next) = found.next else { break };
        request = PageRequest::after(next);
    }
    assert_eq!(seen, expect);
    let mut seen: Vec<i64> = Vec::new();
    let mut request = PageRequest::last();
    let last = loop {
        let found = page(&request).await.unwrap();
        assert_eq!(found.next.is_none(), seen.is_empty());
        seen.splice(..0, found.rows);
        let Some(previous) = found.previous else { break found.next };
        request = PageRequest::before(previous);
    };
    assert_eq!(seen, expect);
    // After arriving at the first page backwards, it continues forward.
    let behind = page(&PageRequest::after(last.unwrap())).await.unwrap();
    assert!(expect.windows(behind.rows.len()).any(|rows| rows == behind.rows));
}
