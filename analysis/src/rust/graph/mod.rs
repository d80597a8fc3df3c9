//! Joins the files of a workspace: modules, names, calls, and how many queries each function runs.
//!
//! [`tree`] finds the module of each file, [`imports`] and [`modules`] resolve paths, [`resolve`] finds the
//! functions that a call may mean, [`calls`] the calls in loops that reach a query, [`edges`] the call tree;
//! [`intervals`] and [`bounds`] count.

pub mod bounds;
pub(super) mod calls;
pub(super) mod edges;
pub(super) mod follow;
mod globs;
mod handed;
pub(super) mod imports;
mod intervals;
mod kinship;
mod modules;
mod resolve;
mod standard;
pub(super) mod tree;
