//! Scores on the corpus of real projects, each guarded by a threshold. The tables are printed in every run.

mod access;
mod advice;
mod claims;
mod folder;
mod load;
#[path = "../databases/proof.rs"]
mod proof;
mod queries;
mod schema;
#[path = "../databases/sqlx_type.rs"]
mod sqlx_type;
mod types;
