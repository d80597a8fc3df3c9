//! Rust source as text becomes query sites, loops and bounds as data. Only this folder names syn's types.
//!
//! ```text
//! text ─guard→ tokens ─syn→ file ─scan, walk→ sites + flows ─bounds→ functions with their intervals
//! ```
//!
//! Nothing here reads a file, and nothing panics: source that cannot be read is a [`ScanError`], and a macro whose body
//! is no Rust is counted.

mod allows;
mod body;
pub mod bounds;
mod branches;
mod calls;
pub mod flow;
mod follow;
mod function;
mod guard;
mod imports;
mod intervals;
mod invoke;
mod items;
mod literal;
mod locals;
mod loops;
mod make;
mod modules;
mod names;
mod outline;
mod read;
mod relevant;
mod resolve;
mod scan;
mod shape;
pub mod site;
mod start;
#[cfg(test)]
mod tests;
mod text;
mod tokens;
mod tree;
mod turns;
mod types;
mod variables;
mod walk;
mod written;

use std::sync::Arc;

pub use calls::{FunctionId, Link, LoopCall, Source};
pub use follow::{Followed, follow};
pub use function::{Bound, BudgetAttr, Function, Limit, Step, Upper};
pub use items::ModuleItems;
pub use literal::text_of;
pub use read::{Scan, ScanError, ScannedFunction, scan, scan_as, scan_detached, scan_function};
pub use relevant::{relevant, with_queries};
pub use scan::is_test_path;
pub use site::{Allow, Argument, Call, Form, Loop, LoopKind, Site, SiteSql, SqlLiteral};
pub use tree::{Position, Target, positions};
pub use types::TypeRef;

use crate::finding::Place;

/// The place of a token; the parser counts columns from 0.
fn place_at(file: &Arc<str>, start: proc_macro2::LineColumn) -> Place {
    let line = u32::try_from(start.line).unwrap_or(0);
    let column = if line == 0 { 0 } else { u32::try_from(start.column).unwrap_or(0).saturating_add(1) };
    Place { file: file.clone(), line, column }
}
