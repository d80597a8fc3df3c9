//! [`Tally`]: what has been counted in one scope.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use crate::report::Statement;
use crate::site::Site;

/// One thing seen of one query; the parts that do not apply are zero.
#[derive(Clone, Copy, Default)]
pub(crate) struct Seen {
    pub(crate) executions: usize,
    pub(crate) rows: usize,
    pub(crate) time: Duration,
    /// The driver's name for its database, known once the query is executed.
    pub(crate) database: &'static str,
}

/// The queries of one scope, each with how often it ran, in the order in which they first ran.
#[derive(Default)]
pub(crate) struct Tally {
    statements: Vec<Statement>,
    /// Positions in `statements`.
    positions: HashMap<Key, usize>,
    /// The site added to last and its position: each execution is added to a few times in a row.
    last: Option<(usize, usize)>,
    /// Executions already counted that sqlx has yet to tell of, by their text.
    #[cfg(feature = "tracing")]
    announced: HashMap<&'static str, usize>,
}

/// What makes two executions the same statement.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    /// The address of the site.
    Site(usize),
    /// The text, where that is all there is.
    #[cfg(feature = "tracing")]
    Text(String),
}

impl Tally {
    pub(crate) fn add(&mut self, site: &'static Site, seen: Seen) {
        #[cfg(feature = "tracing")]
        if seen.executions > 0 {
            *self.announced.entry(site.sql).or_default() += seen.executions;
        }
        let address = std::ptr::from_ref(site).addr();
        let position = match self.last {
            Some((last, position)) if last == address => position,
            _ => self.position(Key::Site(address), || Statement::at(site)),
        };
        self.last = Some((address, position));
        self.add_at(position, seen);
    }

    /// Adds what sqlx tells of an execution, unless that was counted when it began.
    #[cfg(feature = "tracing")]
    pub(crate) fn add_told(&mut self, sql: &str, seen: Seen) {
        match self.announced.get_mut(sql) {
            Some(left) if *left > 0 => *left -= 1,
            _ => {
                let position = self.position(Key::Text(sql.to_owned()), || Statement::raw(sql.to_owned()));
                self.add_at(position, seen);
            }
        }
    }

    /// Where the statement is, or is now put.
    fn position(&mut self, key: Key, statement: impl FnOnce() -> Statement) -> usize {
        match self.positions.entry(key) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                self.statements.push(statement());
                *entry.insert(self.statements.len() - 1)
            }
        }
    }

    fn add_at(&mut self, position: usize, seen: Seen) {
        if let Some(statement) = self.statements.get_mut(position) {
            statement.add(seen.executions, seen.rows, seen.time, seen.database);
        }
    }

    pub(crate) fn statements(&self) -> &[Statement] {
        &self.statements
    }
}
