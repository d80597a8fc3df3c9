//! What the tokens of a source reveal before parsing: names, functions that may matter, nesting depth, and
//! string literals.

pub(in crate::rust) mod aliases;
pub(super) mod ddl;
pub(super) mod embedded;
pub(super) mod guard;
pub(in crate::rust) mod handed;
pub(super) mod literal;
pub(super) mod makers;
pub(in crate::rust) mod named;
pub(super) mod opens;
pub(super) mod outline;
pub(in crate::rust) mod own;
pub(super) mod relevant;
mod rewriters;
pub(super) mod tokens;
pub(super) mod unwritten;
