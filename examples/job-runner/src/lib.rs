//! A job runner: a run has steps, a step has events and a message in the outbox.
//!
//! Everything is implemented naively, with a few queries per step, and as one statement; creating a run also
//! as batches. Steps are added row by row and as a batch in four forms.

pub mod batched;
pub mod looped;
pub mod rows;
mod service;
pub mod together;

pub use service::router;

use sqlx::FromRow;

/// A step of a run, with its newest event.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Step {
    /// Its number within the run, starting at one.
    pub position: i64,
    /// What it does.
    pub name: String,
    /// The kind of its newest event.
    pub last_event: String,
}

/// The names of a plan with this many steps.
#[must_use]
pub fn plan(steps: usize) -> Vec<String> {
    (1..=steps).map(|step| format!("step {step}")).collect()
}

/// Creates the tables.
///
/// # Errors
///
/// Returns the error of the database, or an error if the folder of the migrations cannot be read.
pub async fn migrate(db: &sqlx::PgPool) -> Result<(), sqlx::migrate::MigrateError> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    sqlx::migrate::Migrator::new(std::path::Path::new(folder)).await?.run(db).await
}
