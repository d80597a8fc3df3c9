//! From a query, or all the queries of a file, to findings: every lint is asked, levels are set, allows are applied.

mod allows;
mod edits;
mod elsewhere;
mod file;
mod query;
mod tier;

pub use edits::place_edits;

use std::collections::HashSet;
use std::sync::Arc;

use crate::cardinality::Cardinality;
use crate::config::Config;
use crate::finding::{Finding, Level, Place};
use crate::index::{Access, Queried};
use crate::lints::{self, CachedTables, Check, Lint, Made, SchemaContext};
use crate::rust::{Allow, Site};
use crate::schema::{Name, Schema};
use crate::sql::{Dialect, Query, SyntaxError};
use crate::types::Described;

/// What queries are checked against.
#[derive(Debug, Clone, Copy)]
pub struct Checker<'a> {
    config: &'a Config,
    schema: Option<&'a Schema>,
    dialect: Dialect,
    guess_dialect: bool,
    index_level: Level,
    grown: Option<&'a HashSet<String>>,
    cached: Option<&'a CachedTables>,
    has_own_database: bool,
}

/// One query after it was checked.
#[derive(Debug)]
pub struct Checked {
    /// Its meaning, or why it could not be parsed.
    pub query: Result<Query, SyntaxError>,
    /// How many rows it returns; meaningless when it could not be parsed.
    pub cardinality: Cardinality,
    /// How each table of it is read; empty without a schema.
    pub accesses: Vec<Access>,
    /// Its types, where a lint asked for them.
    pub described: Option<Described>,
    /// What is wrong, without what is allowed.
    pub findings: Vec<Finding>,
    /// The allows of its site that silenced something.
    pub used: Vec<Allow>,
}

/// A query site of a file after it was checked.
#[derive(Debug)]
pub struct CheckedSite<'s> {
    /// The site.
    pub site: &'s Site,
    /// The byte of the site's text at which this statement begins: there may be several in one.
    pub offset: usize,
    /// Its SQL and what it is; `None` when the SQL is put together at run time, or stands in a file that is not there.
    pub checked: Option<(Arc<str>, Checked)>,
}

/// A file that a query's text is read from.
#[derive(Debug, Clone)]
pub struct TextFile {
    /// Its path as it is shown.
    pub path: Arc<str>,
    /// What it holds.
    pub text: Arc<str>,
}

/// All of a file's queries, functions and allows after they were checked.
#[derive(Debug)]
pub struct CheckedFile<'s> {
    /// The queries in the order in which they stand.
    pub sites: Vec<CheckedSite<'s>>,
    /// Everything that is wrong, in the order of the places.
    pub findings: Vec<Finding>,
}

impl Checked {
    /// The query as it counts for its database; `None` when it could not be parsed. An index may be made for it when it
    /// `is_open`.
    pub fn queried(&self, is_open: bool) -> Option<Queried<'_>> {
        let query = self.query.as_ref().ok()?;
        Some(Queried { query, accesses: &self.accesses, is_open })
    }
}

impl<'a> Checker<'a> {
    /// Checks by the rules of `dialect`; without a schema nothing is said about tables, columns and indexes.
    pub fn new(config: &'a Config, schema: Option<&'a Schema>, dialect: Dialect) -> Checker<'a> {
        let index_level = lints::Group::Index.level();
        Checker {
            config,
            schema,
            dialect,
            guess_dialect: false,
            index_level,
            grown: None,
            cached: None,
            has_own_database: false,
        }
    }

    /// The same where the tables are known that the workspace adds rows to, by their names without a schema.
    pub fn with_grown(self, grown: &'a HashSet<String>) -> Checker<'a> {
        Checker { grown: Some(grown), ..self }
    }

    /// The same where the tables are known that cached reads of the workspace name.
    pub fn with_cached(self, cached: &'a CachedTables) -> Checker<'a> {
        Checker { cached: Some(cached), ..self }
    }

    /// The same for a file that opens a database by itself, where another file of its crate opens one as well: of which of
    /// them the schema is known, the names in its queries say.
    pub fn with_own_database(self, has_own_database: bool) -> Checker<'a> {
        Checker { has_own_database, ..self }
    }

    /// The same, with another level for the lints on indexes where the configuration is silent: `index-check` denies.
    pub fn with_index_level(self, index_level: Level) -> Checker<'a> {
        Checker { index_level, ..self }
    }

    /// The same where nothing says whose rules hold: each query is read by the first dialect's that it fits.
    pub fn with_guessed_dialect(self) -> Checker<'a> {
        Checker { guess_dialect: true, ..self }
    }

    /// Whether it is not known whose rules hold, so that each query is read by those that it fits.
    pub fn guesses_dialect(&self) -> bool {
        self.guess_dialect
    }

    /// The level of a lint.
    pub fn level(&self, lint: &Lint) -> Level {
        let default = if lint.is_about_indexes() { self.index_level } else { lint.group.level() };
        self.config.lints.get(lint.name).copied().unwrap_or(default)
    }

    /// Whether the configuration or the snapshot says that a table is small.
    pub fn is_small(&self, table: &Name) -> bool {
        lints::is_small(self.config, self.schema, table)
    }

    /// Checks the database as a whole, on which all of `queries` run; `place_of` says where a table or index is made.
    pub fn schema(&self, queries: &[Queried<'_>], place_of: &dyn Fn(&Made<'_>) -> Place) -> Vec<Finding> {
        let Some(schema) = self.schema else { return Vec::new() };
        let context = SchemaContext::new(schema, queries, self.config, place_of);
        let mut findings = Vec::new();
        for lint in lints::ALL {
            let Check::Schema(check) = lint.check else { continue };
            self.ask(lint, &mut findings, |found| check(&context, found));
        }
        findings
    }

    /// Asks one lint, unless it is off, and sets the level of what it finds.
    fn ask(&self, lint: &Lint, findings: &mut Vec<Finding>, check: impl FnOnce(&mut Vec<Finding>)) {
        let level = self.level(lint);
        if level == Level::Allow {
            return;
        }
        let first = findings.len();
        check(findings);
        for finding in findings.iter_mut().skip(first) {
            let configured = self.config.lints.contains_key(lint.name);
            finding.level = if configured { level } else { level.min(finding.ceiling) };
        }
    }
}

#[cfg(test)]
mod loop_tests;
#[cfg(test)]
mod tests;
