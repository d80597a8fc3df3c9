//! The files of a workspace joined: modules, names, calls, and how many queries each function runs.
//!
//! [`tree`] says which module each file is, [`neighbours`] what each needs to know of the others before it is
//! walked, [`imports`] and [`modules`] what a path leads to, [`resolve`] which functions a call means, [`calls`]
//! which calls in loops reach a query, [`edges`] the tree of calls; [`intervals`] and [`bounds`] count.

pub mod bounds;
pub(super) mod calls;
pub(crate) mod catalog;
mod connections;
pub(super) mod edges;
pub(super) mod follow;
mod globs;
mod growth;
mod handed;
pub(super) mod imports;
mod intervals;
mod jobs;
mod kept;
pub(super) mod keys;
mod kinship;
mod modules;
pub(super) mod neighbours;
mod outside;
mod paged;
mod pipelined;
mod repeats;
mod resolve;
mod standard;
mod start;
mod tenants;
mod transactions;
pub(super) mod tree;
mod turn;
mod turns;
mod waits;
