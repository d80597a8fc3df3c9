//! The example services answer the same in a loop and within their budget, and their headers report the cost.

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Request, Response};
use query_budget_tests::with_postgres;
use tower::ServiceExt;

/// The answer to a request, and the number of queries in its headers.
async fn ask(service: &Router, method: &str, path: &str) -> (String, usize) {
    let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    let Ok(response) = service.clone().oneshot(request).await;
    assert!(response.status().is_success(), "{path}: {response:?}");
    let queries = header(&response, "x-query-count").parse().unwrap();
    for timed in ["x-query-time", "x-process-time"] {
        let is_spent = queries > 0 || timed == "x-process-time";
        assert_eq!(header(&response, timed).parse::<f64>().unwrap() > 0.0, is_spent, "{path}: {response:?}");
    }
    assert!(header(&response, "server-timing").contains(&format!("queries: {queries}")), "{response:?}");
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (String::from_utf8(body.to_vec()).unwrap(), queries)
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn job_runner() {
    with_postgres(|db| async move {
        job_runner::migrate(&db).await.unwrap();
        let service = job_runner::router(db.clone());
        let (looped, queries) = ask(&service, "POST", "/runs?steps=100&how=loop").await;
        assert_eq!(queries, 1 + 4 * 100);
        let (together, queries) = ask(&service, "POST", "/runs?steps=100").await;
        assert_eq!(queries, 1);
        let (expected, queries) = ask(&service, "GET", &format!("/runs/{looped}/steps?how=loop")).await;
        assert_eq!(queries, 1 + 100);
        assert!(
            expected.starts_with("[[1,\"step 1\",\"created\"],[2,") && expected.contains("[100,"),
            "{expected}"
        );
        for run in [looped, together] {
            assert_eq!(ask(&service, "GET", &format!("/runs/{run}/steps")).await, (expected.clone(), 1));
        }
        for (how, form) in job_runner::rows::Form::ALL {
            let (run, _) = ask(&service, "POST", "/runs?steps=0").await;
            let path = format!("/runs/{run}/steps?rows=1000&how={how}");
            let (added, queries) = ask(&service, "POST", &path).await;
            assert_eq!(added, "1000");
            assert_eq!(queries, if how.starts_with("loop") { 1_000 } else { 1 }, "{form:?}");
        }
        let queued: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(&db).await.unwrap();
        assert_eq!(queued, 200);
    })
    .await;
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn agent_chat() {
    with_postgres(|db| async move {
        agent_chat::migrate(&db).await.unwrap();
        agent_chat::seed(&db).await.unwrap();
        let service = agent_chat::router(db);
        let (expected, queries) = ask(&service, "GET", "/channels/7?how=loop").await;
        // Fifty messages and four workflows.
        assert_eq!(queries, 1 + 50 + 1 + 4);
        assert_eq!(ask(&service, "GET", "/channels/7").await, (expected, 2));
        let (first, queries) = ask(&service, "GET", "/channels/7/feed?how=loop&page=1").await;
        assert_eq!(queries, 1 + 20);
        let (newest, queries) = ask(&service, "GET", "/channels/7/feed").await;
        assert_eq!(queries, 2, "a page and the authors, which are cached from now on");
        let newest: serde_json::Value = serde_json::from_str(&newest).unwrap();
        let path = format!("/channels/7/feed?after={}", newest["next"].as_str().unwrap());
        let (second, queries) = ask(&service, "GET", &path).await;
        assert_eq!(queries, 1);
        let [first, second] =
            [first, second].map(|it| serde_json::from_str::<serde_json::Value>(&it).unwrap());
        assert_eq!(first["messages"], second["messages"]);
        let (shown, queries) = ask(&service, "GET", "/dashboard?how=loop").await;
        assert_eq!(queries, 26 * (4 + 4));
        for expected in [2, 0] {
            assert_eq!(ask(&service, "GET", "/dashboard").await, (shown.clone(), expected));
        }
        let (stats, queries) = ask(&service, "GET", "/performance/database").await;
        let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
        assert_eq!(queries, 2);
        assert!(stats["tables"].as_array().unwrap().iter().any(|it| it["table"] == "messages"), "{stats}");
        assert!(stats["indexes"][0]["scans"].is_i64() && stats["stats"]["statements"].is_array(), "{stats}");
    })
    .await;
}
