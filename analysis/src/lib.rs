//! The engine of query-budget: everything that is known about queries, pure.
//!
//! ```text
//! Rust source ─scan→ Site ─parse→ Statement ─resolve against Schema→ Query ─lints→ Finding ─render→ rustc, text, json, sarif, ..
//! migrations  ─replay→ Schema ←read─ schema.sql
//! ```
//!
//! The macros and the command line are two front ends of this one engine: a problem is worded the same in a
//! build, in CI and at run time. Nothing here panics on any input; what cannot be understood is reported as
//! not checked. Only `project` reads files.
//!
//! The API is for the macros and the command line of the same version, and changes with them.

pub mod allow;
pub mod baseline;
pub mod cardinality;
pub mod check;
pub mod config;
pub mod finding;
pub mod index;
pub mod lints;
pub mod notice;
pub mod pages;
pub mod project;
pub mod render;
pub mod rust;
pub mod schema;
pub mod sql;
pub mod touches;
pub mod types;

pub use config::Config;
pub use finding::{
    Applicability, Edit, Excerpt, Finding, InFile, Level, Place, Related, Sighting, Target, Tier,
};
pub use notice::{Notice, NoticeKind, Severity};
