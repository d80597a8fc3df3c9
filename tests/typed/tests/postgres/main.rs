//! Typed queries give what they say they give, from a real PostgreSQL.

mod arguments;
mod columns;
mod database;
mod forms;
mod overrides;

/// An enum of the schema, by the configuration's `[types]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "mood", rename_all = "lowercase")]
pub(crate) enum Mood {
    Happy,
    Sad,
}
