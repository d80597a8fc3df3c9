//! What runs the migrations in the folders of a workspace: code of its programs, or its tests alone.

use std::collections::HashMap;
use std::path::PathBuf;

use query_budget_analysis::project::{Project, RunBy};

use super::coded::CodeFile;
use super::workspace::Sources;

/// What embeds a folder as a text, outside of the attribute of a test.
const MACRO: &str = "migrate!(";
/// The attribute of a test that gets a database with the migrations of its crate, or of the folder that it names.
const TEST: &str = "sqlx::test";
/// The argument of that attribute.
const NAMED: &str = "migrations = \"";

/// Tells each project what runs its migrations; `files` returns a crate's files.
pub(super) fn tell<'t>(
    crates: &[Sources],
    projects: &mut [Project],
    files: &dyn Fn(usize) -> Vec<CodeFile<'t>>,
) {
    let mut known: HashMap<PathBuf, RunBy> = HashMap::new();
    let mut is_certain = true;
    for (owner, sources) in crates.iter().enumerate() {
        for file in files(owner) {
            let tests = file.text.find("#[cfg(test)]").unwrap_or(file.text.len());
            let in_test = |at: usize| file.in_test || sources.is_test_support || at > tests;
            for (at, _) in file.text.match_indices(MACRO) {
                let run_by = if in_test(at) { RunBy::Tests } else { RunBy::Program };
                let argument = file.text.get(at + MACRO.len()..).unwrap_or_default().trim_start();
                let folder = match argument.strip_prefix('"') {
                    Some(named) => named.split('"').next(),
                    None => Some("migrations"),
                };
                note(&mut known, sources, folder, run_by);
            }
            // A folder that is known when the program runs may be any.
            is_certain &= !file.text.match_indices("Migrator::new(").any(|(at, _)| !in_test(at));
            if file.text.contains(TEST) {
                let named = file.text.split(NAMED).skip(1).filter_map(|rest| rest.split('"').next());
                named.chain(["migrations"]).for_each(|it| note(&mut known, sources, Some(it), RunBy::Tests));
            }
        }
    }
    for project in projects.iter_mut() {
        let run_by = project.migrations.as_ref().and_then(|folder| known.get(folder)).copied();
        project.run_by = match run_by.unwrap_or_default() {
            RunBy::Tests if !is_certain => RunBy::Unknown,
            run_by => run_by,
        };
    }
}

/// Notes what runs a folder, by its path from the manifest of a crate. One that tests run as well is the program's.
fn note(known: &mut HashMap<PathBuf, RunBy>, sources: &Sources, folder: Option<&str>, run_by: RunBy) {
    let Some(path) = folder.and_then(|it| sources.manifest_dir().join(it).canonicalize().ok()) else {
        return;
    };
    let noted = known.entry(path).or_insert(run_by);
    if run_by == RunBy::Program {
        *noted = run_by;
    }
}
