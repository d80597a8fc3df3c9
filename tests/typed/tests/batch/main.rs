//! One statement for many rows, on a real PostgreSQL server.

#[path = "../postgres/database.rs"]
mod database;
mod insert;
mod other;

/// An enum of the schema, mapped by the configuration's `[types]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "mood", rename_all = "lowercase")]
pub(crate) enum Mood {
    Happy,
    Sad,
}

/// A row to write.
pub(crate) struct Step {
    pub(crate) run_id: i64,
    pub(crate) name: String,
    pub(crate) note: Option<String>,
}

/// Steps of a run, whose names contain their positions.
pub(crate) fn steps(run_id: i64, count: usize) -> Vec<Step> {
    let note = |at: usize| at.is_multiple_of(3).then(|| format!("n{}", at % 100));
    (0..count).map(|at| Step { run_id, name: format!("step {at}"), note: note(at) }).collect()
}
