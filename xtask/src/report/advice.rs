//! Findings about each database as a whole: its indexes, and those that would serve its queries.

use std::cell::LazyCell;
use std::path::{Path, PathBuf};

use query_budget_analysis::check::Checker;
use query_budget_analysis::index::{Advice, Queried, advise};
use query_budget_analysis::project::{Project, RunBy, read, read_migrations, shown};
use query_budget_analysis::{Finding, Level, Tier, lints};

use super::known::Known;
use super::places::Places;
use super::{Query, Report, UNINDEXED, unknown};

/// A database with the queries that run on it.
pub(super) struct Database {
    /// Its configuration and schema.
    pub(super) project: Project,
    /// The queries, as positions in the report.
    pub(super) queries: Vec<usize>,
}

/// A suggested index.
pub(crate) struct IndexAdvice {
    /// The index, and the queries it serves as positions in the report.
    pub(crate) advice: Advice,
    /// The statement that creates it, without a semicolon.
    pub(crate) ddl: String,
    /// The statements that drop what it replaces, without semicolons.
    pub(crate) drops: Vec<String>,
    /// The source of its database's schema.
    source: PathBuf,
    /// The extension that it requires and that is not installed.
    pub(crate) extension: Option<&'static str>,
}

impl Query {
    /// The query as input to the advice; `None` if it could not be parsed. No index is suggested for a query
    /// that is allowed or accepted.
    fn queried(&self, checker: &Checker<'_>) -> Option<Queried<'_>> {
        let is_on = lints::by_name(UNINDEXED).is_some_and(|lint| checker.level(lint) > Level::Allow);
        let is_allowed = self.checked.used.iter().any(|allow| allow.lint == UNINDEXED);
        self.checked.queried(is_on && !is_allowed && !self.is_accepted)
    }
}

impl Report {
    /// Checks each database as a whole. Paths are shown relative to `base`.
    pub(super) fn check_databases(&mut self, known: &Known, base: &Path) {
        let mut found = Vec::new();
        for (source, database) in &self.databases {
            let checker = database.project.checker().with_index_level(self.subject.index_level());
            let checker = known.tell(checker, Some(source));
            let queries = database.queries.iter().filter_map(|at| self.queries.get(*at));
            let queried: Vec<Queried<'_>> = queries.filter_map(|query| query.queried(&checker)).collect();
            let files = made_by(source, &database.project, base);
            let places = LazyCell::new(|| Places::new(&files, database.project.dialect));
            let mut of_schema = checker.schema(&queried, &|made| places.of(made));
            super::gather::of_database(of_schema.iter_mut(), source);
            self.list_unused(database, known, &mut of_schema);
            of_schema.into_iter().for_each(|finding| add_once(&mut found, finding));
        }
        self.findings.append(&mut found);
    }

    /// Lists what is found about a schema that the program does not use: only tests make it, or all queries read other tables.
    fn list_unused(&self, database: &Database, known: &Known, found: &mut [Finding]) {
        let project = &database.project;
        let Some(schema) = &project.schema else { return };
        let all = || schema.tables.keys();
        let makes_all = |other: &Database| {
            let made = other.project.schema.as_ref().filter(|_| other.project.run_by == RunBy::Program);
            made.is_some_and(|made| all().all(|name| made.tables.contains_key(name)))
        };
        let is_of_tests = project.run_by == RunBy::Tests && self.databases.values().any(makes_all);
        let queries = database.queries.iter().filter_map(|at| self.queries.get(*at));
        let is_unread = unknown::reads_others(queries).is_some() && !all().any(|name| known.fills(name));
        for finding in found {
            let is_named = project.run_by != RunBy::Program && is_for_tests(&finding.place.file);
            let why = match (is_of_tests || is_named, is_unread) {
                (true, _) => "only tests make this schema",
                (_, true) => "no query reads a table of this schema",
                _ => continue,
            };
            finding.notes.push(why.to_owned());
            finding.tier = Tier::Listed;
        }
    }

    /// Finds indexes for unserved accesses, database by database.
    pub(super) fn advise(&mut self) {
        let mut found = Vec::new();
        for (source, database) in &self.databases {
            let project = &database.project;
            let Some(schema) = &project.schema else { continue };
            let checker = project.checker().with_index_level(self.subject.index_level());
            let queries = database.queries.iter().filter_map(|at| Some((*at, self.queries.get(*at)?)));
            let understood = queries.filter_map(|(at, query)| Some((at, query.queried(&checker)?)));
            let (places, queried): (Vec<usize>, Vec<Queried<'_>>) = understood.unzip();
            for mut advice in advise(schema, &queried, &|table| checker.is_small(table)) {
                advice.serves = advice.serves.iter().filter_map(|at| places.get(*at).copied()).collect();
                let lacks = |extension: &&str| !schema.extensions.contains(*extension);
                found.push(IndexAdvice {
                    ddl: advice.index.ddl(project.dialect),
                    drops: advice.drops(project.dialect),
                    source: source.clone(),
                    extension: advice.index.extension().filter(lacks),
                    advice,
                });
            }
        }
        self.advice = found;
    }

    /// The databases, each with the indexes suggested for it.
    pub(super) fn advice_by_database(&self) -> impl Iterator<Item = (&Project, Vec<Advice>)> {
        self.databases.iter().map(|(source, database)| {
            let advice = self.advice.iter().filter(move |it| it.source == *source);
            (&database.project, advice.map(|it| it.advice.clone()).collect())
        })
    }
}

/// Adds a finding about a schema, unless it is there: two crates may name the same migrations by a folder and by the one around it.
/// What is shown for the queries of one of them is shown.
fn add_once(found: &mut Vec<Finding>, finding: Finding) {
    let is_same = |other: &&mut Finding| {
        !finding.place.file.is_empty()
            && (other.lint, &other.place, &other.message) == (finding.lint, &finding.place, &finding.message)
    };
    match found.iter_mut().find(is_same) {
        Some(known) if finding.tier == Tier::Shown => *known = finding,
        Some(_) => {}
        None => found.push(finding),
    }
}

/// Whether the name of a file of SQL says that it is for tests: `001_schema_for_testing.sql`.
fn is_for_tests(file: &str) -> bool {
    let stem = file.rsplit('/').next().and_then(|name| name.strip_suffix(".sql")).unwrap_or_default();
    let stem = stem.to_ascii_lowercase();
    let mut words = stem.rsplit(['_', '-', '.']);
    matches!(words.next(), Some("test" | "testing" | "tests")) && words.next() == Some("for")
}

/// The files that define a schema, with their displayed paths: a snapshot, or migrations in order, and what the code
/// creates.
pub(super) fn made_by(source: &Path, project: &Project, base: &Path) -> Vec<(String, String)> {
    let coded = || project.coded.iter().map(|text| (text.file.clone(), text.on_its_lines()));
    if source.is_dir() {
        let selected = read_migrations(source, base, Some(project.dialect));
        let migrations = selected.map(|selected| selected.migrations).unwrap_or_default();
        return coded()
            .chain(migrations.into_iter().map(|migration| (migration.file, migration.sql)))
            .collect();
    }
    if project.coded.first().is_some_and(|text| base.join(&text.file) == source) {
        return coded().collect();
    }
    vec![(shown(source, base), read(source).unwrap_or_default())]
}
