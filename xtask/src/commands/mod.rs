//! One file for each command.

pub(crate) mod budgets;
pub(crate) mod check;
pub(crate) mod docs;
pub(crate) mod index_check;
pub(crate) mod init;
pub(crate) mod schema;
