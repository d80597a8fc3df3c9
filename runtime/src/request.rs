//! [`RequestLayer`]: a scope for each request of a service, and response headers about its queries.

use std::fmt::{self, Debug, Formatter};
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Extensions, Method, Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

#[cfg(feature = "tracing")]
use crate::counting::slow;
use crate::counting::{Ending, OpenScope, Scoped, fail, scope};
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
/// The scope ends with the response's head: queries that run while a body is streamed are neither in the
/// headers nor in the budget. Give a stream a scope of its own with
/// [`Scope::run_stream`](crate::Scope::run_stream).
///
/// If a request exceeds its budget in a build that panics (debug builds, unless `QUERY_BUDGET` or the
/// settings say otherwise), the answer is status 500 with the report as its body, on axum with the feature
/// `axum`. So it is if a function that the request calls exceeds a budget of its own, then without the headers above.
/// With bodies of other types it panics, and most servers close the connection. With
/// `QUERY_BUDGET=log`, and in release builds without the feature `enforce`, the report is an event or a line
/// on stderr.
///
/// With the feature `tracing` a slow request is reported as an event, with its name and the number of its
/// queries, even if the client has abandoned it; so is a statement that it repeated; see
/// [`Settings`](crate::Settings). With `stats` and `metrics` its time is recorded under its name.
///
/// ```
/// use query_budget::RequestLayer;
///
/// // axum::Router::new().route("/dashboard", get(dashboard)).layer(RequestLayer::new().max(20))
/// let layer = RequestLayer::new().max(20);
/// # let _ = layer;
/// ```
#[derive(Clone)]
pub struct RequestLayer {
    limits: Limits,
    location: &'static Location<'static>,
    name: Name,
    has_headers: bool,
}

/// Returns the name of a request.
type Name = Arc<dyn Fn(&Method, &Extensions) -> String + Send + Sync>;

impl Debug for RequestLayer {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestLayer").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Default for RequestLayer {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl RequestLayer {
    /// A scope for each request, without limits. Its place in reports is the place of this call.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        let name = Arc::new(|method: &Method, extensions: &Extensions| name(known(method), extensions));
        Self { limits: Limits::default(), location: Location::caller(), name, has_headers: true }
    }

    /// Omits the response headers, if a proxy or a browser must not see what a request queried.
    #[must_use]
    pub fn without_headers(mut self) -> Self {
        self.has_headers = false;
        self
    }

    /// Sets the names of requests in reports, events and statistics, instead of `GET request` or, with the
    /// feature `axum`, the matched route, as in `GET /users/{id}`. Use the name of the route, not the path
    /// itself, which may contain values and is unlimited. A method that is not a standard one is given as `OTHER`, because
    /// clients may make up any number of them.
    ///
    /// ```
    /// # #[derive(Clone)] struct Route(&'static str);
    /// let layer = query_budget::RequestLayer::new().named(|method, extensions| {
    ///     let route = extensions.get::<Route>().map_or("?", |route| route.0);
    ///     format!("{method} {route}")
    /// });
    /// # let _ = layer;
    /// ```
    #[must_use]
    pub fn named(mut self, name: impl Fn(&Method, &Extensions) -> String + Send + Sync + 'static) -> Self {
        self.name = Arc::new(move |method: &Method, extensions: &Extensions| {
            if is_known(method) {
                return name(method, extensions);
            }
            match Method::from_bytes(OTHER.as_bytes()) {
                Ok(other) => name(&other, extensions),
                Err(_) => OTHER.to_owned(),
            }
        });
        self
    }

    /// The maximum number of queries per request.
    #[must_use]
    pub fn max(mut self, queries: usize) -> Self {
        self.limits.queries = Some(queries);
        self
    }

    /// The maximum number of rows fetched per request.
    #[must_use]
    pub fn rows(mut self, rows: usize) -> Self {
        self.limits.rows = Some(rows);
        self
    }

    /// The maximum time spent in queries per request.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Self {
        self.limits.time = Some(time);
        self
    }

    /// The maximum number of executions of each statement per request.
    #[must_use]
    pub fn repeats(mut self, times: usize) -> Self {
        self.limits.repeats = Some(times);
        self
    }
}

/// The name of a request: its route, if known. The path itself may contain values.
fn name(method: &str, extensions: &Extensions) -> String {
    #[cfg(feature = "axum")]
    if let Some(route) = extensions.get::<axum::extract::MatchedPath>() {
        return format!("{method} {}", route.as_str());
    }
    let _ = extensions;
    format!("{method} request")
}

/// The name of all methods that are not standard ones.
const OTHER: &str = "OTHER";

/// A standard method as it is, any other as [`OTHER`]: a client may make up any number of them.
fn known(method: &Method) -> &str {
    if is_known(method) { method.as_str() } else { OTHER }
}

fn is_known(method: &Method) -> bool {
    let standard = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
        Method::CONNECT,
        Method::PATCH,
        Method::TRACE,
    ];
    standard.contains(method)
}

impl<S> Layer<S> for RequestLayer {
    type Service = RequestService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        RequestService { inner, layer: self.clone() }
    }
}

/// A service that runs each request in a scope. Made by [`RequestLayer`].
#[derive(Clone, Debug)]
pub struct RequestService<S> {
    inner: S,
    layer: RequestLayer,
}

impl<S, B, R> Service<Request<B>> for RequestService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: 'static,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = RequestFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let RequestLayer { limits, location, name, has_headers } = &self.layer;
        let name = name(request.method(), request.extensions());
        let scope = scope(name).at(location).limited(*limits).read();
        let started = Instant::now();
        let response = Scoped::new(scope, self.inner.call(request));
        RequestFuture { response, started, has_headers: *has_headers }
    }
}

pin_project! {
    /// The response to a request in its scope, with the headers about it.
    #[must_use = "futures do nothing unless polled"]
    pub struct RequestFuture<F> {
        #[pin]
        response: Scoped<F>,
        started: Instant,
        has_headers: bool,
    }

    impl<F> PinnedDrop for RequestFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            // Requests that clients abandon are often the slowest.
            #[cfg(feature = "tracing")]
            if let Some(scope) = this.as_ref().get_ref().response.open() {
                slow::request(&scope.report(), this.started.elapsed(), Ending::Cancelled);
            }
            let _ = this;
        }
    }
}

crate::macros::debug_without_inner!(RequestFuture);

impl<F, R, E> Future for RequestFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: 'static,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = match polled(this.response, context) {
            Ok(polled) => polled,
            Err(refusal) => return Poll::Ready(Ok(*refusal)),
        };
        polled.map(|(response, scope)| {
            let (report, elapsed) = (scope.report(), this.started.elapsed());
            #[cfg(feature = "tracing")]
            slow::request(&report, elapsed, Ending::Finished);
            // Whatever the service returns, an error too.
            let response = match scope.verdict(Ending::Finished) {
                Some(over) => Ok(refusal(over.to_string()).unwrap_or_else(|| fail(&over))),
                None => response,
            };
            response.map(|mut response| {
                if *this.has_headers {
                    set_headers(response.headers_mut(), &report, elapsed);
                }
                response
            })
        })
    }
}

/// A poll of a service's response in the scope of its request.
type Polled<F> = Poll<(<F as Future>::Output, Box<OpenScope>)>;

/// Polls the response. If a function in it panics because it is over its budget, returns the refusal.
fn polled<F: Future, R: 'static>(
    response: Pin<&mut Scoped<F>>,
    context: &mut Context<'_>,
) -> Result<Polled<F>, Box<Response<R>>> {
    #[cfg(feature = "axum")]
    {
        use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

        // What has panicked is not polled again.
        catch_unwind(AssertUnwindSafe(|| response.poll(context))).map_err(|panic| {
            let refusal = crate::counting::failed(&*panic).and_then(refusal);
            refusal.map(Box::new).unwrap_or_else(|| resume_unwind(panic))
        })
    }
    #[cfg(not(feature = "axum"))]
    Ok(response.poll(context))
}

/// The response to a request over its budget; `None` if its body cannot be built.
fn refusal<R: 'static>(over: String) -> Option<Response<R>> {
    #[cfg(feature = "axum")]
    {
        let body: Box<dyn std::any::Any> = Box::new(axum::body::Body::from(over));
        let mut response = Response::new(*body.downcast::<R>().ok()?);
        *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(http::header::CONTENT_TYPE, text);
        Some(response)
    }
    #[cfg(not(feature = "axum"))]
    {
        let _ = over;
        None
    }
}

fn set_headers(headers: &mut HeaderMap, report: &Report, elapsed: Duration) {
    let mut set = |name: &'static str, value: String| {
        // Only digits and words of ours: always a valid value.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    let total = milliseconds(elapsed);
    let (count, time) = (report.queries(), milliseconds(report.time()));
    let timing = format!("db;desc=\"queries: {count}\";dur={time}, total;dur={total}");
    set("x-process-time", total);
    set("x-query-count", count.to_string());
    set("x-query-time", time);
    // In addition to what the service itself sets.
    if let Ok(timing) = HeaderValue::try_from(timing) {
        headers.append(HeaderName::from_static("server-timing"), timing);
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64() * 1e3)
}
