//! The schema to check queries against: the one that the arguments name, else the project's snapshot, else
//! the result of its migrations.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use query_budget_analysis::project::{Project, shown};
use query_budget_analysis::rust::NamedDatabases;
use query_budget_analysis::schema::Coded;
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::{Notice, NoticeKind, Place};

use super::{Batch, candidates, dumps, no_migrations};
use crate::args::{Database, Input};
use crate::failure::Failure;

/// Loads the schema of every batch.
pub(super) fn load(batches: &mut [Batch], input: &Input, base: &Path) -> Result<(), Failure> {
    // Crates with the same database share the schema read for the first, and its notices are reported once.
    let mut known: BTreeMap<PathBuf, Project> = BTreeMap::new();
    let agreed = agreed(batches, input);
    let coded = share_code(batches, input);
    let mut without: Vec<usize> = Vec::new();
    for (at, batch) in batches.iter_mut().enumerate() {
        let project = &mut batch.project;
        if let Some(Database { dialect, is_mariadb }) = input.dialect {
            (project.config.dialect, project.dialect_is_told) = (Some(dialect), true);
            project.config.is_mariadb |= is_mariadb;
            // The option says what a crate's dependencies would.
            (project.dialect_hint, project.databases) = (None, NamedDatabases::default());
        }
        let source = named_source(project, input);
        let code = project.coded.first().filter(|_| project.config.schema.is_none());
        let Some(source) = source.or_else(|| Some(base.join(&code?.file))) else {
            project.settle_dialect(base);
            without.push(at);
            continue;
        };
        if let Some(coded) = coded.get(&source) {
            project.coded.clone_from(coded);
        }
        batch.source = Some(source.clone());
        match known.get(&source) {
            Some(known) => {
                project.dialect = known.dialect;
                project.schema.clone_from(&known.schema);
                project.dialect_is_guessed = known.dialect_is_guessed;
            }
            None => {
                let hint = project.dialect_hint;
                project.dialect_hint = agreed.get(&source).copied().unwrap_or(hint);
                if !read(project, input, base)? {
                    batch.source = batch.source.take().filter(|_| project.migrations.is_some());
                    without.push(at);
                }
                project.dialect_hint = hint;
                known.insert(source, project.clone());
            }
        }
    }
    tell_without(batches, &without, base);
    Ok(())
}

/// The statements of code for each source of a schema: all that the crates have that read it.
fn share_code(batches: &[Batch], input: &Input) -> BTreeMap<PathBuf, Vec<Coded>> {
    let mut shared: BTreeMap<PathBuf, Vec<Coded>> = BTreeMap::new();
    for project in batches.iter().map(|batch| &batch.project) {
        let source = input.migrations.as_ref().or(project.migrations.as_ref());
        let Some(all) = source.map(|source| shared.entry(source.clone()).or_default()) else { continue };
        for coded in &project.coded {
            if !all.contains(coded) {
                all.push(coded.clone());
            }
        }
    }
    shared
}

/// The file or folder that a project's schema is read from, if it has one outside of its code.
fn named_source(project: &Project, input: &Input) -> Option<PathBuf> {
    let explicit = input.schema.as_ref().or(input.migrations.as_ref());
    explicit.or(project.schema_path.as_ref()).or(project.migrations.as_ref()).cloned()
}

/// The database of each source of a schema: that of all crates that read it, whichever comes first and whether or not it
/// names one. Where they differ, the text shows whose it is.
fn agreed(batches: &[Batch], input: &Input) -> BTreeMap<PathBuf, Option<Dialect>> {
    let mut hints: BTreeMap<PathBuf, Vec<Dialect>> = BTreeMap::new();
    for project in batches.iter().map(|batch| &batch.project) {
        let Some(source) = named_source(project, input) else { continue };
        let of_source = hints.entry(source).or_default();
        of_source.extend(project.dialect_hint.filter(|hint| !of_source.contains(hint)));
    }
    hints.into_iter().map(|(source, hints)| (source, Dialect::only_of(&hints))).collect()
}

/// Reports once which crates have no schema, where others have one.
fn tell_without(batches: &mut [Batch], without: &[usize], base: &Path) {
    let Some(first) = without.first() else { return };
    let dirs = without.iter().filter_map(|at| batches.get(*at)?.files.first());
    let dirs: BTreeSet<String> = dirs.map(|file| format!("`{}`", shown(file.manifest_dir(), base))).collect();
    let notice = if without.len() == batches.len() || dirs.is_empty() {
        let project = batches.get(*first).map(|batch| &batch.project);
        let options = project.map(|project| candidates::options(project, base)).unwrap_or_default();
        let notice = no_schema(NONE);
        if options.is_empty() { notice } else { notice.help(format!("it may be {}", options.join(" or "))) }
    } else {
        no_schema(&format!("{} have neither a snapshot nor migrations of their database", listed(&dirs)))
    };
    if let Some(batch) = batches.get_mut(*first) {
        batch.project.notices.push(notice);
    }
}

/// The first few of several names.
fn listed(names: &BTreeSet<String>) -> String {
    const SHOWN: usize = 4;
    let first: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => first.join(", "),
        more => format!("{} and {more} more crates", first.join(", ")),
    }
}

/// Reads the schema; returns whether there is one, or a notice that says more.
fn read(project: &mut Project, input: &Input, base: &Path) -> Result<bool, Failure> {
    if let Some(path) = &input.schema {
        project.read_snapshot(path, base);
    } else if let Some(dir) = &input.migrations {
        // An empty database would look like a clean one.
        if project.replay_migrations(dir, base)? == 0 {
            return Err(no_migrations(dir, project, base));
        }
    } else if project.schema_path.is_some() {
        let foreign = dumps::foreign(project);
        project.load_schema(base);
        if let Some(path) = foreign.filter(|_| project.schema.is_some()) {
            project.told = format!("`{}`", shown(&path, base));
            project.add_code_to_schema();
            let notice = told(project);
            project.notices.push(notice.help(NAME_ANOTHER));
        }
    } else if let Some(dir) = project.migrations.clone() {
        if project.replay_migrations(&dir, base)? == 0 {
            project.settle_dialect(base);
            return Ok(false);
        }
        let notice = told(project);
        // A snapshot of the migrations would lack what the code makes.
        let is_whole = project.coded.is_empty();
        let how = if is_whole { "" } else { " --database-url <url>" };
        let help = format!("write a snapshot with `cargo query-budget schema{how}`");
        project.notices.push(notice.help(help));
    } else if project.replay_code(base) {
        let notice = told(project);
        project.notices.push(notice.help(NAME_ANOTHER));
    } else {
        return Ok(false);
    }
    Ok(true)
}

/// Says where a schema without a snapshot comes from.
fn told(project: &Project) -> Notice {
    let message =
        format!("there is no snapshot: the schema is that of {}, read as {}", project.told, project.dialect);
    Notice::new(NoticeKind::NoSnapshot, message, Place::default())
}

/// The help where a schema was found that may not be the one that is meant.
const NAME_ANOTHER: &str = "name another with `--migrations <folder>` or `--schema <file>`";

/// The notice if no crate has a schema.
const NONE: &str = "there is neither a snapshot nor a migrations folder";

fn no_schema(what: &str) -> Notice {
    let message = format!("{what}: tables, columns and indexes are not checked");
    Notice::new(NoticeKind::NoSnapshot, message, Place::default())
        .help("name one: `--migrations <folder>` or `--schema <file>`")
}
