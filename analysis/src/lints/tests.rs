//! Helpers for the lints' own tests, and tests of the list of lints.

mod loops;
mod turns;

use super::*;
use crate::check::Checker;
use crate::schema::Replay;

pub(super) fn example_schema() -> Schema {
    let mut replay = Replay::new(Dialect::Postgres);
    replay.apply(EXAMPLE_SCHEMA, "example.sql");
    assert_eq!(replay.problems, []);
    replay.schema
}

/// A configuration with a lint switched on, whatever its group.
pub(super) fn with_lint_on(lint: &str) -> Config {
    let mut config = Config::default();
    let level = by_name(lint).expect("the lint is listed").group.level().max(Level::Warn);
    config.lints.insert(lint.to_owned(), level);
    config
}

/// The findings of one lint on a query over the example schema.
pub(super) fn findings(lint: &str, sql: &str) -> Vec<Finding> {
    let schema = example_schema();
    let config = with_lint_on(lint);
    let checker = Checker::new(&config, Some(&schema), Dialect::Postgres);
    let mut found = checker.query(sql, None).findings;
    found.retain(|finding| finding.lint == lint);
    found
}

/// The findings of all lints in Rust source over the example schema, with `lint` switched on.
pub(super) fn findings_in(lint: &str, source: &str) -> Vec<Finding> {
    let schema = example_schema();
    let config = with_lint_on(lint);
    let (scan, calls) = crate::rust::scan("lib.rs", source).expect("it is Rust").follow_alone();
    Checker::new(&config, Some(&schema), Dialect::Postgres).file(&scan, &calls, &|_| None).findings
}

/// The findings of one lint on a query that a method executes.
fn findings_at(lint: &str, method: &str, sql: &str) -> Vec<Finding> {
    let parameters = crate::sql::resolve(sql, Dialect::Postgres, None).map_or(0, |query| query.parameters);
    let values = ", 1".repeat(parameters);
    let source = format!("async fn run(db: &PgPool) {{ sql!({sql:?}{values}).{method}(db).await; }}");
    let mut found = findings_in(lint, &source);
    found.retain(|finding| finding.lint == lint);
    found
}

/// The tiers of the findings of a lint in the body of a function, over the example schema.
pub(super) fn tiers_in(lint: &str, body: &str) -> Vec<crate::finding::Tier> {
    let found = findings_in(lint, &format!("async fn run(db: &PgPool, ids: &[i64]) {{ {body} }}"));
    found.iter().filter(|finding| finding.lint == lint).map(|finding| finding.tier).collect()
}

/// Checks that a lint reports something for a query over the example schema.
#[track_caller]
pub(super) fn fires(lint: &str, sql: &str) {
    assert!(!findings(lint, sql).is_empty(), "{lint} is silent on {sql:?}");
}

/// Checks that a lint reports nothing for a query over the example schema.
#[track_caller]
pub(super) fn silent(lint: &str, sql: &str) {
    assert_eq!(findings(lint, sql), [], "{lint} speaks of {sql:?}");
}

/// Checks that a lint reports something for a query that a method executes.
#[track_caller]
pub(super) fn fires_at(lint: &str, method: &str, sql: &str) {
    assert!(!findings_at(lint, method, sql).is_empty(), "{lint} is silent on {sql:?} with {method}");
}

/// Checks that a lint reports nothing for a query that a method executes.
#[track_caller]
pub(super) fn silent_at(lint: &str, method: &str, sql: &str) {
    assert_eq!(findings_at(lint, method, sql), [], "{lint} speaks of {sql:?} with {method}");
}

/// The findings of a lint on databases in the schema that `ddl` creates, with these queries on it.
fn ddl_findings(lint: &str, ddl: &str, queries: &[&str]) -> Vec<Finding> {
    let mut replay = Replay::new(Dialect::Postgres);
    replay.apply(ddl, "schema.sql");
    assert_eq!(replay.problems, []);
    let config = with_lint_on(lint);
    let checker = Checker::new(&config, Some(&replay.schema), Dialect::Postgres);
    let checked: Vec<_> = queries.iter().map(|sql| checker.query(sql, None)).collect();
    let queried: Vec<_> = checked.iter().filter_map(|checked| checked.queried(true)).collect();
    let mut found = checker.schema(&queried, &|_| crate::finding::Place::default());
    found.retain(|finding| finding.lint == lint);
    found
}

#[track_caller]
pub(super) fn ddl_fires_with(lint: &str, ddl: &str, query: &str) {
    let found = ddl_findings(lint, ddl, &[query]);
    assert_eq!(found.len(), 1, "{lint} on {ddl} and {query}: {found:?}");
}

/// The tier of the only finding of a lint on a schema with a query.
#[track_caller]
pub(super) fn ddl_tier_with(lint: &str, ddl: &str, query: &str) -> crate::finding::Tier {
    let found = ddl_findings(lint, ddl, &[query]);
    let [finding] = found.as_slice() else { panic!("{lint} on {ddl} and {query}: {found:?}") };
    finding.tier
}

#[track_caller]
pub(super) fn ddl_silent_with(lint: &str, ddl: &str, query: &str) {
    assert_eq!(ddl_findings(lint, ddl, &[query]), [], "{lint} speaks of {ddl} and {query}");
}

#[track_caller]
pub(super) fn ddl_fires(lint: &str, ddl: &str) {
    let found = ddl_findings(lint, ddl, &[]);
    assert_eq!(found.len(), 1, "{lint} on {ddl}: {found:?}");
}

#[track_caller]
pub(super) fn ddl_silent(lint: &str, ddl: &str) {
    assert_eq!(ddl_findings(lint, ddl, &[]), [], "{lint} speaks of {ddl}");
}

/// The first help of a lint for a query.
#[track_caller]
pub(super) fn help(lint: &str, sql: &str) -> String {
    let found = findings(lint, sql);
    found.first().and_then(|finding| finding.help.first()).expect("the lint helps").clone()
}

#[test]
fn lints_are_listed_by_name() {
    assert!(ALL.windows(2).all(|pair| pair[0].name < pair[1].name));
    assert!(ALL.iter().all(|lint| by_name(lint.name).is_some_and(|found| std::ptr::eq(*lint, found))));
}

#[test]
fn every_page_has_its_headings() {
    for lint in ALL {
        for heading in ["What it does", "Why is this bad", "Known limits", "Example", "Use instead"] {
            assert!(lint.docs.contains(&format!(" ## {heading}\n")), "{}: {heading}", lint.name);
        }
    }
}
