//! A scope does not interfere with a user's spans: values recorded to the current span reach it, and no other
//! span is visible. Each case runs in a separate process, because it matters which databases have been seen.

use std::process::{Command, Output};
use std::sync::{Arc, Mutex, OnceLock};

use query_budget::{measure, query_budget, scope, uncounted};
use query_budget_tests::with_postgres;
use sqlx::{PgPool, SqlitePool};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Instrument, Span, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// Tells the process which case to run.
const CASE: &str = "QUERY_BUDGET_TEST_SCENARIO";

fn run(case: &str) {
    let mut command = Command::new(std::env::current_exe().expect("the path of this test"));
    command.args(["--exact", "scenario", "--nocapture"]).env(CASE, case).env_remove("QUERY_BUDGET");
    let Output { status, stdout, stderr } = command.output().expect("run this test again");
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    assert!(status.success() && text.contains("the scenario has ended"), "{text}");
}

#[test]
fn sqlite() {
    run("sqlite");
}

#[test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
fn postgres() {
    run("postgres");
}

/// Not a test itself: the others run it in a separate process.
#[tokio::test(flavor = "multi_thread")]
async fn scenario() {
    match std::env::var(CASE).as_deref() {
        Ok("sqlite") => on_sqlite().await,
        Ok("postgres") => with_postgres(on_postgres).await,
        _ => return,
    }
    println!("the scenario has ended");
}

/// Created spans and recorded values, as `name` and `name.field=value`.
static SEEN: OnceLock<Arc<Mutex<Vec<String>>>> = OnceLock::new();

fn seen() -> Vec<String> {
    std::mem::take(&mut *SEEN.get().expect("subscribed").lock().unwrap())
}

fn subscribe() {
    let seen = Arc::clone(SEEN.get_or_init(Arc::default));
    // The spans of the feature `otel` are for those who enable it.
    let theirs = filter_fn(|metadata| metadata.target() != "query_budget::otel");
    tracing_subscriber::registry().with(query_budget::layer()).with(Spans(seen).with_filter(theirs)).init();
}

struct Spans(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.0.lock().unwrap().push(attributes.metadata().name().to_owned());
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let name = context.span(id).map_or("", |span| span.name());
        values.record(&mut Named(name, &self.0));
    }
}

struct Named<'a>(&'a str, &'a Mutex<Vec<String>>);

impl Visit for Named<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.1.lock().unwrap().push(format!("{}.{}={value:?}", self.0, field.name()));
    }
}

/// A function with a budget in the span of its request, which records its result.
#[query_budget(max = 3)]
async fn records(db: &SqlitePool) {
    sqlx::query("SELECT 1").execute(db).await.unwrap();
    Span::current().record("found", 7);
    sqlx::query("SELECT 2").execute(db).await.unwrap();
}

async fn on_sqlite() {
    subscribe();
    let one = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    let db = one.connect("sqlite::memory:").await.unwrap();
    let request = || tracing::info_span!("request", found = tracing::field::Empty);
    records(&db).instrument(request()).await;
    assert_eq!(seen(), ["request", "request.found=7"]);

    // Counts are still exact: for scopes side by side in one span, one after the other, nested, and next to
    // user spans inside them.
    async {
        let run = async |times: usize| {
            for _ in 0..times {
                let one = sqlx::query("SELECT 3").execute(&db);
                one.instrument(tracing::info_span!("inside")).await.unwrap();
                sqlx::query("SELECT 4").execute(&db).await.unwrap();
            }
        };
        let (((), left), ((), right)) = futures_util::future::join(measure(run(2)), measure(run(3))).await;
        assert_eq!((left.queries(), right.queries()), (4, 6), "{left} {right}");
        let ((), outer) = measure(async {
            let ((), inner) = measure(run(1)).await;
            assert_eq!(inner.queries(), 2, "{inner}");
            run(1).await;
        })
        .await;
        assert_eq!(outer.queries(), 4, "{outer}");
        let ((), moved) = measure(run(1)).instrument(tracing::info_span!("elsewhere")).await;
        assert_eq!(moved.queries(), 2, "{moved}");
    }
    .instrument(request())
    .await;

    // A stream that is half read where nothing counts, on the driver's thread after that has ended.
    let ((), report) = measure(async {
        uncounted(async {
            use futures_util::TryStreamExt;
            let series = "WITH RECURSIVE n (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT 100000) SELECT id FROM n";
            let mut rows = sqlx::query(series).fetch(&db);
            rows.try_next().await.unwrap();
        })
        .await;
        // The connection is free again once its thread has reported the statement.
        uncounted(async { sqlx::query("SELECT 5").execute(&db).await.unwrap() }).await;
    })
    .await;
    assert_eq!(report.queries(), 0, "{report}");
}

async fn on_postgres(db: PgPool) {
    subscribe();
    sqlx::query("SELECT 1").execute(&db).await.unwrap();
    seen();
    let request = tracing::info_span!("request", found = tracing::field::Empty);
    async {
        let ((), report) = measure(scope("outer").run(scope("inner").run(async {
            sqlx::query("SELECT 1").execute(&db).await.unwrap();
            Span::current().record("found", 7);
        })))
        .await;
        assert_eq!(report.queries(), 1, "{report}");
    }
    .instrument(request)
    .await;
    assert_eq!(seen(), ["request", "request.found=7"]);
}
