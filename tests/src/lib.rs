//! Shared by the tests of query-budget.

pub mod catalog;
mod database;
mod heap;
pub mod plans;
pub mod rows;
mod scratch;

pub use database::{with_mysql, with_postgres};
pub use heap::Heap;
pub use scratch::Scratch;
