//! Shared by the tests on sqlx 0.8: what those on 0.9 share, as far as it runs on either.

#[path = "../src/database.rs"]
mod database;
#[path = "../src/scratch.rs"]
mod scratch;

pub use database::{random_name, with_mysql, with_postgres};
pub use scratch::Scratch;
