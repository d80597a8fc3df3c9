//! A budget on a function whose raw queries are not counted is reported once; each case runs in a separate
//! process.

use std::process::{Command, Output};

use query_budget::{query_budget, sql};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Executor, PgConnection, SqlitePool};
use tower::{Layer, ServiceExt};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Tells the process which case to run.
const CASE: &str = "QUERY_BUDGET_TEST_SCENARIO";

fn run(case: &str) -> String {
    let mut command = Command::new(std::env::current_exe().expect("the path of this test"));
    command.args(["--exact", "scenario", "--nocapture"]).env(CASE, case).env_remove("QUERY_BUDGET");
    let Output { status, stdout, stderr } = command.output().expect("run this test again");
    let text = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    assert!(status.success() && text.contains("the scenario begins"), "{text}");
    text
}

const SAID: &str = "has a budget, and queries that nothing counts";

#[test]
fn raw_queries_that_nothing_counts_are_said_once() {
    let text = run("no layer");
    assert_eq!(text.matches(SAID).count(), 1, "{text}");
    let remedy = "write them with `sql!`; or add `query_budget::layer()` to the subscriber of `tracing`";
    assert!(text.contains("note: `raw` has a budget") && text.contains(remedy), "{text}");
    assert!(text.contains(&format!("--> {}:", file!())), "{text}");
}

#[test]
fn a_filter_that_hides_them_is_said() {
    let text = run("filtered");
    assert_eq!(text.matches(SAID).count(), 1, "{text}");
    let remedy = "let `sqlx::query=debug` and `query_budget::scope=trace` through the filter";
    assert!(text.contains(remedy), "{text}");
}

/// SQLite reports its statements on a separate thread: without the span of the scope they count nowhere.
#[test]
fn a_filter_that_hides_the_scopes_is_said() {
    let text = run("scopes filtered");
    assert_eq!(text.matches(SAID).count(), 1, "{text}");
    assert!(text.contains("let `query_budget::scope=trace` through the filter"), "{text}");
}

#[test]
fn connections_that_log_nothing_are_said() {
    let text = run("not logged");
    assert_eq!(text.matches(SAID).count(), 1, "{text}");
    assert!(text.contains("have the connections log their statements"), "{text}");
}

/// Whoever reads a count or sets a limit by hand is told as well.
#[test]
fn counts_that_nothing_feeds_are_said() {
    const NO_OTHERS: &str = "counts queries that are written with `sql!`, and no others";
    for (case, scope, remedy) in [
        ("measured", "measured code", "add `query_budget::layer()` to the subscriber of `tracing`"),
        ("by hand, filtered", "by hand", "let `sqlx::query=debug`"),
        ("by hand in part, filtered", "by hand", "let `sqlx::query=debug`"),
        ("request, filtered", "GET request", "let `sqlx::query=debug`"),
        ("another subscriber", "measured code", "add `query_budget::layer()`"),
        ("of the thread", "measured code", "make the subscriber the process's"),
        ("constant", "measured code", "add `query_budget::layer()`"),
        ("read inside", "read", "add `query_budget::layer()`"),
    ] {
        let text = run(case);
        assert_eq!(text.matches(NO_OTHERS).count(), 1, "{case}: {text}");
        assert!(text.contains(&format!("note: `{scope}` counts")) && text.contains(remedy), "{case}: {text}");
        assert!(text.contains(&format!("--> {}:", file!())), "{case}: {text}");
    }
}

/// Of a query that an executor is given only sqlx knows the rows and the time.
#[test]
fn rows_that_nothing_counts_are_said() {
    const NO_ROWS: &str = "counts no rows and no time of a query that was passed to an executor's own method";
    for (case, scope) in [("rows", "rows"), ("time", "time"), ("rows measured", "measured code")] {
        let text = run(case);
        assert_eq!(text.matches(NO_ROWS).count(), 1, "{case}: {text}");
        assert!(text.contains(&format!("note: `{scope}` counts no rows")), "{case}: {text}");
        assert!(text.contains("help: run it by the query's own method"), "{case}: {text}");
        assert!(text.contains(&format!("--> {}:", file!())), "{case}: {text}");
    }
    for case in ["rows, with the layer", "rows by the query", "queries"] {
        let text = run(case);
        assert!(!text.contains(NO_ROWS), "{case}: {text}");
    }
}

/// Whatever the subscriber, sqlx says nothing of a `COPY`.
#[test]
fn a_copy_that_nothing_counts_is_said() {
    let text = run("copy");
    assert_eq!(text.matches("and a `COPY` that nothing counts").count(), 1, "{text}");
    assert!(text.contains("note: `copies` has a budget") && !text.contains(SAID), "{text}");
    assert!(text.contains("help: count it: `query_budget::counted!(\"COPY ..\", future)`"), "{text}");
    let text = run("counted copy");
    assert!(!text.contains("that nothing counts"), "{text}");
}

#[test]
fn counted_queries_are_no_reason() {
    for case in ["layer", "layer, filtered as told", "sql! alone"] {
        let text = run(case);
        assert!(!text.contains(SAID), "{case}: {text}");
    }
}

/// Not a test itself: the others run it in a separate process.
#[tokio::test]
async fn scenario() {
    let Ok(case) = std::env::var(CASE) else {
        return;
    };
    println!("the scenario begins");
    let registry = tracing_subscriber::registry();
    let _of_thread = (case == "of the thread").then(|| {
        tracing::subscriber::set_default(tracing_subscriber::registry().with(query_budget::layer()))
    });
    match case.as_str() {
        "layer" | "copy" | "counted copy" | "rows, with the layer" => {
            registry.with(query_budget::layer()).init()
        }
        "not logged" => registry.with(query_budget::layer()).init(),
        "another subscriber" => registry.init(),
        case if case == "filtered" || case.ends_with(", filtered") => {
            registry.with(query_budget::layer()).with(LevelFilter::INFO).init();
        }
        "scopes filtered" => registry.with(query_budget::layer()).with(targets(&[STATEMENTS])).init(),
        "layer, filtered as told" => {
            registry.with(query_budget::layer()).with(targets(&[STATEMENTS, SCOPES])).init();
        }
        _ => {}
    }
    let mut options: SqliteConnectOptions = "sqlite::memory:".parse().unwrap();
    if case == "not logged" {
        options = options.disable_statement_logging();
    }
    let db = SqlitePool::connect_with(options).await.unwrap();
    for _ in 0..3 {
        match case.as_str() {
            "sql! alone" => counted(&db).await.unwrap(),
            "measured" | "another subscriber" | "of the thread" => {
                query_budget::measure(unmarked(&db)).await.0.unwrap();
            }
            "by hand, filtered" => query_budget::scope("by hand").max(9).run(unmarked(&db)).await.unwrap(),
            "by hand in part, filtered" => {
                let both = async {
                    sql!("SELECT 1").execute(&db).await?;
                    unmarked(&db).await
                };
                query_budget::scope("by hand").max(9).run(both).await.unwrap();
            }
            "request, filtered" => request(&db).await,
            "constant" => query_budget::assert_constant_queries(async |_| unmarked(&db).await.unwrap()).await,
            "read inside" => {
                let read = async {
                    unmarked(&db).await.unwrap();
                    query_budget::counts().unwrap()
                };
                assert_eq!(query_budget::scope("read").run(read).await.queries, 0);
            }
            case if case.starts_with("rows") || matches!(case, "time" | "queries") => rows(case, &db).await,
            "copy" => copies(None).await.unwrap(),
            "counted copy" => counted_copies(None).await.unwrap(),
            _ => {
                raw(&db).await.unwrap();
                raw_macro_free(&db).await.unwrap();
            }
        }
    }
}

/// A raw query in a function without a budget.
async fn unmarked(db: &SqlitePool) -> sqlx::Result<()> {
    sqlx::query("SELECT 1").execute(db).await.map(drop)
}

/// A query of `sql!` that an executor is given, in scopes that know or need its rows and time, or do not.
async fn rows(case: &str, db: &SqlitePool) {
    let one = || sql!("SELECT 1");
    let long = std::time::Duration::from_secs(60);
    match case {
        "rows measured" => drop(query_budget::measure(db.fetch_all(one())).await),
        "rows by the query" => drop(query_budget::scope("rows").rows(9).run(one().fetch_all(db)).await),
        "time" => drop(query_budget::scope("time").time(long).run(db.fetch_all(one())).await),
        "queries" => drop(query_budget::scope("queries").max(9).run(db.fetch_all(one())).await),
        _ => drop(query_budget::scope("rows").rows(9).run(db.fetch_all(one())).await),
    }
}

async fn request(db: &SqlitePool) {
    let db = db.clone();
    let service = tower::service_fn(move |_: http::Request<()>| {
        let db = db.clone();
        async move { unmarked(&db).await.map(http::Response::new) }
    });
    let service = query_budget::RequestLayer::new().layer(service);
    service.oneshot(http::Request::new(())).await.unwrap();
}

const STATEMENTS: (&str, LevelFilter) = ("sqlx::query", LevelFilter::DEBUG);
const SCOPES: (&str, LevelFilter) = ("query_budget::scope", LevelFilter::TRACE);

fn targets(targets: &[(&str, LevelFilter)]) -> Targets {
    Targets::new().with_targets(targets.iter().copied())
}

#[query_budget(max = 1)]
async fn raw(db: &SqlitePool) -> sqlx::Result<()> {
    sqlx::query("SELECT 1").execute(db).await.map(drop)
}

#[query_budget(max = 1)]
async fn raw_macro_free(db: &SqlitePool) -> sqlx::Result<()> {
    let mut query = sqlx::QueryBuilder::new("SELECT ");
    query.push_bind(1).build().execute(db).await.map(drop)
}

#[query_budget(max = 1)]
async fn counted(db: &SqlitePool) -> sqlx::Result<()> {
    sql!("SELECT 1").execute(db).await.map(drop)
}

/// The attribute sees a `COPY` wherever it is, and whether it runs or not.
#[query_budget(max = 1)]
async fn copies(db: Option<&mut PgConnection>) -> sqlx::Result<()> {
    if let Some(db) = db {
        db.copy_in_raw("COPY steps FROM STDIN").await?.finish().await?;
    }
    Ok(())
}

#[query_budget(max = 1)]
async fn counted_copies(db: Option<&mut PgConnection>) -> sqlx::Result<()> {
    if let Some(db) = db {
        let copy = async { db.copy_in_raw("COPY steps FROM STDIN").await?.finish().await };
        query_budget::counted!("COPY steps FROM STDIN", copy).await?;
    }
    Ok(())
}
