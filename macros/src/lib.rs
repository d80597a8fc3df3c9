//! The procedural macros of query-budget: tokens in, tokens out, nothing else.
//!
//! Everything that is known about SQL, Rust and budgets is known by `query-budget-analysis`; here its findings become
//! errors and warnings of rustc. Use the macros through the `query-budget` crate, which holds what they expand to.

mod attr;
mod check;
mod context;
mod crates;
mod emit;
mod expand;
mod function;
mod input;
mod rename;
mod scope;

use proc_macro::TokenStream;

use crate::input::Kind;

/// A query that gives rows: `sql!("SELECT id, name FROM events WHERE id = $1", id)`.
///
/// The SQL is a string literal, or literals joined with `+`; what follows is bound to its placeholders in order. It is
/// checked while the crate compiles: syntax, tables, columns and number of arguments, and what makes it slow.
/// The result has the methods of `sqlx::query`: `execute`, `fetch_all`, `fetch_one`, `fetch_optional`, `fetch`.
///
/// A finding is accepted with its reason: `sql!(#[allow(missing_limit = "admin export")] "SELECT id FROM events")`.
#[proc_macro]
pub fn sql(input: TokenStream) -> TokenStream {
    context::with(|context| expand::query(context, Kind::Rows, input.into())).into()
}

/// A query whose rows become values of a type: `sql_as!(Event, "SELECT id, name FROM events LIMIT 50")`.
///
/// The type implements `sqlx::FromRow`, which can be derived. Everything else is as with `sql!`.
#[proc_macro]
pub fn sql_as(input: TokenStream) -> TokenStream {
    context::with(|context| expand::query(context, Kind::As, input.into())).into()
}

/// A query whose rows have one column: `sql_scalar!("SELECT count(*) FROM events")`.
///
/// The column's type is inferred, or written first: `sql_scalar!(i64, "SELECT count(*) FROM events")`. Everything else
/// is as with `sql!`.
#[proc_macro]
pub fn sql_scalar(input: TokenStream) -> TokenStream {
    context::with(|context| expand::query(context, Kind::Scalar, input.into())).into()
}

/// Limits what a function may ask of the database: `#[query_budget(max = 3)]`.
///
/// | limit | holds for |
/// | --- | --- |
/// | `max = 3` | queries; an expression over the arguments is counted against at run time: `max = 1 + ids.len()` |
/// | `rows = 500` | rows fetched by all of them |
/// | `time = "50ms"` | time spent in all of them |
///
/// The build fails when the function's queries can be more than `max`. In debug builds, and with the feature `enforce`,
/// every query that runs inside the function counts, in whatever function it stands. A function that returns a future or
/// a stream (`impl Future`, `BoxStream`, `Pin<Box<dyn ..>>`) is counted until that has ended. On a method of a trait
/// without a body the budget is a promise: each implementation carries its own attribute.
///
/// A finding in the function is accepted with its reason: `#[allow(missing_limit, reason = "admin export")]` below
/// this attribute.
#[proc_macro_attribute]
pub fn query_budget(limits: TokenStream, item: TokenStream) -> TokenStream {
    context::with(|context| function::expand(context, limits.into(), item.into())).into()
}
