//! Finds the statements by which code creates its tables: beside migrations, or without any.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use query_budget_analysis::project::{Project, read, shown};
use query_budget_analysis::rust::{DdlSource, DdlText, NamedDatabases, ddl_texts, is_test_path};
use query_budget_analysis::schema::Coded;
use rayon::prelude::*;

use super::workspace::Sources;

/// A file of a crate.
pub(super) struct CodeFile<'t> {
    pub(super) path: &'t Path,
    pub(super) text: &'t str,
    /// Whether it is test code.
    pub(super) in_test: bool,
}

/// Tells each crate's project the statements of its code, or of the crates that it depends on if it has none; `files`
/// returns a crate's files.
pub(super) fn find<'t>(
    crates: &[Sources],
    projects: &mut [Project],
    files: &dyn Fn(usize) -> Vec<CodeFile<'t>>,
    base: &Path,
) {
    for (owner, (sources, project)) in crates.iter().zip(projects.iter_mut()).enumerate() {
        let files = files(owner);
        let is_own = |file: &&CodeFile<'_>| !file.in_test && !is_aside(file.path, sources);
        let found: Vec<Vec<Coded>> =
            files.par_iter().filter(is_own).map(|file| coded(file, sources, base)).collect();
        project.coded = found.concat();
    }
    let own: HashMap<&Path, Vec<Coded>> = crates
        .iter()
        .zip(projects.iter())
        .map(|(sources, project)| (sources.dir.as_path(), project.coded.clone()))
        .filter(|(_, coded)| !coded.is_empty())
        .collect();
    if own.is_empty() {
        return;
    }
    let by_dir = super::migrations::by_dir(crates);
    for (sources, project) in crates.iter().zip(projects.iter_mut()).filter(|it| it.1.coded.is_empty()) {
        let mut depended = BTreeSet::new();
        super::migrations::depended_on(sources, &by_dir, &mut depended);
        project.coded = depended.iter().filter_map(|dir| own.get(*dir)).flatten().cloned().collect();
    }
}

/// Whether a file is no part of the program.
fn is_aside(path: &Path, sources: &Sources) -> bool {
    let below = shown(path, &sources.dir);
    is_test_path(&below) || below.split('/').any(|part| part == "examples" || part == "build.rs")
}

/// The statements of one file.
fn coded(file: &CodeFile<'_>, sources: &Sources, base: &Path) -> Vec<Coded> {
    let texts = ddl_texts(file.text);
    if texts.is_empty() {
        return Vec::new();
    }
    let dialect = NamedDatabases::of_source(file.text, &sources.renamed).only();
    let coded = |DdlText { line, source, is_certain }: DdlText| match source {
        DdlSource::Sql(sql) => Some(Coded { file: shown(file.path, base), line, sql, is_certain, dialect }),
        DdlSource::File(named) => {
            let folders = [file.path.parent()?, sources.manifest_dir()];
            let path = folders.iter().find_map(|folder| folder.join(&named).canonicalize().ok())?;
            let sql = read(&path).ok()?;
            Some(Coded { file: shown(&path, base), line: 1, sql, is_certain, dialect })
        }
    };
    texts.into_iter().filter_map(coded).collect()
}
