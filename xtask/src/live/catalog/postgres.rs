//! PostgreSQL's catalog, printed by the server's own functions as the statements that create it.

use super::{Words, estimates};
use crate::failure::Failure;
use crate::live::Live;

/// The queries for the parts of a schema, in the order in which they can be created. Each returns one column
/// of statements.
const PARTS: [&str; 11] = [
    include_str!("postgres/settings.sql"),
    include_str!("postgres/types.sql"),
    include_str!("postgres/sequences.sql"),
    include_str!("postgres/functions.sql"),
    include_str!("postgres/conversions.sql"),
    include_str!("postgres/tables.sql"),
    include_str!("postgres/inherited.sql"),
    include_str!("postgres/constraints.sql"),
    include_str!("postgres/views.sql"),
    include_str!("postgres/indexes.sql"),
    include_str!("postgres/triggers.sql"),
];

const ESTIMATES: &str = include_str!("postgres/estimates.sql");

pub(super) async fn read(live: &mut Live) -> Result<Words, Failure> {
    // Names in `public` are printed bare, all others with their schema.
    live.texts("SET search_path = public").await?;
    let mut ddl = Vec::new();
    for part in PARTS {
        ddl.extend(live.texts(part).await?.into_iter().flatten().flatten());
    }
    Ok(Words { ddl, rows: estimates(live.texts(ESTIMATES).await?) })
}
