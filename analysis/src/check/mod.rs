//! From a query, or all queries of a file, to findings: runs every lint, sets levels, applies allows.

mod allows;
mod edits;
mod elsewhere;
mod file;
mod query;
mod tier;

pub use edits::EditedFile;
pub use tier::is_by_hand;

use std::collections::HashMap;
use std::sync::Arc;

use crate::cardinality::Cardinality;
use crate::config::Config;
use crate::finding::{Finding, Level, Place};
use crate::index::{Access, Queried};
use crate::lints::{self, CachedTables, Check, Growth, Lint, Made, SchemaContext};
use crate::rust::{Allow, LoopCall, NamedDatabases, Site};
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
    is_dialect_told: bool,
    of_crate: Option<&'a NamedDatabases>,
    of_file: Option<&'a NamedDatabases>,
    /// Whether the code of the current file renames or drops tables, so that its queries meet those of an earlier time.
    replaces_tables: bool,
    index_level: Level,
    growth: Option<&'a Growth>,
    is_command_line: bool,
    cached: Option<&'a CachedTables>,
    has_own_database: bool,
    is_of_sqlx: bool,
    is_of_migrations: bool,
    databases: Option<&'a Databases>,
}

/// The database of each file of a workspace, by its path as shown.
pub type Databases = HashMap<Arc<str>, Database>;

/// The database that the queries of a file run on, unless their connections say otherwise.
#[derive(Debug, Clone)]
pub struct Database {
    /// Its schema, if that is known.
    pub schema: Option<Arc<Schema>>,
    /// Its dialect.
    pub dialect: Dialect,
}

/// The result of checking one query.
#[derive(Debug)]
pub struct Checked {
    /// The resolved query, or why it could not be parsed.
    pub query: Result<Query, SyntaxError>,
    /// The dialect that it was read in: that of its database, which may be another than that of the schema.
    pub dialect: Dialect,
    /// How many rows it returns; meaningless if it could not be parsed.
    pub cardinality: Cardinality,
    /// How each of its tables is read; empty without a schema.
    pub accesses: Vec<Access>,
    /// Its types, if a lint needed them.
    pub described: Option<Described>,
    /// Findings that are not allowed.
    pub findings: Vec<Finding>,
    /// The allows of its site that silenced something.
    pub used: Vec<Allow>,
    /// Whether it is in a loop over data.
    pub repeats: bool,
}

/// The result of checking one statement of a query site.
#[derive(Debug)]
pub struct CheckedSite<'s> {
    /// The site whose text contains the statement.
    pub site: &'s Site,
    /// The byte of the site's text at which the statement begins; a text may hold several.
    pub offset: usize,
    /// The SQL and its result; `None` if the SQL is built at run time or its file is missing.
    pub checked: Option<(Arc<str>, Checked)>,
}

/// A file that holds the text of a query.
#[derive(Debug, Clone)]
pub struct TextFile {
    /// Its path, as shown.
    pub path: Arc<str>,
    /// Its content.
    pub text: Arc<str>,
}

/// The result of checking a file's queries, functions and allows.
#[derive(Debug)]
pub struct CheckedFile<'s> {
    /// The queries, in source order.
    pub sites: Vec<CheckedSite<'s>>,
    /// All findings, in source order.
    pub findings: Vec<Finding>,
}

impl Checked {
    /// The query as one that runs on the database; `None` if it could not be parsed. An index may be
    /// suggested for it if `is_open`.
    pub fn queried(&self, is_open: bool) -> Option<Queried<'_>> {
        let query = self.query.as_ref().ok()?;
        Some(Queried { query, accesses: &self.accesses, is_open, repeats: self.repeats })
    }
}

impl<'a> Checker<'a> {
    /// A checker for `dialect`; without a schema, tables, columns and indexes are not checked.
    pub fn new(config: &'a Config, schema: Option<&'a Schema>, dialect: Dialect) -> Checker<'a> {
        let index_level = lints::Group::Index.level();
        Checker {
            config,
            schema,
            dialect,
            guess_dialect: false,
            is_dialect_told: false,
            of_crate: None,
            of_file: None,
            replaces_tables: false,
            index_level,
            growth: None,
            is_command_line: false,
            cached: None,
            has_own_database: false,
            is_of_sqlx: false,
            is_of_migrations: false,
            databases: None,
        }
    }

    /// Says whether the schema is that of the migrations as they are, without a snapshot that may be older.
    pub fn with_schema_of_migrations(self, is_of_migrations: bool) -> Checker<'a> {
        Checker { is_of_migrations, ..self }
    }

    /// Sets the tables that get rows while the workspace runs.
    pub fn with_growth(self, growth: &'a Growth) -> Checker<'a> {
        Checker { growth: Some(growth), ..self }
    }

    /// Sets the tables that cached reads of the workspace name.
    pub fn with_cached(self, cached: &'a CachedTables) -> Checker<'a> {
        Checker { cached: Some(cached), ..self }
    }

    /// Sets the databases of all files: a call may reach a query in another crate.
    pub fn with_databases_of_files(self, databases: &'a Databases) -> Checker<'a> {
        Checker { databases: Some(databases), ..self }
    }

    /// The dialect and schema of the database that the query of a call runs on.
    fn database_of(&self, call: &LoopCall) -> (Dialect, Option<&Schema>) {
        let file = call.chain.last().map(|link| &link.place.file);
        let there = file.and_then(|file| self.databases?.get(file));
        let (dialect, schema) =
            there.map_or((self.dialect, self.schema), |it| (it.dialect, it.schema.as_deref()));
        match call.dialect {
            Some(known) if known != dialect => (known, None),
            _ => (dialect, schema),
        }
    }

    /// Marks a file that opens a database by itself, while another file of the crate opens one as well. The
    /// names in its queries then tell whether the schema is that of its database.
    pub fn with_own_database(self, has_own_database: bool) -> Checker<'a> {
        Checker { has_own_database, ..self }
    }

    /// Sets the default level for lints about indexes, where the configuration is silent: `index-check`
    /// denies.
    pub fn with_index_level(self, index_level: Level) -> Checker<'a> {
        Checker { index_level, ..self }
    }

    /// Sets the databases that the crate of the queries enables: its own, where the workspace has others.
    pub fn with_databases(self, of_crate: &'a NamedDatabases) -> Checker<'a> {
        Checker { of_crate: Some(of_crate), ..self }
    }

    /// Guesses the dialect: each query is read in the first dialect that it parses in.
    pub fn with_guessed_dialect(self) -> Checker<'a> {
        Checker { guess_dialect: true, ..self }
    }

    /// Marks the dialect as the user's word, before what files and crates name.
    pub fn with_told_dialect(self, is_dialect_told: bool) -> Checker<'a> {
        Checker { is_dialect_told, ..self }
    }

    /// The effective level of a lint.
    pub fn level(&self, lint: &Lint) -> Level {
        let default = if lint.is_about_indexes() { self.index_level } else { lint.group.level() };
        self.config.lints.get(lint.name).copied().unwrap_or(default)
    }

    /// Whether the configuration or the snapshot marks a table as small.
    pub fn is_small(&self, table: &Name) -> bool {
        lints::is_small(self.config, self.schema, table)
    }

    /// Checks the database as a whole against all `queries` that run on it; `place_of` says where a table or
    /// index is created.
    pub fn schema(&self, queries: &[Queried<'_>], place_of: &dyn Fn(&Made<'_>) -> Place) -> Vec<Finding> {
        let Some(schema) = self.schema else { return Vec::new() };
        let context = SchemaContext::new(schema, queries, self.config, place_of).with_growth(self.growth);
        let mut findings = Vec::new();
        for lint in lints::ALL {
            let Check::Schema(check) = lint.check else { continue };
            self.ask(lint, &mut findings, |found| check(&context, found));
        }
        findings
    }

    /// Runs one lint, unless it is off, and sets the level of its findings.
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
#[cfg(test)]
mod transaction_tests;
