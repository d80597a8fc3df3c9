//! The naive version: a few queries per step.

use query_budget::{sql, sql_as, sql_scalar};
use sqlx::{PgPool, Result};

use crate::Step;

/// Creates a run with these steps: one lookup and three writes per step.
///
/// # Errors
///
/// Returns the error of the database.
pub async fn create_run(db: &PgPool, plan: &str, names: &[String]) -> Result<i64> {
    let run =
        sql_scalar!(i64, "INSERT INTO runs (plan) VALUES ($1) RETURNING id", plan).fetch_one(db).await?;
    for (position, name) in (1_i64..).zip(names) {
        // query-budget: allow(query_in_loop): the example of what a budget is for
        let exists =
            sql_scalar!(i64, "SELECT id FROM steps WHERE run_id = $1 AND position = $2", run, position);
        if exists.fetch_optional(db).await?.is_some() {
            continue;
        }
        // query-budget: allow(row_by_row_write): the example of what a budget is for
        let step = sql_scalar!(
            i64,
            "INSERT INTO steps (run_id, position, name) VALUES ($1, $2, $3) RETURNING id",
            run,
            position,
            name
        );
        let step = step.fetch_one(db).await?;
        // query-budget: allow(row_by_row_write): the example of what a budget is for
        sql!("INSERT INTO events (step_id, kind) VALUES ($1, 'created')", step).execute(db).await?;
        // query-budget: allow(row_by_row_write): the example of what a budget is for
        sql!("INSERT INTO outbox (step_id) VALUES ($1)", step).execute(db).await?;
    }
    Ok(run)
}

/// The steps of a run: one query for all of them, and one for the newest event of each.
///
/// # Errors
///
/// Returns the error of the database.
pub async fn steps_of(db: &PgPool, run: i64) -> Result<Vec<Step>> {
    let rows = sql_as!(
        (i64, i64, String),
        "SELECT id, position, name FROM steps WHERE run_id = $1 ORDER BY position LIMIT 1000",
        run
    );
    let mut steps = Vec::new();
    for (id, position, name) in rows.fetch_all(db).await? {
        // query-budget: allow(query_in_loop): the example of what a budget is for
        let last =
            sql_scalar!(String, "SELECT kind FROM events WHERE step_id = $1 ORDER BY id DESC LIMIT 1", id);
        steps.push(Step { position, name, last_event: last.fetch_one(db).await? });
    }
    Ok(steps)
}
