//! The endpoints.

use std::collections::HashMap;

use axum::extract::{MatchedPath, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use query_budget::cache::{Cache, CachedPool};
use query_budget::{PageError, PageRequest, RequestLayer, query_budget, sql_as};
use serde_json::{Value, json};
use sqlx::{PgPool, Postgres};

use crate::{dashboard, feed, looped, together};

/// The service: `GET /channels/7?how=loop`, `GET /channels/7/feed?how=loop&page=1` and
/// `GET /dashboard?how=loop`; the same without `how=loop` within a budget (the feed's next page by `after=`);
/// and `GET /performance/database`.
pub fn router(db: PgPool) -> Router {
    let layer = RequestLayer::new().named(|method, extensions| {
        let route = extensions.get::<MatchedPath>().map_or("?", MatchedPath::as_str);
        format!("{method} {route}")
    });
    Router::new()
        .route("/channels/{id}", get(channel))
        .route("/channels/{id}/feed", get(feed))
        .route("/dashboard", get(dashboard))
        .route("/performance/database", get(performance))
        .layer(layer)
        .with_state(Cache::in_memory("agent-chat").over(db))
}

/// The pool, with a cache for reads.
type Db = CachedPool<Postgres>;
type Arguments = Query<HashMap<String, String>>;

fn in_a_loop(arguments: &Arguments) -> bool {
    arguments.get("how").is_some_and(|how| how == "loop")
}

/// The JSON of a channel's page: messages with their authors, workflows with the number of tasks done.
type PageAsJson = Json<(Vec<(String, String)>, Vec<(String, i64)>)>;

async fn channel(
    State(db): State<Db>,
    Path(channel): Path<i64>,
    arguments: Arguments,
) -> Result<PageAsJson, Failure> {
    let page = if in_a_loop(&arguments) {
        looped::page(db.pool(), channel).await?
    } else {
        together::page(db.pool(), channel).await?
    };
    let messages = page.messages.into_iter().map(|message| (message.author, message.body));
    let workflows = page.workflows.into_iter().map(|workflow| (workflow.name, workflow.done));
    Ok(Json((messages.collect(), workflows.collect())))
}

async fn feed(
    State(db): State<Db>,
    Path(channel): Path<i64>,
    arguments: Arguments,
) -> Result<Json<Value>, Failure> {
    let (messages, next) = if in_a_loop(&arguments) {
        let page = arguments.get("page").and_then(|page| page.parse().ok()).unwrap_or(0);
        (feed::looped(db.pool(), channel, i64::from(u32::min(page, 10_000))).await?, None)
    } else {
        let request = arguments.get("after").map_or_else(PageRequest::first, PageRequest::after);
        let feed = feed::page(&db, channel, &request).await?;
        (feed.messages, feed.next)
    };
    let messages = messages.iter().map(|message| json!([message.author, message.body]));
    Ok(Json(json!({ "messages": messages.collect::<Value>(), "next": next })))
}

async fn dashboard(State(db): State<Db>, arguments: Arguments) -> Result<Json<Value>, Failure> {
    let channels: Vec<i64> = (1..=26).collect();
    let shown = if in_a_loop(&arguments) {
        dashboard::looped(db.pool(), &channels).await?
    } else {
        dashboard::together(&db, &channels).await?
    };
    Ok(Json(json!({ "newest": shown.newest, "running": shown.running })))
}

/// The percentiles of each statement and each route, the statistics of the pool, how often each index is used,
/// and the size of each table.
#[query_budget(max = 2)]
async fn performance(State(db): State<Db>) -> Result<Json<Value>, Failure> {
    let indexes = sql_as!(
        (String, String, i64),
        r#"SELECT relname::text AS "name!", indexrelname::text AS "index!", idx_scan AS "scans!"
         FROM pg_stat_user_indexes ORDER BY idx_scan DESC, indexrelname LIMIT 100"#
    );
    let tables = sql_as!(
        (String, i64),
        r#"SELECT relname::text AS "name!", pg_total_relation_size(relid) AS "bytes!"
         FROM pg_stat_user_tables ORDER BY pg_total_relation_size(relid) DESC, relname LIMIT 100"#
    );
    let (indexes, tables) = (indexes.fetch_all(db.pool()).await?, tables.fetch_all(db.pool()).await?);
    let index = |(table, index, scans): &(String, String, i64)| json!({ "table": table, "index": index, "scans": scans });
    let table = |(table, bytes): &(String, i64)| json!({ "table": table, "bytes": bytes });
    let stats: Value = serde_json::from_str(&query_budget::stats().to_json()).unwrap_or_default();
    Ok(Json(json!({
        "indexes": indexes.iter().map(index).collect::<Value>(),
        "tables": tables.iter().map(table).collect::<Value>(),
        "stats": stats,
    })))
}

/// An error; the client learns only whose fault it is.
enum Failure {
    /// An error of the database.
    Database(sqlx::Error),
    /// The cursor is not one that a page returned.
    Cursor,
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<PageError> for Failure {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Database(error) => Self::Database(error),
            _ => Self::Cursor,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Database(error) => {
                eprintln!("failed to answer: {error}");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
            Self::Cursor => StatusCode::BAD_REQUEST.into_response(),
        }
    }
}
