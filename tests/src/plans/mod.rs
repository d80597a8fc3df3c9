//! How real planners read the tables of a query, as far as their plans tell.

pub mod mysql;
pub mod postgres;
pub mod sqlite;

/// How a plan reads one mention of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Read {
    /// The name it goes by in the plan.
    pub alias: String,
    /// Whether an index is searched, or a partial index is walked.
    pub is_served: bool,
    /// Whether a partial index is walked while its rows are filtered: that may be called either.
    pub is_open: bool,
    /// The indexes that are used, to search or to walk.
    pub indexes: Vec<String>,
    /// The plan's own words.
    pub said: String,
}

impl Read {
    /// Whether it is a read of the table that goes by `alias` in the query: planners number repeated names.
    pub fn is_of(&self, alias: &str) -> bool {
        let plain = self.alias.rsplit_once('_');
        let plain = plain.filter(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
        self.alias.eq_ignore_ascii_case(alias)
            || plain.is_some_and(|(plain, _)| plain.eq_ignore_ascii_case(alias))
    }
}
