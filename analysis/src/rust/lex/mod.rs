//! What the tokens of a source tell before it is parsed: names, functions that can matter, how deep it nests; and its
//! string literals.

pub(super) mod embedded;
pub(super) mod guard;
pub(super) mod literal;
pub(super) mod makers;
pub(super) mod opens;
mod outline;
pub(super) mod relevant;
pub(super) mod tokens;
