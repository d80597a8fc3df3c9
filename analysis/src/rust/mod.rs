//! Turns Rust source into query sites, loops and bounds. Only this module uses syn's types.
//!
//! ```text
//! text ─lex→ tokens ─syn→ file ─walk→ sites + flows ─graph→ calls in loops, functions with their intervals
//! ```
//!
//! Nothing here reads files, and nothing panics: unreadable source is a [`ScanError`], and a macro whose body
//! is not Rust is counted.

mod databases;
pub mod drivers;
mod flow;
mod function;
mod graph;
mod lex;
mod methods;
mod occasions;
mod query_names;
mod scan;
pub mod site;
mod source;
mod straight;
#[cfg(test)]
mod tests;
mod type_ref;
mod walk;

use std::sync::Arc;

pub use databases::{NamedDatabases, of_types};
pub use drivers::is_driver;
pub use function::{Bound, BudgetAttr, Function, Limit, Step, Upper};
pub use graph::bounds;
pub use graph::calls::{Link, LoopCall};
pub(crate) use graph::catalog::WHY as CATALOG;
pub use graph::edges::CallEdge;
pub use graph::follow::{Followed, follow};
pub use graph::keys::Key;
pub use graph::neighbours::{Neighbour, Told, told};
pub use graph::tree::{Position, Target, positions, undeclared};
pub use lex::ddl::{DdlSource, DdlText, ddl_texts};
pub use lex::embedded::{Literals, embedded};
pub use lex::guard::STACK;
pub use lex::literal::text_of;
pub use lex::makers::Makers;
pub use lex::opens::opens_database;
pub use lex::outline::{Outline, outline};
pub use lex::relevant::{LeftOut, left_out, may_query, relevant, with_queries};
pub(crate) use occasions::above_source;
pub use occasions::{NamedFile, Occasion, Occasions};
pub use scan::{scan, scan_as, scan_detached, scan_function, scan_here, scan_in, scan_queries};
pub use site::{Allow, Argument, Built, Call, Fetched, Form, Loop, LoopKind, Site, SiteSql, SqlLiteral};
pub use source::{FunctionId, Generic, ModuleItems, Scan, ScanError, ScannedFunction, SiteFact, SourceFile};
pub use type_ref::TypeRef;
pub use walk::items::is_test_path;

use crate::finding::Place;

/// The reason why a recursive function is unbounded.
pub const RECURSION: &str = "recursion: no bound";

/// The place of a token; the parser counts columns from 0.
fn place_at(file: &Arc<str>, start: proc_macro2::LineColumn) -> Place {
    let line = u32::try_from(start.line).unwrap_or(0);
    let column = if line == 0 { 0 } else { u32::try_from(start.column).unwrap_or(0).saturating_add(1) };
    Place { file: file.clone(), line, column }
}
