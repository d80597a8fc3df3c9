//! Within a budget: all steps in one statement.

use query_budget::{query_budget, sql_as, sql_scalar};
use sqlx::{PgPool, Result};

use crate::Step;

/// Creates a run with these steps, their events and their messages, in one statement, which succeeds or fails
/// as a whole.
///
/// # Errors
///
/// Returns the error of the database.
#[query_budget(max = 1, rows = 1)]
pub async fn create_run(db: &PgPool, plan: &str, names: &[String]) -> Result<i64> {
    sql_scalar!(
        i64,
        "WITH run AS (
             INSERT INTO runs (plan) VALUES ($1) RETURNING id
         ), created AS (
             INSERT INTO steps (run_id, position, name)
             SELECT run.id, step.position, step.name
             FROM run, UNNEST($2::text[]) WITH ORDINALITY AS step (name, position)
             RETURNING id
         ), recorded AS (
             INSERT INTO events (step_id, kind) SELECT id, 'created' FROM created
         ), queued AS (
             INSERT INTO outbox (step_id) SELECT id FROM created
         )
         SELECT id FROM run LIMIT 1",
        plan,
        names
    )
    .fetch_one(db)
    .await
}

/// The steps of a run, each with its newest event.
///
/// # Errors
///
/// Returns the error of the database.
#[query_budget(max = 1, rows = 1000)]
pub async fn steps_of(db: &PgPool, run: i64) -> Result<Vec<Step>> {
    sql_as!(
        Step,
        "SELECT steps.position, steps.name, last.kind AS last_event
         FROM steps
         CROSS JOIN LATERAL (
             SELECT kind FROM events WHERE events.step_id = steps.id ORDER BY events.id DESC LIMIT 1
         ) AS last
         WHERE steps.run_id = $1 ORDER BY steps.position LIMIT 1000",
        run
    )
    .fetch_all(db)
    .await
}
