//! Scores on the corpus of real projects, each guarded by a threshold. The tables are printed in every run.

mod access;
mod advice;
mod claims;
mod folder;
mod load;
mod queries;
mod schema;
mod types;
