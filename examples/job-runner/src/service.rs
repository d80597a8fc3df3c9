//! The endpoints.

use std::collections::HashMap;

use axum::extract::{MatchedPath, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use query_budget::RequestLayer;
use sqlx::PgPool;

use crate::rows::{Form, add_steps};
use crate::{looped, plan, together};

/// The service: `POST /runs?steps=100&how=loop` and `GET /runs/7/steps?how=loop`; the same without `how=loop`
/// in one statement each; `POST /runs/7/steps?rows=1000&how=batch` in any [`Form`]; and `GET /stats`.
pub fn router(db: PgPool) -> Router {
    let layer = RequestLayer::new().named(|method, extensions| {
        let route = extensions.get::<MatchedPath>().map_or("?", MatchedPath::as_str);
        format!("{method} {route}")
    });
    Router::new()
        .route("/runs", post(create))
        .route("/runs/{id}/steps", get(steps).post(add))
        .layer(layer)
        .route("/stats", get(stats))
        .with_state(db)
}

type Arguments = Query<HashMap<String, String>>;

fn in_a_loop(arguments: &Arguments) -> bool {
    arguments.get("how").is_some_and(|how| how == "loop")
}

async fn create(State(db): State<PgPool>, arguments: Arguments) -> Result<Json<i64>, Failure> {
    let steps = arguments.get("steps").and_then(|steps| steps.parse().ok()).unwrap_or(100);
    let names = plan(usize::min(steps, 10_000));
    let run = if in_a_loop(&arguments) {
        looped::create_run(&db, "by hand", &names).await?
    } else {
        together::create_run(&db, "by hand", &names).await?
    };
    Ok(Json(run))
}

async fn steps(
    State(db): State<PgPool>,
    Path(run): Path<i64>,
    arguments: Arguments,
) -> Result<Json<Vec<(i64, String, String)>>, Failure> {
    let steps = if in_a_loop(&arguments) {
        looped::steps_of(&db, run).await?
    } else {
        together::steps_of(&db, run).await?
    };
    Ok(Json(steps.into_iter().map(|step| (step.position, step.name, step.last_event)).collect()))
}

/// Adds steps to a run in the form that `how` names, `batch` if it names none; returns how many.
async fn add(
    State(db): State<PgPool>,
    Path(run): Path<i64>,
    arguments: Arguments,
) -> Result<Json<usize>, Failure> {
    let rows = arguments.get("rows").and_then(|rows| rows.parse().ok()).unwrap_or(1_000);
    let form = arguments.get("how").and_then(|how| Form::ALL.into_iter().find(|(name, _)| name == how));
    let form = form.map_or(Form::Batch, |(_, form)| form);
    Ok(Json(add_steps(&db, run, &plan(usize::min(rows, 10_000)), form).await?))
}

/// The percentiles of each statement and each route, and the statistics of the pool.
async fn stats() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], query_budget::stats().to_json())
}

/// An error of the database; the client learns no details.
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
