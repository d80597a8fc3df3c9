//! What `DROP` drops, as data.

use super::change::Written;

/// The kind of object that `DROP` drops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// A table, including foreign tables.
    Table,
    /// MySQL: a table of the session alone.
    Temporary,
    /// A view.
    View,
    /// A materialised view.
    MaterializedView,
    /// An index.
    Index,
    /// A type or domain.
    Type,
    /// A schema; its name is the only part of the listed name.
    Schema,
    /// A sequence.
    Sequence,
    /// A collation.
    Collation,
    /// An extension.
    Extension,
    /// A function, procedure, aggregate or routine.
    Function,
}

/// `DROP`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drop {
    /// The kind of object.
    pub what: Dropped,
    /// The objects.
    pub names: Vec<Written>,
    /// `IF EXISTS`: nothing happens if there is none.
    pub if_exists: bool,
    /// `CASCADE`: its dependents are dropped too, instead of the statement being refused.
    pub cascade: bool,
    /// MySQL: the index's table.
    pub table: Option<Written>,
}
