//! The suggested indexes as migrations in the project's own folder, with its own numbering.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use query_budget_analysis::index::{Advice, steps};
use query_budget_analysis::project::{Project, read_migrations, shown};
use query_budget_analysis::schema::{Numbering, Schema, replay};

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
        for (database, advice) in self.advice_by_database() {
            let (Some(schema), false) = (&database.schema, advice.is_empty()) else { continue };
            let folder = folder(input, database)?;
            let (there, new) = already_made(&folder, schema, advice, base)?;
            for name in there {
                output
                    .line(format!("`{name}` is made by a migration of `{}` already", shown(&folder, base)))?;
                is_behind = true;
            }
            for path in write(&folder, schema, &new)? {
                output.line(format!("wrote `{}`", shown(&path, base)))?;
            }
        }
        if is_behind {
            output.line(
                "the snapshot is older than the migrations: write it again with `cargo query-budget schema`",
            )?;
        }
        let indexes = counted(self.advice.len(), "index", "indexes");
        output.line(match self.advice.len() {
            0 => "no index is missing: there is nothing to write".to_owned(),
            _ => format!("{indexes} would serve the queries: apply them with `sqlx migrate run`, then write the snapshot with `cargo query-budget schema`"),
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

/// Writes the files, which must not exist, and returns their paths.
fn write(folder: &Path, schema: &Schema, advice: &[Advice]) -> Result<Vec<PathBuf>, Failure> {
    let failed = |path: &Path, error: std::io::Error| {
        Failure::new(format!("write `{}`", path.display())).because(error)
    };
    let entries = std::fs::read_dir(folder)
        .map_err(|error| Failure::new(format!("read `{}`", folder.display())).because(error))?;
    let names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let mut numbering = Numbering::of(names.iter().map(String::as_str), SystemTime::now());
    let mut written = Vec::new();
    for step in steps(schema, advice) {
        let (up, down) = numbering.next(&step.description);
        let files = std::iter::once((up, step.up)).chain(down.map(|down| (down, step.down)));
        for (name, text) in files {
            let path = folder.join(name);
            let made = OpenOptions::new().write(true).create_new(true).open(&path);
            made.and_then(|mut file| file.write_all(text.as_bytes()))
                .map_err(|error| failed(&path, error))?;
            written.push(path);
        }
    }
    Ok(written)
}
