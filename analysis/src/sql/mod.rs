//! Turns SQL text into data. Only this module uses the parser's types.

pub mod answers;
pub mod batch;
pub mod dialect;
pub mod explain;
pub mod expr;
mod fingerprint;
pub(crate) mod functions;
mod grammar;
pub mod lex;
pub(crate) mod outer_joins;
mod parameters;
pub mod parse;
pub(crate) mod predicates;
pub mod query;
pub mod quote;
pub mod resolve;
mod rewrite;
mod room;
pub(crate) mod routine;
mod select_texts;
pub mod split;
pub mod text;
mod tokenize;
pub(crate) mod type_names;

pub use dialect::Dialect;
pub use expr::Expr;
pub use fingerprint::fingerprint;
pub use parse::SyntaxError;
pub use query::Query;
pub use resolve::resolve;
pub use room::with_large_stack;
pub use text::Span;
