//! Queries against a database other than the one whose schema is known: a crate may use several.

use std::collections::BTreeSet;

use super::CheckedSite;
use crate::rust::{Form, Site};
use crate::schema::Schema;
use crate::sql::lex::{Lexer, TokenKind};
use crate::sql::query::{Problem, ProblemKind};
use crate::sql::text::bare_parameters;
use crate::sql::{self, Dialect, Query, SyntaxError};

/// The reason given for not checking its tables.
const REASON: &str = "it runs on another database";

/// An unknown schema in the dialect of the database that a raw query runs on: that of its connection, or the
/// one that its placeholders suggest. `None` if that is `dialect`. `query` is the text resolved in `dialect`.
pub(super) fn schema(
    sql: &str,
    site: Option<&Site>,
    known: Option<&Schema>,
    dialect: Dialect,
    query: &Result<Query, SyntaxError>,
) -> Option<Schema> {
    if site.is_none_or(|site| site.form == Form::Checked) {
        return None;
    }
    if let Some(known) = known.filter(|known| !known.gaps.iter().any(|gap| gap == REASON)) {
        let misses = |query: &Query| query.problems.iter().any(|problem| name_of(problem).is_some());
        let is_other = site.is_some_and(|site| {
            changes_schema(&site.place.file, &site.function) || site.is_text() && runs_on_named_pool(site)
        });
        if is_other && query.as_ref().is_ok_and(misses) {
            return Some(Schema { gaps: vec![REASON.to_owned()], ..Schema::new(known.dialect) });
        }
    }
    if let Some(known) = site.and_then(Site::dialect) {
        return (known != dialect).then(|| Schema { gaps: vec![REASON.to_owned()], ..Schema::new(known) });
    }
    let others: &[Dialect] = match dialect {
        Dialect::MySql if has_numbered_parameter(sql) => &[Dialect::Sqlite, Dialect::Postgres],
        Dialect::Postgres if query.is_err() && !bare_parameters(sql).is_empty() => {
            &[Dialect::Sqlite, Dialect::MySql]
        }
        _ => return None,
    };
    let dialect = others.iter().copied().find(|other| sql::resolve(sql, *other, None).is_ok())?;
    Some(Schema { gaps: vec![REASON.to_owned()], ..Schema::new(dialect) })
}

/// An unknown schema for a file that opens a database of its own, if it seems to be a different one: all
/// queries are raw, and several names in them are missing from the schema without anything similar to them.
pub(super) fn schema_of_file(sites: &[CheckedSite<'_>], schema: Option<&Schema>) -> Option<Schema> {
    if !sites.iter().all(|checked| checked.site.is_text()) {
        return None;
    }
    let queries = sites.iter().filter_map(|site| site.checked.as_ref()?.1.query.as_ref().ok());
    let missed: BTreeSet<&str> = queries.flat_map(|query| &query.problems).filter_map(missed).collect();
    let reason = "the file opens a database of its own, whose tables are others".to_owned();
    let dialect = schema?.dialect;
    (missed.len() >= SEVERAL).then(|| Schema { gaps: vec![reason], ..Schema::new(dialect) })
}

/// Whether code is a migration in Rust, judging by its folder, file or module: it meets the tables of an earlier time, and
/// changes them.
fn changes_schema(file: &str, function: &str) -> bool {
    let modules = function.rsplit("::").skip(1);
    let is_word = |word: &str| matches!(word, "migration" | "migrations" | "migrator");
    file.trim_end_matches(".rs").split('/').chain(modules).any(|part| part.split('_').any(is_word))
}

/// Words in the names of pools that say nothing about which database is meant.
const GENERAL: &[&str] = &[
    "client",
    "conn",
    "connection",
    "connections",
    "data",
    "database",
    "db",
    "executor",
    "inner",
    "main",
    "master",
    "mysql",
    "pg",
    "pool",
    "pools",
    "postgres",
    "primary",
    "psql",
    "read",
    "reader",
    "replica",
    "repo",
    "ro",
    "rw",
    "sql",
    "sqlite",
    "sqlx",
    "storage",
    "store",
    "transaction",
    "tx",
    "txn",
    "write",
    "writer",
];

/// Whether the pool of a query has a name of its own, such as `stats`, which tells it from another pool.
fn runs_on_named_pool(site: &Site) -> bool {
    let field = site.call.as_ref().and_then(|call| call.field.as_deref());
    field.is_some_and(|field| !field.split('_').any(|word| GENERAL.contains(&word)))
}

/// The number of unknown names that rules out a typo.
const SEVERAL: usize = 2;

/// A table or column that the schema lacks.
fn name_of(problem: &Problem) -> Option<&str> {
    match &problem.kind {
        ProblemKind::UnknownTable { name, .. } => Some(name),
        ProblemKind::UnknownColumn { column, .. } => Some(column),
        ProblemKind::UnknownField { field, .. } => Some(field),
        _ => None,
    }
}

/// A name that the schema lacks, with nothing similar to it.
fn missed(problem: &Problem) -> Option<&str> {
    match &problem.kind {
        ProblemKind::UnknownTable { name, similar: None } => Some(name),
        ProblemKind::UnknownColumn { column, similar: None, .. } => Some(column),
        ProblemKind::UnknownField { field, similar: None, .. } => Some(field),
        _ => None,
    }
}

/// Whether a text has a numbered parameter, `$1`, which PostgreSQL and SQLite support and MySQL does not.
pub(super) fn has_numbered_parameter(sql: &str) -> bool {
    let mut tokens = Lexer::new(sql, Dialect::Postgres);
    tokens.any(|token| {
        token.kind == TokenKind::Parameter
            && sql.get(token.span.range()).is_some_and(|text| text.starts_with('$'))
    })
}
