//! The endpoints.

use std::collections::HashMap;

use axum::extract::{MatchedPath, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use query_budget::{RequestLayer, query_budget, sql_as};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::{looped, together};

/// The service: `GET /channels/7?how=loop`, the same without `how=loop` within a budget, and `GET /performance/database`.
pub fn router(db: PgPool) -> Router {
    let layer = RequestLayer::new().named(|method, extensions| {
        let route = extensions.get::<MatchedPath>().map_or("?", MatchedPath::as_str);
        format!("{method} {route}")
    });
    Router::new()
        .route("/channels/{id}", get(channel))
        .route("/performance/database", get(performance))
        .layer(layer)
        .with_state(db)
}

/// What the page of a channel is sent as: messages with their authors, workflows with the number of tasks done.
type PageAsJson = Json<(Vec<(String, String)>, Vec<(String, i64)>)>;

async fn channel(
    State(db): State<PgPool>,
    Path(channel): Path<i64>,
    arguments: Query<HashMap<String, String>>,
) -> Result<PageAsJson, Failure> {
    let page = if arguments.get("how").is_some_and(|how| how == "loop") {
        looped::page(&db, channel).await?
    } else {
        together::page(&db, channel).await?
    };
    let messages = page.messages.into_iter().map(|message| (message.author, message.body));
    let workflows = page.workflows.into_iter().map(|workflow| (workflow.name, workflow.done));
    Ok(Json((messages.collect(), workflows.collect())))
}

/// Percentiles of each statement and each route and the figures of the pool; how often each index is used, and how large
/// each table is.
#[query_budget(max = 2)]
async fn performance(State(db): State<PgPool>) -> Result<Json<Value>, Failure> {
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
    let (indexes, tables) = (indexes.fetch_all(&db).await?, tables.fetch_all(&db).await?);
    let index = |(table, index, scans): &(String, String, i64)| json!({ "table": table, "index": index, "scans": scans });
    let table = |(table, bytes): &(String, i64)| json!({ "table": table, "bytes": bytes });
    let stats: Value = serde_json::from_str(&query_budget::stats().to_json()).unwrap_or_default();
    Ok(Json(json!({
        "indexes": indexes.iter().map(index).collect::<Value>(),
        "tables": tables.iter().map(table).collect::<Value>(),
        "stats": stats,
    })))
}

/// An error of the database, of which the client learns no more than that.
struct Failure(sqlx::Error);

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        eprintln!("failed to answer: {}", self.0);
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
