//! Shared by the tests of query-budget.

pub mod catalog;
mod database;
mod heap;
mod nested;
mod outside;
pub mod plans;
pub mod rows;
mod scratch;

pub use database::{random_name, with_mysql, with_postgres};
pub use heap::Heap;
pub use outside::{copy_fixture, outside_cargo, workspace};
pub use scratch::Scratch;
