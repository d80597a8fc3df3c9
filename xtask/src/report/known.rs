//! Information about a workspace that is collected before its queries are checked: which tables get rows, judging by
//! keywords, and which tables its cached reads name.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use query_budget_analysis::check::{Checker, Database, Databases};
use query_budget_analysis::lints::{CachedTables, Growth, cached_tables};
use query_budget_analysis::rust::{Site, SiteSql};
use query_budget_analysis::schema::Name;
use query_budget_analysis::sql::Dialect;

use super::advice::made_by;
use crate::input::Batch;

/// Information about a workspace.
pub(super) struct Known {
    growth: Growth,
    /// By the source of the schema.
    cached: HashMap<Option<PathBuf>, CachedTables>,
    nothing_cached: CachedTables,
    databases: Databases,
}

impl Known {
    pub(super) fn of(batches: &[Batch], base: &Path) -> Known {
        let mut cached: HashMap<Option<PathBuf>, CachedTables> = HashMap::new();
        for batch in batches {
            let sites = batch.files.iter().flat_map(|file| &file.source.scan.sites);
            let tables = cached_tables(sites, batch.project.schema.as_deref(), batch.project.dialect);
            cached.entry(batch.source.clone()).or_default().extend(tables);
        }
        Known {
            growth: growth(batches, base),
            cached,
            nothing_cached: CachedTables::new(),
            databases: databases(batches),
        }
    }

    /// Whether some query of the workspace inserts into a table.
    pub(super) fn fills(&self, table: &Name) -> bool {
        self.growth.grown.contains(&table.name.to_ascii_lowercase())
    }

    /// A checker with the information for one database.
    pub(super) fn tell<'a>(&'a self, checker: Checker<'a>, source: Option<&PathBuf>) -> Checker<'a> {
        let cached = self.cached.get(&source.cloned()).unwrap_or(&self.nothing_cached);
        checker.with_growth(&self.growth).with_cached(cached).with_databases_of_files(&self.databases)
    }
}

/// The databases of the files with queries.
fn databases(batches: &[Batch]) -> Databases {
    let of_batch =
        |batch: &Batch| Database { schema: batch.project.schema.clone(), dialect: batch.project.dialect };
    let files = batches.iter().flat_map(|batch| batch.files.iter().map(move |file| (batch, file)));
    let named = files.filter_map(|(batch, file)| {
        let site = file.source.scan.sites.first()?;
        Some((site.place.file.clone(), of_batch(batch)))
    });
    named.collect()
}

/// The tables that queries outside of test code, functions of the database and migrations insert into.
fn growth(batches: &[Batch], base: &Path) -> Growth {
    let mut growth = Growth { is_whole: true, ..Growth::default() };
    // Most crates of a workspace share one database.
    let mut seen: HashSet<(&Path, Dialect)> = HashSet::new();
    for batch in batches {
        let sites = batch.files.iter().flat_map(|file| &file.source.scan.sites);
        for site in sites {
            text(site).into_iter().for_each(|text| growth.made.add(text, site.in_test));
            if site.in_test {
                continue;
            }
            match text(site) {
                Some(text) => growth.add(text),
                None => growth.is_whole = false,
            }
        }
        // What COPY sends is a text that is not a query.
        let functions = batch.files.iter().flat_map(|file| &file.source.scan.functions);
        functions.filter(|function| !function.in_test).for_each(|function| {
            growth.is_whole &= !function.flow.calls().any(|call| COPIES.contains(&call.callee.name()));
        });
        batch.bare.iter().for_each(|query| growth.add(&query.sql));
        let dialect = batch.project.dialect;
        if batch.source.as_deref().is_some_and(|source| !seen.insert((source, dialect))) {
            continue;
        }
        let schema = batch.project.schema.as_ref();
        let functions = schema.into_iter().flat_map(|schema| schema.functions.values().flatten());
        functions.for_each(|function| growth.add(function));
        if let Some(source) = &batch.source {
            let migrations = made_by(source, &batch.project, base);
            migrations.iter().for_each(|(_, text)| growth.add_migration(text));
        }
    }
    growth
}

/// The methods that send COPY.
const COPIES: &[&str] = &["copy_in", "copy_in_raw", "copy_from"];

fn text(site: &Site) -> Option<&str> {
    match (&site.sql, &site.built) {
        (SiteSql::Literal(literal), _) => Some(&literal.text),
        (_, Some(built)) => Some(&built.begin),
        _ => None,
    }
}
