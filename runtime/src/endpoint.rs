//! [`StatsService`]: the data of a dashboard, as JSON at an endpoint.

use std::convert::Infallible;
use std::fmt::{self, Debug, Formatter};
use std::future::ready;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use serde_json::Value;
use tower_service::Service;

type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

#[cfg(feature = "sqlx")]
type Server = std::sync::Arc<dyn Fn() -> Answer<Value> + Send + Sync>;

/// Answers `GET` with [`stats()`](crate::stats()) as JSON: statements and scopes with their percentiles, the slowest, pools,
/// waits for connections, caches. Made by [`stats_service`].
#[derive(Clone)]
pub struct StatsService {
    #[cfg(feature = "sqlx")]
    server: Option<Server>,
}

/// A service that returns the data of a dashboard.
///
/// It reveals the text of statements and the names of tables: put it behind the authentication of your
/// operators' pages.
///
/// ```
/// // axum::Router::new().route_service("/internal/stats", query_budget::stats_service().with_server(&pool))
/// let service = query_budget::stats_service();
/// # let _ = service;
/// ```
#[must_use]
pub fn stats_service() -> StatsService {
    StatsService {
        #[cfg(feature = "sqlx")]
        server: None,
    }
}

#[cfg(feature = "sqlx")]
impl StatsService {
    /// Requests with `?server` also return the [`server_stats`](crate::server_stats) of this pool, as
    /// `server`.
    #[must_use]
    pub fn with_server<DB: crate::ServerViews>(mut self, pool: &sqlx::Pool<DB>) -> Self {
        let pool = pool.clone();
        self.server = Some(std::sync::Arc::new(move || {
            let pool = pool.clone();
            Box::pin(async move {
                match crate::server_stats(&pool).await {
                    Ok(stats) => crate::stats::server_json(&stats),
                    Err(error) => serde_json::json!({ "error": error.to_string() }),
                }
            })
        }));
        self
    }

    fn server(&self, query: &str) -> Option<Answer<Value>> {
        let is_asked = query.split('&').any(|part| part == "server" || part.starts_with("server="));
        self.server.as_ref().filter(|_| is_asked).map(|server| server())
    }
}

#[cfg(not(feature = "sqlx"))]
impl StatsService {
    fn server(&self, _: &str) -> Option<Answer<Value>> {
        None
    }
}

impl Debug for StatsService {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatsService").finish_non_exhaustive()
    }
}

impl<B> Service<Request<B>> for StatsService {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Answer<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = Response::new(String::new());
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response.headers_mut().insert(http::header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return Box::pin(ready(Ok(response)));
        }
        let server = self.server(request.uri().query().unwrap_or_default());
        Box::pin(async move {
            let mut stats = crate::stats::json(&crate::stats());
            if let Some(server) = server
                && let Value::Object(stats) = &mut stats
            {
                stats.insert("server".to_owned(), server.await);
            }
            let mut response = Response::new(stats.to_string());
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Ok(response)
        })
    }
}
