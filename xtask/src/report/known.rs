//! Information about a workspace that is collected before its queries are checked: which tables it adds rows
//! to, judging by keywords, and which tables its cached reads name.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use query_budget_analysis::check::Checker;
use query_budget_analysis::lints::{CachedTables, cached_tables};
use query_budget_analysis::rust::{Site, SiteSql};

use crate::input::Batch;

/// Information about a workspace.
pub(super) struct Known {
    grown: HashSet<String>,
    /// By the source of the schema.
    cached: HashMap<Option<PathBuf>, CachedTables>,
    nothing_cached: CachedTables,
}

impl Known {
    pub(super) fn of(batches: &[Batch]) -> Known {
        let mut cached: HashMap<Option<PathBuf>, CachedTables> = HashMap::new();
        for batch in batches {
            let sites = batch.files.iter().flat_map(|file| &file.source.scan.sites);
            let tables = cached_tables(sites, batch.project.schema.as_ref(), batch.project.dialect);
            cached.entry(batch.source.clone()).or_default().extend(tables);
        }
        Known { grown: grown(batches), cached, nothing_cached: CachedTables::new() }
    }

    /// A checker with the information for one database.
    pub(super) fn tell<'a>(&'a self, checker: Checker<'a>, source: Option<&PathBuf>) -> Checker<'a> {
        let cached = self.cached.get(&source.cloned()).unwrap_or(&self.nothing_cached);
        checker.with_grown(&self.grown).with_cached(cached)
    }
}

/// The tables that some query outside of test code inserts into: their names without a schema, in lower case.
fn grown(batches: &[Batch]) -> HashSet<String> {
    let files = batches.iter().flat_map(|batch| &batch.files);
    let sites = files.flat_map(|file| &file.source.scan.sites).filter(|site| !site.in_test);
    let bare = batches.iter().flat_map(|batch| &batch.bare);
    let mut found = HashSet::new();
    for text in sites.filter_map(text).chain(bare.map(|query| &*query.sql)) {
        add(text, &mut found);
    }
    found
}

fn text(site: &Site) -> Option<&str> {
    match (&site.sql, &site.built) {
        (SiteSql::Literal(literal), _) => Some(&literal.text),
        (_, Some(built)) => Some(&built.begin),
        _ => None,
    }
}

/// Adds the names after `INTO` and `COPY` in a text.
fn add(text: &str, found: &mut HashSet<String>) {
    let mut words = text.split(|c: char| c.is_whitespace() || c == '(').filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case("into") || word.eq_ignore_ascii_case("copy") {
            let Some(name) = words.next() else { return };
            let last = name.rsplit('.').next().unwrap_or(name);
            found.insert(last.trim_matches(['"', '`', '[', ']']).to_ascii_lowercase());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inserted_into_is_known_by_its_words() {
        let mut found = HashSet::new();
        for text in [
            "INSERT INTO a(id) VALUES (1)",
            "insert or ignore into `b` (id) VALUES (1)",
            "WITH x AS (INSERT INTO app.\"C\" VALUES (1)) SELECT 1",
            "COPY d (a) FROM STDIN",
            "SELECT * FROM e",
        ] {
            add(text, &mut found);
        }
        let mut found: Vec<_> = found.into_iter().collect();
        found.sort();
        assert_eq!(found, ["a", "b", "c", "d"]);
    }
}
