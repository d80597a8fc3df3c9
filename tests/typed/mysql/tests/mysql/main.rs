//! Typed queries give what they say they give, and what sqlx's own macros give, from MySQL and MariaDB.

mod arguments;
mod columns;
mod database;
mod forms;
