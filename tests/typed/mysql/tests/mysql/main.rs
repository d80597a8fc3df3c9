//! Typed queries on MySQL and MariaDB return what their types say, and the same as sqlx's own macros.

mod arguments;
mod columns;
mod database;
mod forms;
