//! The groups of lints.

use crate::finding::Level;

/// The topic of a lint, which determines its default level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// The database would refuse it, or it destroys data.
    Correctness,
    /// A function runs more queries than its budget.
    Budget,
    /// A query runs once per element.
    NPlusOne,
    /// The number of rows is unbounded.
    Bounds,
    /// A table is read in full for a few rows.
    Index,
    /// The wording of the query keeps the database from being fast.
    Shape,
    /// Right more often than not, but a matter of taste.
    Pedantic,
    /// The use of allows.
    Governance,
}

impl Group {
    /// All groups.
    pub const ALL: [Group; 8] = [
        Group::Correctness,
        Group::Budget,
        Group::NPlusOne,
        Group::Bounds,
        Group::Index,
        Group::Shape,
        Group::Pedantic,
        Group::Governance,
    ];

    /// The default level of the group's lints.
    pub fn level(self) -> Level {
        match self {
            Group::Correctness | Group::Budget => Level::Deny,
            Group::NPlusOne | Group::Bounds | Group::Index | Group::Shape | Group::Governance => Level::Warn,
            Group::Pedantic => Level::Allow,
        }
    }

    /// The name used in the docs.
    pub fn as_str(self) -> &'static str {
        match self {
            Group::Correctness => "correctness",
            Group::Budget => "budget",
            Group::NPlusOne => "n_plus_one",
            Group::Bounds => "bounds",
            Group::Index => "index",
            Group::Shape => "shape",
            Group::Pedantic => "pedantic",
            Group::Governance => "governance",
        }
    }
}
