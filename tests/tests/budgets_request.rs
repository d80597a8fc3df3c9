//! Each request of a service has a scope, and its response reports its database access.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;

use futures_util::future::{FutureExt, join_all};
use http::{HeaderMap, Request, Response};
use query_budget::__private::{Site, query};
use query_budget::RequestLayer;
use sqlx::SqlitePool;
use tower::{Layer, Service, ServiceExt, service_fn};

static SITE: Site = Site::new("SELECT 1", 1, file!(), line!(), column!());

/// A service that runs as many queries as the body of the request says, behind the layer.
fn service(
    db: SqlitePool,
    layer: RequestLayer,
) -> impl Service<Request<usize>, Response = Response<&'static str>, Error = Infallible> + Clone {
    layer.layer(service_fn(move |request: Request<usize>| {
        let db = db.clone();
        async move {
            for _ in 0..request.into_body() {
                query(&SITE).execute(&db).await.unwrap();
                tokio::task::yield_now().await;
            }
            let response = Response::builder().header("server-timing", "cache;desc=hit");
            Ok::<_, Infallible>(response.body("done").unwrap())
        }
    }))
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_else(|| panic!("no `{name}`: {headers:?}"))
}

#[tokio::test]
async fn response_says_what_the_request_asked_for() {
    let db = SqlitePool::connect("sqlite::memory:").await.unwrap();
    let service = service(db, RequestLayer::new());
    let requests = (0..20).map(|times| service.clone().oneshot(Request::new(times)));
    for (times, response) in join_all(requests).await.into_iter().enumerate() {
        let response = response.unwrap();
        let headers = response.headers();
        assert_eq!(value(headers, "x-query-count"), times.to_string());
        let in_queries: f64 = value(headers, "x-query-time").parse().unwrap();
        let in_all: f64 = value(headers, "x-process-time").parse().unwrap();
        assert!((in_queries > 0.0) == (times > 0) && in_queries <= in_all, "{headers:?}");
        let timings: Vec<_> =
            headers.get_all("server-timing").iter().filter_map(|it| it.to_str().ok()).collect();
        let ours = format!("db;desc=\"queries: {times}\";dur=");
        assert!(
            matches!(timings[..], ["cache;desc=hit", timing] if timing.starts_with(&ours)),
            "{timings:?}"
        );
        assert_eq!(*response.body(), "done");
    }
}

#[tokio::test]
async fn request_has_a_budget() {
    let db = SqlitePool::connect("sqlite::memory:").await.unwrap();
    let service = service(db, RequestLayer::new().max(2).rows(0));
    assert!(service.clone().oneshot(Request::new(2)).await.is_ok());
    let request = Request::post("/users/4711").body(3).unwrap();
    let panic = AssertUnwindSafe(service.oneshot(request)).catch_unwind().await.map(|_| ()).unwrap_err();
    let text = panic.downcast::<String>().unwrap();
    assert!(text.starts_with("`POST request` ran 3 queries; its budget is 2\n"), "{text}");
    assert!(text.contains(&format!("--> {}:", file!())), "{text}");
    assert!(!text.contains("4711"), "{text}");
}

#[tokio::test]
async fn a_request_that_fails_has_a_budget_too() {
    let db = SqlitePool::connect("sqlite::memory:").await.unwrap();
    let service = RequestLayer::new().max(0).layer(service_fn(move |_: Request<()>| {
        let db = db.clone();
        async move {
            one(&db).await;
            Err::<Response<()>, &str>("of the service")
        }
    }));
    let panic = AssertUnwindSafe(service.oneshot(Request::new(()))).catch_unwind().await.map(|_| ());
    let text = panic.unwrap_err().downcast::<String>().unwrap();
    assert!(text.starts_with("`GET request` ran 1 query; its budget is 0\n"), "{text}");
}

#[tokio::test]
async fn a_request_over_its_budget_is_answered_with_the_report() {
    use axum::body::{Body, to_bytes};

    let db = SqlitePool::connect("sqlite::memory:").await.unwrap();
    let handler = move || async move {
        query::<sqlx::Sqlite>(&SITE).execute(&db).await.unwrap();
        "done"
    };
    let service = axum::Router::new()
        .route("/users/{id}", axum::routing::get(handler))
        .layer(RequestLayer::new().max(0));
    let request =
        |method: &str| Request::builder().method(method).uri("/users/7").body(Body::empty()).unwrap();
    let response = service.clone().oneshot(request("GET")).await.unwrap();
    assert_eq!(response.status(), 500);
    assert_eq!(value(response.headers(), "x-query-count"), "1");
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let body = String::from_utf8_lossy(&body);
    assert!(body.contains("GET /users/{id}") && body.contains("SELECT 1"), "{body}");

    let quiet = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(())) });
    let response =
        RequestLayer::new().without_headers().layer(quiet).oneshot(Request::new(())).await.unwrap();
    assert!(response.headers().is_empty(), "{:?}", response.headers());
}

/// A function of the handler has a budget of its own, or any other panic.
#[tokio::test]
async fn a_function_over_its_budget_is_answered_with_the_report_too() {
    use axum::body::{Body, to_bytes};

    let db = SqlitePool::connect("sqlite::memory:").await.unwrap();
    let handler = move |axum::extract::Path(how): axum::extract::Path<String>| async move {
        match how.as_str() {
            "direct" => load(&db).await,
            "nested" => query_budget::scope("outer").max(5).run(load(&db)).await,
            "streamed" => {
                let rows = query::<sqlx::Sqlite>(&SITE).fetch(&db);
                let rows = query_budget::scope("load").max(0).run_stream(rows);
                futures_util::StreamExt::collect::<Vec<_>>(rows).await;
            }
            _ => panic!("of something else"),
        }
        "done"
    };
    let service =
        axum::Router::new().route("/{how}", axum::routing::get(handler)).layer(RequestLayer::new().max(9));
    let ask = async |how: &str| {
        let request = Request::get(format!("/{how}")).body(Body::empty()).unwrap();
        AssertUnwindSafe(service.clone().oneshot(request)).catch_unwind().await
    };
    for how in ["direct", "nested", "streamed"] {
        let response = ask(how).await.unwrap_or_else(|_| panic!("{how}: it panics")).unwrap();
        assert_eq!(response.status(), 500, "{how}");
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let body = String::from_utf8_lossy(&body);
        assert!(body.starts_with("`load` ran 1 query; its budget is 0\n"), "{how}: {body}");
        assert_eq!(query_budget::counts(), None, "{how}: no scope is left open");
    }
    let panic = ask("panic").await.map(|_| ()).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"of something else"));
}

#[query_budget::query_budget(max = 0)]
async fn load(db: &SqlitePool) {
    one(db).await;
}

async fn one(db: &SqlitePool) {
    query::<sqlx::Sqlite>(&SITE).execute(db).await.unwrap();
}

/// A client chooses the method, so there is no limit to them.
#[tokio::test]
async fn methods_that_a_client_makes_up_have_one_name() {
    let quiet = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(())) });
    let service = RequestLayer::new().layer(quiet);
    let named = RequestLayer::new().named(|method, _| format!("{method} /named")).layer(quiet);
    for number in 0..50 {
        let request = || Request::builder().method(format!("X{number}").as_str()).body(()).unwrap();
        service.clone().oneshot(request()).await.unwrap();
        named.clone().oneshot(request()).await.unwrap();
    }
    let names: Vec<_> = query_budget::stats().scopes.into_iter().map(|scope| scope.name).collect();
    assert!(
        ["OTHER request", "OTHER /named"].iter().all(|other| names.iter().any(|name| name == other))
            && !names.iter().any(|name| name.starts_with('X')),
        "{names:?}"
    );
}
