//! Spans of queries and scopes for OpenTelemetry, plans of slow statements, waits for connections as events,
//! and the trace as a comment after a query.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use query_budget::__private::{Site, query};
use query_budget::{Settings, Tiers, configure, measure, scope, watch_pool};
use query_budget_tests::with_postgres;
use sqlx::{Postgres, Sqlite};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// Events and the spans of `otel`, one per line; fields recorded later as separate lines.
static SEEN: OnceLock<Arc<Mutex<Vec<String>>>> = OnceLock::new();

struct Lines(Arc<Mutex<Vec<String>>>);

#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let parent = context.span(id).and_then(|span| Some(span.parent()?.name()));
        let (target, parent) = (attributes.metadata().target(), parent.unwrap_or("-"));
        self.0.lock().unwrap().push(format!("{target} in {parent}:{}", fields.0));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        let name = context.span(id).map_or("", |span| span.name());
        self.0.lock().unwrap().push(format!("{name}:{}", fields.0));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.0.lock().unwrap().push(format!("{}:{}", event.metadata().target(), fields.0));
    }
}

/// All tests of this file share the subscriber and look for their own entries.
fn seen(of: &str) -> Vec<String> {
    let lines = SEEN.get_or_init(|| {
        let lines = Arc::default();
        tracing_subscriber::registry().with(query_budget::layer()).with(Lines(Arc::clone(&lines))).init();
        lines
    });
    lines.lock().unwrap().iter().filter(|line| line.contains(of)).cloned().collect()
}

#[track_caller]
fn one(of: &str, parts: &[&str]) -> String {
    let lines = seen(of);
    let found: Vec<_> = lines.iter().filter(|line| parts.iter().all(|part| line.contains(part))).collect();
    let [line] = found[..] else { panic!("{} of {of} with {parts:?}: {lines:#?}", found.len()) };
    line.clone()
}

#[tokio::test]
async fn queries_and_scopes_are_spans() {
    static SELECT: Site = Site::new("SELECT 'a span'", 1, "src/span.rs", 3, 1);
    static FAILS: Site = Site::new("SELECT no_such_column", 1, "src/fails.rs", 4, 1);
    seen("");
    let db = sqlx::SqlitePool::connect("sqlite::memory:").await.unwrap();
    scope("traced page")
        .run(async {
            query::<Sqlite>(&SELECT).fetch_all(&db).await.unwrap();
            query::<Sqlite>(&FAILS).fetch_all(&db).await.unwrap_err();
        })
        .await;
    let page = one("query_budget::otel", &["traced page"]);
    assert!(page.contains("otel.kind=\"internal\""), "{page}");
    let select = one("query_budget::otel in scope", &["'a span'"]);
    for part in [
        "otel.kind=\"client\"",
        "otel.name=\"SELECT\"",
        "db.query.text=\"SELECT 'a span'\"",
        "code.line.number=3",
    ] {
        assert!(select.contains(part), "{part} in {select}");
    }
    assert!(seen("query:").iter().any(|line| line.contains("db.system.name=\"sqlite\"")));
    assert!(seen("query:").iter().any(|line| line.contains("db.response.returned_rows=1")));
    assert!(seen("query:").iter().any(|line| line.contains("error.type=\"_OTHER\"")));
    assert!(seen("scope:").iter().any(|line| line.contains("queries=2")));
}

/// A single test, because the settings for slow belong to the process.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn plans_and_waits_are_told() {
    static SLOW: Site =
        Site::new("SELECT n FROM planned WHERE n = $1 AND pg_sleep(0) IS NOT NULL", 1, "src/slow.rs", 1, 1);
    static SLOW_WRITE: Site = Site::new("DELETE FROM planned WHERE n = 7", 1, "src/write.rs", 1, 1);
    static WAITS: Site = Site::new("SELECT 'waits'", 1, "src/waits.rs", 1, 1);
    seen("");
    let mut settings = Settings::default();
    settings.slow_statement = Tiers::NEVER.info(Duration::ZERO);
    settings.slow_connection = Tiers::NEVER.warn(Duration::from_millis(10));
    configure(settings);
    with_postgres(async |db| {
        let options = sqlx::postgres::PgPoolOptions::new().max_connections(1);
        // Long enough for the first connection on a busy machine.
        let options = options.acquire_timeout(Duration::from_secs(2));
        let db = options.connect_with((*db.connect_options()).clone()).await.unwrap();
        let _watched = watch_pool("traced", &db);
        sqlx::raw_sql("CREATE TABLE planned (n int); INSERT INTO planned VALUES (1)")
            .execute(&db)
            .await
            .unwrap();
        for _ in 0..2 {
            query::<Postgres>(&SLOW).bind(1).fetch_all(&db).await.unwrap();
        }
        query::<Postgres>(&SLOW_WRITE).execute(&db).await.unwrap();
        for _ in 0..100 {
            if !seen("plan of a slow statement").is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let plan = one("plan of a slow statement", &["src/slow.rs"]);
        assert!(plan.contains("Seq Scan on planned"), "{plan}");
        assert!(seen("plan of a slow statement").iter().all(|line| !line.contains("src/write.rs")));

        let held = db.acquire().await.unwrap();
        query::<Postgres>(&WAITS).execute(&db).await.unwrap_err();
        let told = one("query_budget::pool", &["no connection", "src/waits.rs"]);
        assert!(told.contains("traced: 1 of 1 in use"), "{told}");
        drop(query_budget::stats());
        one("pool exhausted", &["traced"]);
        drop(held);
        // One that does not give up, however long the machine pauses.
        let options = sqlx::postgres::PgPoolOptions::new().max_connections(1);
        let db = options.connect_with((*db.connect_options()).clone()).await.unwrap();
        let held = db.acquire().await.unwrap();
        let late = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(held);
        };
        futures_util::future::join(late, query::<Postgres>(&WAITS).execute(&db)).await.1.unwrap();
        one("query_budget::pool", &["waited for a connection", "src/waits.rs"]);
    })
    .await;
}

/// The server sees the trace, the layer counts the query once, and the connection does not cache its
/// statement.
#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn the_trace_is_a_comment() {
    static ACTIVE: Site = Site::new(
        "SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()",
        1,
        "src/active.rs",
        1,
        1,
    );
    static KEPT: Site = Site::new("SELECT count(*) FROM pg_prepared_statements", 1, "src/kept.rs", 1, 1);
    seen("");
    with_postgres(async |db| {
        let mut connection = db.acquire().await.unwrap();
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        query_budget::set_trace_context(move || Some(trace.to_owned()));
        let (row, report) = measure(query::<Postgres>(&ACTIVE).fetch_one(&mut *connection)).await;
        let text: String = sqlx::Row::get(&row.unwrap(), 0);
        assert!(text.ends_with(&format!("/*traceparent='{trace}'*/")), "{text}");
        assert_eq!(report.queries(), 1, "{report}");
        // By the executor's own method, whose rows only the layer sees.
        let (_, report) =
            measure(sqlx::Executor::fetch_all(&mut *connection, query::<Postgres>(&ACTIVE))).await;
        assert_eq!((report.queries(), report.rows(), report.statements().len()), (1, 1, 1), "{report}");
        query_budget::reset_trace_context();
        let row = query::<Postgres>(&KEPT).fetch_one(&mut *connection).await.unwrap();
        assert_eq!(sqlx::Row::get::<i64, _>(&row, 0), 1, "itself alone");
    })
    .await;
}
