//! The lints: one file, one name, one page each. This file defines what a lint is and lists them all.

mod allow_without_reason;
mod ambiguous_column;
mod budget_exceeded;
mod cast_on_column;
mod conflict_target;
mod count_star;
mod cross_join;
mod deep_offset;
mod explained;
mod fetch_all_for_one;
mod function_on_column;
mod invalid_clause;
mod leading_wildcard;
mod limit_without_order;
mod loop_invariant_query;
mod missing_limit;
mod missing_required_column;
mod nonunique_fetch_one;
mod not_in_subquery;
mod optional_filter;
mod parameter_count;
mod query_in_loop;
mod querying_call_in_loop;
mod random_order;
mod redundant_index;
mod row_by_row_write;
mod select_star;
mod shared;
mod syntax_error;
mod type_mismatch;
mod unbounded_children;
mod unbounded_write;
mod uncached_write;
mod undemanded_index;
mod unindexed_filter;
mod unindexed_foreign_key;
mod unindexed_sort;
mod union_without_all;
mod unknown_column;
mod unknown_lint;
mod unknown_table;
mod unused_allow;
mod values_count;

pub(crate) use missing_required_column::leaves_out;
pub(crate) use shared::built::in_loop as built_in_loop;
pub use shared::cached::{CachedTables, cached_tables};
pub use shared::database::{Made, SchemaContext};
pub use shared::group::Group;
pub use shared::growth::Growth;
pub(crate) use shared::one_key::tell_once;
pub(crate) use shared::{ALLOW_WITHOUT_REASON, UNKNOWN_LINT, UNUSED_ALLOW};

use std::cell::OnceCell;

use crate::cardinality::Cardinality;
use crate::config::Config;
use crate::finding::{Finding, Level};
use crate::index::Access;
use crate::rust::{Form, Function, LoopCall, Site, SiteSql};
use crate::schema::{Name, Schema};
use crate::sql::query::{RelationId, Source};
use crate::sql::{Dialect, Query, SyntaxError};
use crate::types::Described;

/// All lints, sorted by name.
pub const ALL: &[&Lint] = &[
    &allow_without_reason::LINT,
    &ambiguous_column::LINT,
    &budget_exceeded::LINT,
    &cast_on_column::LINT,
    &conflict_target::LINT,
    &count_star::LINT,
    &cross_join::LINT,
    &deep_offset::LINT,
    &fetch_all_for_one::LINT,
    &function_on_column::LINT,
    &invalid_clause::LINT,
    &leading_wildcard::LINT,
    &limit_without_order::LINT,
    &loop_invariant_query::LINT,
    &missing_limit::LINT,
    &missing_required_column::LINT,
    &nonunique_fetch_one::LINT,
    &not_in_subquery::LINT,
    &optional_filter::LINT,
    &parameter_count::LINT,
    &query_in_loop::LINT,
    &querying_call_in_loop::LINT,
    &random_order::LINT,
    &redundant_index::LINT,
    &row_by_row_write::LINT,
    &select_star::LINT,
    &syntax_error::LINT,
    &type_mismatch::LINT,
    &unbounded_children::LINT,
    &unbounded_write::LINT,
    &uncached_write::LINT,
    &undemanded_index::LINT,
    &unindexed_filter::LINT,
    &unindexed_foreign_key::LINT,
    &unindexed_sort::LINT,
    &union_without_all::LINT,
    &unknown_column::LINT,
    &unknown_lint::LINT,
    &unknown_table::LINT,
    &unused_allow::LINT,
    &values_count::LINT,
];

/// The schema behind the examples on the lints' pages, as DDL.
pub const EXAMPLE_SCHEMA: &str = include_str!("example.sql");

/// The lint with this name.
pub fn by_name(name: &str) -> Option<&'static Lint> {
    ALL.iter().copied().find(|lint| lint.name == name)
}

/// Declares `LINT`, using the doc comment above it as its page.
macro_rules! declare_lint {
    ($(#[doc = $doc:literal])* $name:literal, $group:ident, since $since:literal, $summary:literal, $check:expr
        $(; $($trait:ident),+)?) => {
        // The page is data: as the documentation of a private item, its examples would be compiled and never
        // read.
        #[doc = $summary]
        pub(crate) static LINT: $crate::lints::Lint = $crate::lints::Lint {
            name: $name,
            group: $crate::lints::Group::$group,
            since: $since,
            summary: $summary,
            docs: concat!($($doc, "\n"),*),
            check: $check,
            traits: &[$($($crate::lints::Trait::$trait),+)?],
        };
    };
}
use declare_lint;

/// A lint: its name, its level, and its check.
#[derive(Debug)]
pub struct Lint {
    /// The name in configuration and `allow`; also the stem of its file and its page.
    pub name: &'static str,
    /// Its topic, which determines the level.
    pub group: Group,
    /// The version that introduced it.
    pub since: &'static str,
    /// One line for tables, lowercase, without a full stop.
    pub summary: &'static str,
    /// The page: What it does, Why is this bad, Known limits, Example, Use instead.
    pub docs: &'static str,
    /// What it runs on, and the function that runs.
    pub check: Check,
    /// Its other properties.
    pub traits: &'static [Trait],
}

/// A property of a lint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trait {
    /// It reports nothing, or less, without a schema.
    NeedsSchema,
    /// It also runs on test code, where only errors that the database would raise are worth reporting.
    InTests,
    /// The database refuses what it finds.
    Refused,
    /// The database refuses it when it runs, not when it is prepared: sqlx's macros do not see it.
    WhenRun,
    /// It only reports raw sqlx code, and so never in a build.
    OnRaw,
    /// It is about a loop.
    OnLoop,
    /// It names the loops at fault.
    NamesLoops,
    /// It only reports tables that are read row by row, and says what in the query keeps an index from being
    /// used.
    OnReading,
    /// In raw code it is shown where requests are answered, and listed elsewhere.
    OfRequests,
    /// Its findings cost little in code that few users run: in raw code, reads that only administrators run are listed.
    OfMany,
    /// Its findings are intended in code that copies all data: in raw code for backups and exports they are listed.
    OfCopies,
}

impl Lint {
    /// Whether it has this property.
    pub fn is(&self, of: Trait) -> bool {
        self.traits.contains(&of)
    }

    /// Whether it is about indexes: missing ones, or ones that a condition keeps from being used.
    /// `index-check` runs these lints, and denies their findings.
    pub fn is_about_indexes(&self) -> bool {
        self.group == Group::Index || self.is(Trait::OnReading)
    }

    /// Its default levels in words, as they are shown to users.
    pub fn levels(&self) -> String {
        let level = self.group.level().as_str();
        if self.is_about_indexes() {
            return format!("{level}, {} in `index-check`", Level::Deny.as_str());
        }
        match self.group {
            Group::Correctness => format!("{level}, {} on raw sqlx", Level::Warn.as_str()),
            _ => level.to_owned(),
        }
    }

    /// Its page as Markdown: the doc comment without the space after the slashes.
    pub fn page(&self) -> String {
        let lines = self.docs.trim().lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The URL of its page.
    pub fn url(&self) -> String {
        format!("{}/blob/main/docs/lints/{}.md", env!("CARGO_PKG_REPOSITORY"), self.name)
    }
}

/// What a lint checks.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// A query, by itself and at its site.
    Query(fn(&QueryContext<'_>, &mut Vec<Finding>)),
    /// A call in a loop that reaches a query.
    Call(fn(&CallContext<'_>, &mut Vec<Finding>)),
    /// A function with a budget.
    Function(fn(&FunctionContext<'_>, &mut Vec<Finding>)),
    /// A database: its schema and all queries on it.
    Schema(fn(&SchemaContext<'_>, &mut Vec<Finding>)),
    /// The allows themselves; see `allow`.
    Governance,
}

/// The input of a query lint.
#[derive(Debug, Clone, Copy)]
pub struct QueryContext<'a> {
    /// The text of the statement as written.
    pub sql: &'a str,
    /// The resolved query, or why it could not be parsed.
    pub query: Result<&'a Query, &'a SyntaxError>,
    /// How many rows it returns; meaningless if it could not be parsed.
    pub cardinality: &'a Cardinality,
    /// How each of its tables is read; empty without a schema.
    pub accesses: &'a [Access],
    /// Its place in Rust; `None` for a standalone query (`.sql`, `.jsonl`, `.sqlx`).
    pub site: Option<&'a Site>,
    /// The queries of the same file, in source order; empty if unknown.
    pub sites: &'a [Site],
    /// The SQL dialect.
    pub dialect: Dialect,
    /// The schema; `None` without a snapshot, in which case tables, columns and indexes are not checked.
    pub schema: Option<&'a Schema>,
    /// The user's configuration.
    pub config: &'a Config,
    /// The relations that no index can serve because of how the query is written.
    pub explained: &'a [RelationId],
    /// Its types, computed on first use by `types`.
    pub described: &'a OnceCell<Described>,
    /// Whether the dialect is guessed from the query itself.
    pub is_any_dialect: bool,
    /// The tables that get rows while the workspace runs; `None` if the workspace is unknown.
    pub growth: Option<&'a Growth>,
    /// The tables that cached reads name, each with the place of one; `None` if unknown.
    pub cached: Option<&'a CachedTables>,
    /// Whether one of sqlx's macros saved the query, wherever the macro is.
    pub(crate) is_of_sqlx: bool,
    /// Whether the schema is that of the migrations as they are, without a snapshot that may be older.
    pub(crate) is_of_migrations: bool,
}

/// The input of a lint on calls.
#[derive(Debug, Clone, Copy)]
pub struct CallContext<'a> {
    /// The call, the loop around it, and the chain to the query.
    pub call: &'a LoopCall,
    /// The SQL dialect.
    pub dialect: Dialect,
    /// The schema, if known.
    pub schema: Option<&'a Schema>,
}

/// The input of a lint on functions.
#[derive(Debug, Clone, Copy)]
pub struct FunctionContext<'a> {
    /// The function, with its budget and its bound.
    pub function: &'a Function,
    /// The SQL dialect of its queries.
    pub dialect: Dialect,
}

impl CallContext<'_> {
    /// The query that the call reaches, if its text is known.
    pub fn sql(&self) -> Option<&str> {
        self.call.chain.last()?.sql.as_deref()
    }
}

impl<'a> QueryContext<'a> {
    /// The relations that no index can serve because of how the query is written; computed once, for all
    /// lints.
    pub(crate) fn find_explained(&self) -> Vec<RelationId> {
        self.query.map_or_else(|_| Vec::new(), |query| explained::relations(self, query))
    }

    /// Whether the query certainly runs on the database with the known schema: `sql!` does, and so does a
    /// query that came with the schema; a raw sqlx call may use another database of the same crate.
    pub fn is_of_this_schema(&self) -> bool {
        self.site.is_none_or(|site| site.form == Form::Checked)
    }

    /// Whether the query is in Rust and does not use this crate's macros.
    pub(crate) fn is_raw(&self) -> bool {
        self.is_of_sqlx || self.site.is_some_and(|site| site.form != Form::Checked)
    }

    /// Whether some table that the query names is in the schema.
    fn names_known_table(&self, query: &Query) -> bool {
        let known = |name: &Name| self.schema.is_some_and(|schema| schema.stored(name).is_some());
        query.relations.iter().any(|relation| matches!(&relation.source, Source::Table(name) if known(name)))
    }

    /// The queries after this one in its function.
    fn later_sites(&self) -> impl Iterator<Item = &'a Site> {
        let site = self.site;
        let follows = move |later: &&'a Site| {
            site.is_some_and(|site| later.function == site.function && later.place > site.place)
        };
        self.sites.iter().filter(follows)
    }

    /// The other queries of its function.
    fn sites_beside(&self) -> impl Iterator<Item = &'a Site> {
        let site = self.site;
        let is_beside = move |other: &&'a Site| {
            site.is_some_and(|site| other.function == site.function && other.place != site.place)
        };
        self.sites.iter().filter(is_beside)
    }

    /// Whether the query is a text that sqlx sends unchecked, so that no database has validated it. A script of several
    /// statements may create what it names.
    pub fn is_unchecked_text(&self) -> bool {
        let alone = |text: &str| {
            text.trim().trim_end_matches(';').trim_end() == self.sql.trim().trim_end_matches(';').trim_end()
        };
        let is_alone = |site: &Site| matches!(&site.sql, SiteSql::Literal(literal) if alone(&literal.text));
        let is_query = |site: &Site| site.is_text() && (!site.is_script(Dialect::Postgres) || is_alone(site));
        self.site.is_some_and(|site| is_query(site) && !site.written.contains("QueryBuilder"))
    }

    /// A finding about something that the database refuses: an error if it certainly runs there, a warning if
    /// it may run on another database.
    fn refused(&self, finding: Finding) -> Finding {
        if self.is_of_this_schema() { finding } else { finding.warns() }
    }

    /// Whether no INSERT of the workspace adds rows to a table.
    pub(crate) fn is_never_grown(&self, table: &Name) -> bool {
        self.growth.is_some_and(|growth| growth.is_never_grown(table))
    }

    /// Whether a table does not grow while the workspace runs, as far as is known.
    pub(crate) fn stays(&self, table: &Name) -> bool {
        self.growth.is_some_and(|growth| growth.stays(table))
    }

    /// Whether the configuration or the snapshot marks a table as small.
    pub fn is_small(&self, table: &Name) -> bool {
        is_small(self.config, self.schema, table)
    }
}

/// Whether the configuration or the snapshot marks a table as small.
pub(crate) fn is_small(config: &Config, schema: Option<&Schema>, table: &Name) -> bool {
    // Nobody adds indexes to the database's own tables.
    if table.schema.as_deref() == Some("pg_catalog") {
        return true;
    }
    let configured = config.tables.get(&table.to_string()).and_then(|table| table.rows);
    let measured = || schema.and_then(|schema| schema.stored(table)).and_then(|table| table.rows);
    configured.or_else(measured).is_some_and(|rows| rows <= SMALL_TABLE)
}

/// The number of rows up to which a full scan is faster than an index search.
const SMALL_TABLE: u64 = 1_000;

#[cfg(test)]
mod tests;
