//! Shared by several lints: the tables of a query, the loops around it, wrapped columns, a database as a
//! whole.

pub(super) mod built;
pub(super) mod cached;
pub(super) mod clause;
pub(super) mod database;
pub(super) mod ddl;
pub(super) mod folded;
pub(super) mod growth;
pub(super) mod guarded;
pub(super) mod loops;
pub(super) mod meant;
pub(super) mod partial;
pub(super) mod pasteable;
pub(super) mod shape;
pub(super) mod slices;
pub(super) mod spans;
pub(super) mod unbounded;
pub(super) mod wrapped;
