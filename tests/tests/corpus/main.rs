//! Scores on the corpus of real projects, each guarded by a threshold. The tables are printed in every run.

mod access;
mod advice;
mod claims;
mod folder;
mod load;
#[path = "../proof/mod.rs"]
mod proof;
mod queries;
mod schema;
#[path = "../sqlx_type/mod.rs"]
mod sqlx_type;
mod types;
