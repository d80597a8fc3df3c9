//! Finds the schema of a project that has none in a place where tools look: among the folders whose files create tables,
//! the one that has all the tables that the queries name.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use query_budget_analysis::index::Verdict;
use query_budget_analysis::project::{
    Project, read_migrations, search_below, search_migrations, search_repository, shown,
};
use query_budget_analysis::rust::{Site, SiteSql};

use super::RustFile;
use super::migrations::{files_in, is_found, is_sql};

/// If no crate has conventionally named migrations, searches all folders of the workspace, and then of its repository.
pub(super) fn search(projects: &mut [Project], queries: &dyn Fn() -> Vec<Arc<str>>) {
    if projects.iter().any(is_found) {
        return;
    }
    let speaks = projects.iter().find(|project| project.dialect_hint.is_some());
    let Some(project) = speaks.or(projects.first()) else { return };
    let mut found = search_migrations(&project.root);
    let only = found.first().filter(|_| found.len() == 1).cloned();
    let below: Vec<PathBuf> = only.iter().flat_map(|dir| unread_below(dir, project)).collect();
    let chosen = if only.is_some() && below.is_empty() {
        only
    } else {
        found.extend(below);
        if found.is_empty() {
            found = search_repository(&project.root);
        }
        that_fits(&found, project, queries).or(only)
    };
    projects.iter_mut().for_each(|project| project.migrations.clone_from(&chosen));
}

/// The texts of the queries that the program runs, as far as they are written in these files.
pub(super) fn queries<'f>(files: impl Iterator<Item = &'f RustFile>) -> Vec<Arc<str>> {
    let sites = files.flat_map(|file| &file.source.scan.sites);
    let text = |site: &Site| match &site.sql {
        SiteSql::Literal(literal) if !site.in_test => Some(Arc::clone(&literal.text)),
        _ => None,
    };
    sites.filter_map(text).collect()
}

/// The folders in one that create tables and that the tool of its files does not read.
fn unread_below(dir: &Path, project: &Project) -> Vec<PathBuf> {
    let selected = read_migrations(dir, dir, project.dialect_hint);
    if selected.is_ok_and(|selected| selected.gap.is_none()) {
        return Vec::new();
    }
    files_in(dir).into_iter().filter(|path| path.is_dir()).flat_map(|dir| search_below(&dir)).collect()
}

/// The only folder that creates all tables that the queries name.
fn that_fits(folders: &[PathBuf], project: &Project, queries: &dyn Fn() -> Vec<Arc<str>>) -> Option<PathBuf> {
    if folders.is_empty() {
        return None;
    }
    let queries = queries();
    let mut fitting = folders.iter().filter(|dir| creates_all(dir, project, &queries));
    fitting.next().filter(|_| fitting.next().is_none()).cloned()
}

/// Whether a folder creates every table that the queries name, and there is one.
fn creates_all(dir: &Path, project: &Project, queries: &[Arc<str>]) -> bool {
    let mut trial = project.clone();
    if !trial.replay_migrations(dir, dir).is_ok_and(|count| count > 0) {
        return false;
    }
    let checker = trial.checker();
    let mut reads = 0;
    queries.iter().all(|sql| {
        let checked = checker.bare(sql, &[]);
        reads += checked.accesses.len();
        checked.accesses.iter().all(|access| access.verdict != Verdict::Unknown)
            && checked.findings.iter().all(|finding| finding.lint != "unknown_table")
    }) && reads > 0
}

/// How many options a help names.
const SHOWN: usize = 3;

/// The options that name what may be the schema of a project for which none was found.
pub(super) fn options(project: &Project, base: &Path) -> Vec<String> {
    let mut found = search_migrations(&project.root);
    if found.is_empty() {
        found = search_repository(&project.root);
    }
    let option = |dir: &PathBuf| {
        let files: Vec<PathBuf> = files_in(dir).into_iter().filter(|path| is_sql(path)).collect();
        match files.as_slice() {
            [only] => format!("`--schema {}`", shown(only, base)),
            _ => format!("`--migrations {}`", shown(dir, base)),
        }
    };
    found.iter().take(SHOWN).map(option).collect()
}
