//! Queries against a database other than the one whose schema is known: a crate may use several.

use std::collections::BTreeSet;

use super::{CheckedSite, Checker};
use crate::lints::leaves_out;
use crate::rust::{Form, NamedDatabases, Site, SiteSql};
use crate::schema::Schema;
use crate::sql::lex::{Lexer, TokenKind};
use crate::sql::query::{Problem, ProblemKind};
use crate::sql::text::bare_parameters;
use crate::sql::{self, Dialect, Query, SyntaxError};

/// The reason given for not checking its tables.
const REASON: &str = "it runs on another database";

/// An unknown schema in the dialect of the database that a raw query runs on: that of its connection, of its file, of its
/// crate, or the one that its text suggests. `None` if that is `dialect`. `query` is the text resolved in `dialect`.
pub(super) fn schema(
    checker: &Checker<'_>,
    sql: &str,
    site: Option<&Site>,
    dialect: Dialect,
    query: &Result<Query, SyntaxError>,
) -> Option<Schema> {
    if site.is_some_and(|site| site.form == Form::Checked) {
        return None;
    }
    let elsewhere = |dialect| Schema { gaps: vec![REASON.to_owned()], ..Schema::new(dialect) };
    if let Some(known) = checker.schema.filter(|known| !known.gaps.iter().any(|gap| gap == REASON)) {
        let misses = |query: &Query| {
            query.problems.iter().any(|problem| name_of(problem).is_some()) || leaves_out(query, known, site)
        };
        let is_other = site.is_some_and(|site| {
            let is_migration = changes_schema(&site.place.file, &site.function);
            is_migration
                || checker.replaces_tables && site.is_text()
                || site.is_text() && runs_on_named_pool(site)
        });
        if is_other && query.as_ref().is_ok_and(misses) {
            return Some(elsewhere(known.dialect));
        }
    }
    if let Some(known) = checker.spoken(site) {
        return (known != dialect).then(|| elsewhere(known));
    }
    let site = site?;
    if query.is_err() {
        // A crate of several databases: a text that one of the others alone reads is meant for that.
        let enabled = checker.of_crate.map_or(&[] as &[Dialect], |it| databases_for(it, site));
        let reads = |other: &&Dialect| {
            **other != dialect
                && (**other != Dialect::MySql || !has_numbered_parameter(sql))
                && sql::resolve(sql, **other, None).is_ok()
        };
        if let [only] = enabled.iter().filter(reads).collect::<Vec<_>>().as_slice() {
            return Some(elsewhere(**only));
        }
    }
    let others: &[Dialect] = match dialect {
        Dialect::MySql if has_numbered_parameter(sql) => &[Dialect::Sqlite, Dialect::Postgres],
        Dialect::Postgres if query.is_err() && !bare_parameters(sql).is_empty() => {
            &[Dialect::Sqlite, Dialect::MySql]
        }
        _ => return None,
    };
    others.iter().copied().find(|other| sql::resolve(sql, *other, None).is_ok()).map(elsewhere)
}

impl Checker<'_> {
    /// The dialect of a raw query as determined by its code, which takes precedence over that of the schema: by the type of its
    /// connection, else by what its file names, else by what its crate enables. A dialect that the user named takes precedence over
    /// the latter two.
    pub(super) fn spoken(&self, site: Option<&Site>) -> Option<Dialect> {
        if self.is_dialect_told {
            return site.and_then(Site::dialect);
        }
        let Some(site) = site else {
            // Queries outside of source were saved by sqlx.
            return Dialect::only_of(&self.of_crate?.of_sqlx);
        };
        let of_crate = self.of_crate.map_or(&[] as &[Dialect], |it| databases_for(it, site));
        // A name like `Sqlite` may also be the project's own: the crate has to have it.
        let is_enabled = |dialect: &Dialect| {
            site.form == Form::Driver || of_crate.is_empty() || of_crate.contains(dialect)
        };
        let of_file = || Dialect::only_of(databases_for(self.of_file?, site)).filter(is_enabled);
        site.dialect().or_else(of_file).or_else(|| Dialect::only_of(of_crate))
    }
}

/// The databases that a query may mean.
fn databases_for<'d>(databases: &'d NamedDatabases, site: &Site) -> &'d [Dialect] {
    if site.form == Form::Driver { &databases.of_drivers } else { &databases.of_sqlx }
}

/// An unknown schema for a file that opens a database of its own, if it seems to be a different one: all
/// queries are raw, and several names in them are missing from the schema without anything similar to them.
pub(super) fn schema_of_file(sites: &[CheckedSite<'_>], schema: Option<&Schema>) -> Option<Schema> {
    if !sites.iter().all(|checked| checked.site.is_text()) {
        return None;
    }
    let queries = sites.iter().filter_map(|site| site.checked.as_ref()?.1.query.as_ref().ok());
    let missed: BTreeSet<&str> = queries.flat_map(|query| &query.problems).filter_map(missed).collect();
    let reason = "the file opens a database of its own, which has other tables".to_owned();
    let dialect = schema?.dialect;
    (missed.len() >= SEVERAL).then(|| Schema { gaps: vec![reason], ..Schema::new(dialect) })
}

/// Whether code is a migration in Rust, judging by its folder, file, module or name: it meets the tables of an earlier time,
/// and changes them.
fn changes_schema(file: &str, function: &str) -> bool {
    let mut path = function.rsplit("::");
    let own = path.next().unwrap_or_default();
    let is_word = |word: &str| matches!(word, "migration" | "migrations" | "migrator");
    let is_place = |part: &str| {
        part.split('_').any(is_word) || matches!(part, "upgrade" | "upgrades") || names_versions(part)
    };
    file.trim_end_matches(".rs").split('/').chain(path).any(is_place) || names_versions(own)
}

/// Whether a name is that of a step between versions of a schema: `v4_to_v5`, `migrate_v3`, `upgrade_schema`.
fn names_versions(name: &str) -> bool {
    let words: Vec<&str> = name.split('_').collect();
    let is_version = |word: &&str| {
        let digits = word.strip_prefix('v').unwrap_or(word);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_schema = |word: &&str| matches!(*word, "schema" | "database" | "db" | "tables" | "version");
    let is_step =
        |word: &&str| matches!(*word, "migrate" | "migrates" | "migration" | "upgrade" | "upgrades");
    name == "migrate"
        || words.iter().any(is_step) && words.iter().any(|word| is_version(word) || is_schema(word))
        || words.windows(3).any(|part| matches!(part, [from, "to", to] if is_version(from) && is_version(to)))
}

/// Whether queries of a file rename or drop tables: the others there meet the tables of an earlier time.
pub(super) fn replaces_tables(sites: &[Site]) -> bool {
    let replaces = |site: &Site| {
        let SiteSql::Literal(literal) = &site.sql else { return false };
        let words = || literal.text.split_whitespace().take(MOST_WORDS);
        let is = |word: &str, sought: &str| word.eq_ignore_ascii_case(sought);
        let has =
            |one: &str, other: &str| words().zip(words().skip(1)).any(|(a, b)| is(a, one) && is(b, other));
        !site.in_test
            && (has("drop", "table") || has("alter", "table") && has("rename", "to"))
            && !words().any(|word| is(word, "temp") || is(word, "temporary"))
    };
    sites.iter().any(replaces)
}

/// How many words of a text are read.
const MOST_WORDS: usize = 2_000;

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

#[cfg(test)]
mod tests {
    use super::changes_schema;

    #[test]
    fn code_of_an_earlier_time_is_known_by_its_names() {
        for (file, function) in [
            ("src/migrations/a.rs", "up"),
            ("server/db/upgrade/mod.rs", "run"),
            ("src/v4_to_v5.rs", "run"),
            ("src/db.rs", "migrate_v3"),
            ("src/db.rs", "Store::upgrade_to_4"),
            ("src/db.rs", "upgrade_schema"),
            ("src/db.rs", "migrate_1_to_2::run"),
            ("src/db.rs", "migrate"),
        ] {
            assert!(changes_schema(file, function), "{file} {function}");
        }
        for (file, function) in [
            ("src/db.rs", "upgrade_account"),
            ("src/db.rs", "upgrade"),
            ("src/upgrade_account.rs", "run"),
            ("src/v2/users.rs", "move_to"),
            ("src/db.rs", "list_v2"),
            ("src/db.rs", "copy_1_to_many"),
        ] {
            assert!(!changes_schema(file, function), "{file} {function}");
        }
    }
}
