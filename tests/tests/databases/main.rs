//! The engine beside real databases: what it says of statements, schemas and projects, compared with what the servers do.
//!
//! All in one binary, so that tests that wait for a server run while others compute.

mod cardinality;
mod planners;
mod project;
mod proof;
mod refused;
mod rewrites;
mod schema;
mod seeds;
mod sqlx_type;
mod types;
mod types_mysql;
mod types_sqlite;
mod verdicts;
