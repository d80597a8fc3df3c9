//! Typed queries on a real PostgreSQL server return what their types say.

mod arguments;
mod columns;
mod database;
mod expressions;
mod forms;
mod overrides;

/// An enum of the schema, mapped by the configuration's `[types]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "mood", rename_all = "lowercase")]
pub(crate) enum Mood {
    Happy,
    Sad,
}
