//! The suggested indexes as migrations in the project's own folder, in the form that the tool requires that
//! applies them.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use query_budget_analysis::index::{Advice, steps};
use query_budget_analysis::project::{Project, read_migrations, shown};
use query_budget_analysis::schema::{Convention, Schema, Written, replay};

use super::coverage::counted;
use super::{Report, text};
use crate::Outcome;
use crate::args::Input;
use crate::failure::Failure;
use crate::output::Output;

impl Report {
    /// Writes migrations that create the suggested indexes, database by database, and reports the files.
    /// Paths are shown relative to `base`.
    pub(super) fn write_migrations(
        &self,
        input: &Input,
        base: &Path,
        output: &mut Output,
    ) -> Result<Outcome, Failure> {
        text::notices(self, output)?;
        if self.is_broken() {
            return Ok(Outcome::Broken);
        }
        let mut is_behind = false;
        let mut commands = BTreeSet::new();
        for (database, advice) in self.advice_by_database() {
            let (Some(schema), false) = (&database.schema, advice.is_empty()) else { continue };
            let folder = folder(input, database)?;
            let (there, new) = already_made(&folder, schema, advice, base)?;
            for name in there {
                output
                    .line(format!("`{name}` is made by a migration of `{}` already", shown(&folder, base)))?;
                is_behind = true;
            }
            if new.is_empty() {
                continue;
            }
            let mut convention = convention(&folder, schema, base)?;
            for path in write(&folder, &files(&mut convention, &folder, schema, &new, base)?)? {
                output.line(format!("wrote `{}`", shown(&path, base)))?;
            }
            commands.insert(convention.command());
        }
        if is_behind {
            output.line(
                "the snapshot is older than the migrations: write it again with `cargo query-budget schema`",
            )?;
        }
        let indexes = counted(self.advice.len(), "index", "indexes");
        output.line(match self.advice.len() {
            0 => "no index is missing: there is nothing to write".to_owned(),
            _ if commands.is_empty() => format!("{indexes} would serve the queries"),
            _ => {
                let commands = commands.into_iter().collect::<Vec<_>>().join(", ");
                format!("{indexes} would serve the queries: {commands}, then write the snapshot with `cargo query-budget schema`")
            }
        })?;
        output.line(self.coverage())?;
        Ok(Outcome::Clean)
    }
}

/// The folder of a database's migrations.
fn folder(input: &Input, database: &Project) -> Result<PathBuf, Failure> {
    input.migrations.clone().or_else(|| database.migrations.clone()).ok_or_else(|| {
        Failure::new("find the folder of the migrations")
            .help("name it: `--migrations <folder>`, or `migrations = \"..\"` in `query-budget.toml`")
    })
}

/// Splits the advice into the names of indexes that the folder's migrations already create, which a stale
/// snapshot lacks, and the rest.
fn already_made(
    folder: &Path,
    schema: &Schema,
    advice: Vec<Advice>,
    base: &Path,
) -> Result<(Vec<String>, Vec<Advice>), Failure> {
    let migrations = read_migrations(folder, base, Some(schema.dialect))?.migrations;
    let replayed = replay(&migrations, schema.dialect).schema;
    let made: BTreeSet<&str> =
        replayed.tables.values().flat_map(|table| &table.indexes).map(|index| index.name.as_str()).collect();
    let (there, new): (Vec<Advice>, Vec<Advice>) =
        advice.into_iter().partition(|advice| made.contains(advice.name.as_str()));
    Ok((there.into_iter().map(|advice| advice.name).collect(), new))
}

/// How the folder's migrations are named and written.
fn convention(folder: &Path, schema: &Schema, base: &Path) -> Result<Convention, Failure> {
    let selected = read_migrations(folder, folder, Some(schema.dialect))?;
    let files: Vec<&str> = selected.migrations.iter().map(|migration| migration.file.as_str()).collect();
    let is_there = |path: &str| folder.join(path).is_file();
    Convention::of(selected.tool, &files, &is_there, SystemTime::now()).ok_or_else(|| nameless(folder, base))
}

/// The files of the migrations that create the indexes.
fn files(
    convention: &mut Convention,
    folder: &Path,
    schema: &Schema,
    advice: &[Advice],
    base: &Path,
) -> Result<Vec<Written>, Failure> {
    let mut files = Vec::new();
    for step in steps(schema, advice) {
        let next = convention.next(&step.description, &step.up, &step.down);
        files.extend(next.ok_or_else(|| nameless(folder, base))?);
    }
    Ok(files)
}

fn nameless(folder: &Path, base: &Path) -> Failure {
    Failure::new(format!("name the next migration in `{}`", shown(folder, base)))
        .because("its files have no number that can be continued")
        .help("write the statements that `index-check` prints into a migration of your own")
}

/// Writes the files, which must not exist, and returns their paths.
fn write(folder: &Path, files: &[Written]) -> Result<Vec<PathBuf>, Failure> {
    let failed = |path: &Path, error: std::io::Error| {
        Failure::new(format!("write `{}`", path.display())).because(error)
    };
    let mut written = Vec::new();
    for (name, text) in files {
        let path = folder.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        }
        let made = OpenOptions::new().write(true).create_new(true).open(&path);
        made.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| failed(&path, error))?;
        written.push(path);
    }
    Ok(written)
}
