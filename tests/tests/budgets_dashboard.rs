//! The data of a dashboard: the endpoint, the statistics of servers, and the Grafana dashboard over the
//! metrics.

use std::collections::BTreeSet;
use std::path::Path;

use http::{Request, StatusCode};
use query_budget::__private::{Site, query};
use query_budget::{ServerStats, scope, server_stats, stats_service, watch_pool};
use query_budget_tests::{with_mysql, with_postgres};
use serde_json::Value;
use sqlx::SqlitePool;
use tower::ServiceExt;

static SELECT: Site = Site::new("SELECT name FROM items WHERE id = 1", 1, "src/items.rs", 1, 1);

const TABLES: &str = "CREATE TABLE items (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL);
    CREATE INDEX items_name ON items (name);
    CREATE UNIQUE INDEX items_name_id ON items (name, id);
    INSERT INTO items VALUES (1, 'one'), (2, 'two');";

async fn get(service: query_budget::StatsService, uri: &str) -> (StatusCode, String) {
    let router = axum::Router::new().route_service("/stats", service);
    let request = Request::get(uri).body(axum::body::Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn items() -> SqlitePool {
    let db =
        sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
    sqlx::raw_sql(TABLES).execute(&db).await.unwrap();
    db
}

#[tokio::test]
async fn endpoint_answers_with_all_there_is() {
    let db = items().await;
    let _watched = watch_pool("endpoint", &db);
    scope("GET /items").run(async { query::<sqlx::Sqlite>(&SELECT).fetch_one(&db).await.unwrap() }).await;
    let service = stats_service().with_server(&db);
    let (status, body) = get(service.clone(), "/stats").await;
    assert_eq!(status, StatusCode::OK);
    let json: Value = serde_json::from_str(&body).expect("JSON");
    let names = |list: &str, key: &str| {
        let list = json[list].as_array().unwrap_or_else(|| panic!("{list} of {json}"));
        list.iter().map(|each| each[key].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert!(names("statements", "site").contains(&"src/items.rs:1:1".to_owned()), "{json}");
    assert!(names("slowest", "sql").contains(&"SELECT name FROM items WHERE id = 1".to_owned()), "{json}");
    assert!(names("scopes", "name").contains(&"GET /items".to_owned()), "{json}");
    assert!(names("pools", "name").contains(&"endpoint".to_owned()), "{json}");
    assert!(json["waits"]["count"].is_u64() && json.get("server").is_none(), "{json}");

    let (_, body) = get(service.clone(), "/stats?server").await;
    let json: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(json["server"]["tables"][0]["name"], "items", "{json}");

    let request = Request::post("/").body(()).unwrap();
    let refused = service.oneshot(request).await.unwrap();
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[track_caller]
fn are_of_items(stats: &ServerStats) {
    let table = stats.tables.iter().find(|table| table.name == "items");
    assert!(table.is_some_and(|table| table.bytes.is_none_or(|bytes| bytes > 0)), "{stats:?}");
    let index = |name: &str| {
        let found = stats.indexes.iter().find(|index| index.name == name);
        found.unwrap_or_else(|| panic!("no {name}: {stats:?}")).clone()
    };
    assert_eq!(index("items_name").table, "items");
    assert!(!index("items_name").is_unique && index("items_name_id").is_unique, "{stats:?}");
}

#[tokio::test]
async fn sqlite_says_what_it_keeps() {
    let db = items().await;
    are_of_items(&server_stats(&db).await.unwrap());
    sqlx::raw_sql("ANALYZE").execute(&db).await.unwrap();
    let stats = server_stats(&db).await.unwrap();
    assert_eq!(stats.tables[0].rows, Some(2), "{stats:?}");
    let empty = server_stats(&SqlitePool::connect("sqlite::memory:").await.unwrap()).await.unwrap();
    assert!(empty.tables.is_empty() && !empty.missing.is_empty(), "{empty:?}");
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn postgres_says_what_it_counts() {
    with_postgres(async |db| {
        sqlx::raw_sql(TABLES).execute(&db).await.unwrap();
        // Queries for server statistics count in no scope.
        let (stats, report) = query_budget::measure(server_stats(&db)).await;
        let stats = stats.unwrap();
        are_of_items(&stats);
        assert_eq!(report.queries(), 0, "{report}");
        assert!(!stats.statements.is_empty() || !stats.missing.is_empty(), "{stats:?}");
        assert!(stats.indexes.iter().all(|index| index.scans.is_some() && index.bytes.is_some()));
        // Installed, but probably not loaded by the server, which it then reports.
        if sqlx::raw_sql("CREATE EXTENSION pg_stat_statements").execute(&db).await.is_ok() {
            let stats = server_stats(&db).await.unwrap();
            assert!(
                !stats.statements.is_empty() || stats.missing[0].contains("shared_preload_libraries"),
                "{stats:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
#[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
async fn mysql_says_what_it_counts() {
    with_mysql(async |db| {
        sqlx::raw_sql(TABLES).execute(&db).await.unwrap();
        let stats = server_stats(&db).await.unwrap();
        are_of_items(&stats);
        assert!(stats.indexes.iter().any(|index| index.name == "PRIMARY" && index.is_unique), "{stats:?}");
    })
    .await;
}

/// The names that start with the prefix of all metrics.
fn metrics(text: &str) -> BTreeSet<String> {
    let of = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        let name = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned()
    };
    text.match_indices("query_budget_").map(|(at, _)| of(at)).collect()
}

#[test]
fn dashboard_shows_the_metrics_that_there_are() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let read = |path: &str| std::fs::read_to_string(workspace.join(path)).expect("it is there");
    let dashboard: Value = serde_json::from_str(&read("docs/grafana.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let expressions: Vec<&str> = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().expect("targets"))
        .map(|target| target["expr"].as_str().expect("an expression"))
        .collect();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
    let source = read("runtime/src/meter.rs");
    let table: String = source.lines().filter(|line| line.starts_with("//! |")).collect();
    let in_code: String = source.lines().filter(|line| !line.starts_with("//!")).collect();
    let documented = metrics(&table);
    assert_eq!(metrics(&in_code), documented, "the table of metrics and the code that records them");
    assert_eq!(metrics(&expressions.join("\n")), documented, "the dashboard and the table of metrics");
}
