//! How real planners read the tables of a query, according to their plans.

pub mod mysql;
pub mod postgres;
pub mod sqlite;

/// How a plan reads one reference to a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Read {
    /// Its alias in the plan.
    pub alias: String,
    /// Whether an index is searched, or a partial index is scanned.
    pub is_served: bool,
    /// Whether a partial index is scanned while its rows are filtered, which counts as either.
    pub is_open: bool,
    /// The indexes that are searched or scanned.
    pub indexes: Vec<String>,
    /// The text of the plan.
    pub said: String,
}

impl Read {
    /// Whether it reads the table with this alias in the query: planners number repeated names.
    pub fn is_of(&self, alias: &str) -> bool {
        let plain = self.alias.rsplit_once('_');
        let plain = plain.filter(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
        self.alias.eq_ignore_ascii_case(alias)
            || plain.is_some_and(|(plain, _)| plain.eq_ignore_ascii_case(alias))
    }
}
