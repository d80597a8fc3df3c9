//! One file for each command.

pub(crate) mod budgets;
#[cfg(feature = "live")]
pub(crate) mod catalog;
pub(crate) mod check;
pub(crate) mod completions;
mod config_schema;
pub(crate) mod docs;
#[cfg(feature = "live")]
pub(crate) mod explain;
pub(crate) mod index_check;
pub(crate) mod init;
pub(crate) mod lint_page;
pub(crate) mod man;
pub(crate) mod migrate;
pub(crate) mod new_lint;
pub(crate) mod prepare;
pub(crate) mod report;
pub(crate) mod schema;
