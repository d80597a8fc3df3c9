//! The naive version with each loop as one batch: four queries for any number of steps.

use query_budget::{query_budget, sql_batch, sql_batch_scalar, sql_scalar};
use sqlx::{PgPool, Result};

/// Creates a run with these steps, their events and their messages, in one transaction.
///
/// # Errors
///
/// Returns the error of the database.
#[query_budget(max = 4)]
pub async fn create_run(db: &PgPool, plan: &str, names: &[String]) -> Result<i64> {
    let mut transaction = db.begin().await?;
    let run = sql_scalar!(i64, "INSERT INTO runs (plan) VALUES ($1) RETURNING id", plan)
        .fetch_one(&mut *transaction)
        .await?;
    let steps = sql_batch_scalar!(
        i64,
        "INSERT INTO steps (run_id, position, name) VALUES ($1, $2, $3) RETURNING id",
        (1_i64..).zip(names) => |(position, name)| (run, position, name)
    );
    let steps = steps.fetch_all(&mut transaction).await?;
    sql_batch!("INSERT INTO events (step_id, kind) VALUES ($1, 'created')", &steps => |step| step)
        .execute(&mut transaction)
        .await?;
    sql_batch!("INSERT INTO outbox (step_id) VALUES ($1)", &steps => |step| step)
        .execute(&mut transaction)
        .await?;
    transaction.commit().await?;
    Ok(run)
}
