//! [`RequestLayer`]: a scope for each request of a service, and headers that say what the request asked for.

use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::counting::{Budgeted, Measured, measure, scope};
use crate::report::{Limits, Report};

/// Gives each request of a service a scope, and its response these headers:
///
/// | header | holds |
/// | --- | --- |
/// | `X-Query-Count` | number of queries |
/// | `X-Query-Time` | time spent in them, in milliseconds |
/// | `X-Process-Time` | time until the response, in milliseconds |
/// | `Server-Timing` | the two times, as a browser shows them |
///
/// Queries that run while the body is streamed come after the headers and are not in them. In a release build without
/// the feature `enforce` queries are not counted, and the two headers about them are left out.
///
/// ```
/// use query_budget::RequestLayer;
///
/// // axum::Router::new().route("/dashboard", get(dashboard)).layer(RequestLayer::new().max(20))
/// let layer = RequestLayer::new().max(20);
/// # let _ = layer;
/// ```
#[derive(Clone, Debug)]
pub struct RequestLayer {
    limits: Limits,
    location: &'static Location<'static>,
}

impl Default for RequestLayer {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl RequestLayer {
    /// A scope for each request, without limits. Its place in reports is where this is called.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        Self { limits: Limits::default(), location: Location::caller() }
    }

    /// At most so many queries a request.
    #[must_use]
    pub fn max(mut self, queries: usize) -> Self {
        self.limits.queries = Some(queries);
        self
    }

    /// At most so many rows fetched a request.
    #[must_use]
    pub fn rows(mut self, rows: usize) -> Self {
        self.limits.rows = Some(rows);
        self
    }

    /// At most so much time spent in queries a request.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Self {
        self.limits.time = Some(time);
        self
    }
}

impl<S> Layer<S> for RequestLayer {
    type Service = RequestService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestService { inner, limits: self.limits, location: self.location }
    }
}

/// A service whose requests have a scope each. Made by [`RequestLayer`].
#[derive(Clone, Debug)]
pub struct RequestService<S> {
    inner: S,
    limits: Limits,
    location: &'static Location<'static>,
}

impl<S, B, R> Service<Request<B>> for RequestService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = RequestFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The path is not in the name: it may hold values.
        let mut scope = scope(format!("{} request", request.method())).at(self.location);
        if let Some(queries) = self.limits.queries {
            scope = scope.max(queries);
        }
        if let Some(rows) = self.limits.rows {
            scope = scope.rows(rows);
        }
        if let Some(time) = self.limits.time {
            scope = scope.time(time);
        }
        let response = measure(scope.run(self.inner.call(request)));
        RequestFuture { response, started: Instant::now() }
    }
}

pin_project! {
    /// The response to a request in its scope, with the headers about it.
    #[must_use = "futures do nothing unless polled"]
    pub struct RequestFuture<F> {
        #[pin]
        response: Measured<Budgeted<F>>,
        started: Instant,
    }
}

impl<F, R, E> Future for RequestFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.response.poll(context).map(|(response, report)| {
            response.map(|mut response| {
                set_headers(response.headers_mut(), &report, this.started.elapsed());
                response
            })
        })
    }
}

fn set_headers(headers: &mut HeaderMap, report: &Report, elapsed: Duration) {
    let mut set = |name: &'static str, value: String| {
        // Digits and words of ours: always a valid value.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    let total = milliseconds(elapsed);
    let mut timing = format!("total;dur={total}");
    set("x-process-time", total);
    if report.was_counted() {
        let (count, time) = (report.queries(), milliseconds(report.time()));
        timing = format!("db;desc=\"queries: {count}\";dur={time}, {timing}");
        set("x-query-count", count.to_string());
        set("x-query-time", time);
    }
    // Beside what the service itself says there.
    if let Ok(timing) = HeaderValue::try_from(timing) {
        headers.append(HeaderName::from_static("server-timing"), timing);
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64() * 1e3)
}
