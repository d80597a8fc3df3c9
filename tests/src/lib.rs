//! What the tests of query-budget share.

pub mod catalog;
mod database;
pub mod rows;
mod scratch;

pub use database::{with_mysql, with_postgres};
pub use scratch::Scratch;
