//! Slow statements and requests, and repeated statements, are reported as events, in tiers and without
//! values.

use std::convert::Infallible;
use std::sync::{Mutex, Once};
use std::time::Duration;

use futures_util::FutureExt;
use http::{Request, Response};
use query_budget::__private::{Site, query};
use query_budget::{RequestLayer, Settings, Tiers, configure, scope};
use query_budget_tests::{with_mysql, with_postgres};
use sqlx::AssertSqlSafe;
use tokio::sync::Notify;
use tower::{Layer as _, ServiceExt, service_fn};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// The events of this project, one per line: level, target, fields in order.
static EVENTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Recorder;

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let target = event.metadata().target();
        if target.starts_with("query_budget::") {
            let mut line = Line(format!("{} {target}", event.metadata().level()));
            event.record(&mut line);
            EVENTS.lock().unwrap().push(line.0);
        }
    }
}

struct Line(String);

impl Visit for Line {
    fn record_f64(&mut self, field: &Field, value: f64) {
        assert!(value >= 0.0, "{field}");
        self.0 += &format!(" {field}=[time]");
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0 += &format!(" {field}={value:?}");
    }
}

fn subscribe() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing_subscriber::registry().with(query_budget::layer()).with(Recorder).init());
}

/// Removes and returns the events that contain the text.
fn told(text: &str) -> Vec<String> {
    EVENTS.lock().unwrap().extract_if(.., |line| line.contains(text)).collect()
}

macro_rules! cases {
    ($slow:literal, $raw:literal) => {
        pub(crate) async fn statements<DB>(db: sqlx::Pool<DB>)
        where
            DB: sqlx::Database,
            DB::Arguments: sqlx::IntoArguments<DB>,
            for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
        {
            static SLOW: Site = Site::new($slow, 1, "src/slow.rs", 7, 3);
            slow_from(Duration::from_millis(100));
            query(&SLOW).fetch_all(&db).await.unwrap();
            let site = told("site=\"src/slow.rs:7:3\"");
            let expected = format!(
                "WARN query_budget::slow message=slow statement statement=\"{}\" site=\"src/slow.rs:7:3\" rows=1 \
                 elapsed_ms=[time]",
                $slow
            );
            assert_eq!(site, [expected]);
            // A statement built at run time may contain values, and is reported after sqlx has finished with
            // it.
            scope("raw")
                .run(async {
                    let raw = format!($raw, "'a secret'", 4711);
                    sqlx::query(AssertSqlSafe(raw)).fetch_all(&db).await.unwrap();
                })
                .await;
            let raw = told("rows=1");
            assert!(
                matches!(&raw[..], [line] if line.starts_with("WARN query_budget::slow") && line.contains("site=\"\"")),
                "{raw:?}"
            );
            assert!(!raw[0].contains("secret") && !raw[0].contains("4711"), "{raw:?}");
            configure(Settings::default());
        }
    };
}

/// The three share the events, so they run one after the other.
#[tokio::test(flavor = "multi_thread")]
async fn slow_statements() {
    subscribe();
    sqlite::statements(sqlx::SqlitePool::connect("sqlite::memory:").await.unwrap()).await;
    if cfg!(has_postgres) {
        with_postgres(postgres::statements).await;
    }
    if cfg!(has_mysql) {
        with_mysql(mysql::statements).await;
    }
    repeated_statements().await;
    slow_requests().await;
    requests_given_up().await;
    budgets_gone_over().await;
    tiers().await;
}

mod postgres {
    use super::*;
    cases!("SELECT pg_sleep(0.15)", "SELECT pg_sleep(0.15), {}, {}");
}

mod mysql {
    use super::*;
    cases!("SELECT SLEEP(0.15)", "SELECT SLEEP(0.15), {}, {}");
}

mod sqlite {
    use super::*;

    /// SQLite cannot sleep: it counts until it is slow on any machine.
    pub(crate) async fn statements(db: sqlx::SqlitePool) {
        const COUNT: &str = "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 100000) SELECT count(*) FROM c";
        static SLOW: Site = Site::new(COUNT, 1, "src/slow.rs", 9, 3);
        slow_from(Duration::from_millis(1));
        query(&SLOW).fetch_all(&db).await.unwrap();
        let lines = told("site=\"src/slow.rs:9:3\"");
        assert!(
            matches!(&lines[..], [line] if line.starts_with("WARN ") && line.contains("rows=1")),
            "{lines:?}"
        );
        scope("raw")
            .run(async {
                let raw = format!("{COUNT} WHERE 'a secret' <> '4711'");
                sqlx::query(AssertSqlSafe(raw)).fetch_all(&db).await.unwrap();
            })
            .await;
        let raw = told("rows=1");
        assert!(
            matches!(&raw[..], [line] if line.contains("WHERE ? <> ?") && line.contains("LIMIT ?)")),
            "{raw:?}"
        );
        configure(Settings::default());
    }
}

fn slow_from(time: Duration) {
    let mut settings = Settings::default();
    settings.slow_statement.info = None;
    settings.slow_statement.warn = Some(time);
    settings.slow_statement.error = None;
    configure(settings);
}

async fn repeated_statements() {
    static LOGS: Site =
        Site::new("SELECT output\n  FROM (SELECT 1 AS output) WHERE output = $1", 1, "src/logs.rs", 2, 5);
    let db = sqlx::SqlitePool::connect("sqlite::memory:").await.unwrap();
    let page = |name: &'static str, differ: bool, times: i64| {
        let db = db.clone();
        scope(name).run(async move {
            // What is inside another scope is reported once, by the outermost.
            scope("inner")
                .run(async {
                    for turn in 0..times {
                        query(&LOGS).bind(if differ { turn } else { 8 }).fetch_all(&db).await.unwrap();
                    }
                })
                .await;
        })
    };
    page("twice", true, 2).await;
    page("page", true, 3).await;
    page("page", false, 4).await;
    let line = |times: usize, parameters: &str| {
        format!(
            "WARN query_budget::n_plus_one message=repeated statement scope=\"page\" \
             statement=\"SELECT output FROM (SELECT 1 AS output) WHERE output = $1\" site=\"src/logs.rs:2:5\" \
             times={times} elapsed_ms=[time] parameters=\"{parameters}\""
        )
    };
    assert_eq!(told("n_plus_one"), [line(3, "different"), line(4, "same")]);
    let mut settings = Settings::default();
    settings.repeated = 5;
    configure(settings);
    page("page", true, 4).await;
    assert_eq!(told("n_plus_one"), Vec::<String>::new());
    configure(Settings::default());
}

/// The thresholds for a request that make each level certain; whatever takes no time is slow from zero.
fn requests() -> [(Tiers, Option<&'static str>); 3] {
    let (zero, never) = (Duration::ZERO, Tiers::NEVER);
    [(never, None), (never.warn(zero), Some("WARN")), (never.warn(zero).error(zero), Some("ERROR"))]
}

fn slow_requests_are(tiers: Tiers) {
    let mut settings = Settings::default();
    settings.slow_request = tiers;
    configure(settings);
}

async fn slow_requests() {
    let answers = service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(())) });
    let layer = RequestLayer::new().named(|method, _| format!("{method} /users/{{id}}"));
    for (tiers, level) in requests() {
        slow_requests_are(tiers);
        let request = Request::get("/users/4711").body(()).unwrap();
        layer.layer(answers).oneshot(request).await.unwrap();
        let expected = level.map(|level| {
            format!(
                "{level} query_budget::slow message=slow request request=\"GET /users/{{id}}\" queries=0 \
                 query_ms=[time] elapsed_ms=[time]"
            )
        });
        assert_eq!(told("slow request"), Vec::from_iter(expected), "{tiers:?}");
    }
    configure(Settings::default());
}

/// A request that the client abandons is reported too, if it was slow.
async fn requests_given_up() {
    let endless = service_fn(|_: Request<()>| std::future::pending::<Result<Response<()>, Infallible>>());
    for (tiers, level) in requests() {
        slow_requests_are(tiers);
        assert!(RequestLayer::new().layer(endless).oneshot(Request::new(())).now_or_never().is_none());
        let expected = level.map(|level| {
            format!(
                "{level} query_budget::slow message=slow request, cancelled request=\"GET request\" queries=0 \
                 query_ms=[time] elapsed_ms=[time]"
            )
        });
        assert_eq!(told("slow request"), Vec::from_iter(expected), "{tiers:?}");
    }
    configure(Settings::default());
}

/// If a budget does not panic it is an event: here, because the scope is dropped before its end.
async fn budgets_gone_over() {
    static ONE: Site = Site::new("SELECT 1", 1, "src/over.rs", 1, 1);
    let db = sqlx::SqlitePool::connect("sqlite::memory:").await.unwrap();
    let ran = Notify::new();
    let endless = scope("page").max(0).run(async {
        query(&ONE).execute(&db).await.unwrap();
        ran.notify_one();
        std::future::pending::<()>().await;
    });
    tokio::select! {
        () = endless => panic!("it has no end"),
        () = ran.notified() => {}
    }
    let lines = told("query_budget::over");
    let [line] = &lines[..] else { panic!("{lines:?}") };
    let begins = "WARN query_budget::over message=over budget scope=\"page\" site=";
    let report = "report=`page` ran 1 query before it was cancelled; its budget is 0";
    assert!(
        line.starts_with(begins) && line.contains(" queries=1 rows=0 ") && line.contains(report),
        "{line}"
    );
}

async fn tiers() {
    static ONE: Site = Site::new("SELECT 1", 1, "src/one.rs", 1, 1);
    let db = sqlx::SqlitePool::connect("sqlite::memory:").await.unwrap();
    let zero = Duration::ZERO;
    for (info, warn, error, level) in [
        (Some(zero), None, None, "INFO "),
        (Some(zero), Some(zero), None, "WARN "),
        (None, Some(zero), Some(zero), "ERROR "),
    ] {
        let mut settings = Settings::default();
        settings.slow_statement = Tiers::NEVER;
        settings.slow_statement.info = info;
        settings.slow_statement.warn = warn;
        settings.slow_statement.error = error;
        configure(settings);
        query(&ONE).execute(&db).await.unwrap();
        let lines = told("src/one.rs");
        assert!(matches!(&lines[..], [line] if line.starts_with(level)), "{lines:?}");
    }
    let mut settings = Settings::default();
    settings.slow_statement = Tiers::NEVER;
    configure(settings);
    query(&ONE).execute(&db).await.unwrap();
    assert_eq!(told("src/one.rs"), Vec::<String>::new());
    configure(Settings::default());
}
