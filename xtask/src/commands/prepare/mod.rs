//! `prepare`: the entries of `.sqlx`, from the schema alone.

mod entry;
mod folders;
mod postgres;
#[cfg(feature = "live")]
mod sqlite;
mod version;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use query_budget_analysis::Place;
use query_budget_analysis::project::{Project, shown};
use query_budget_analysis::rust::{Form, SiteSql};
use query_budget_analysis::schema::Schema;
use query_budget_analysis::sql::Dialect;

use entry::{Describe, Entry, file_name};
pub(crate) use version::Sqlx;

use crate::Outcome;
use crate::args::Prepare;
use crate::failure::Failure;
use crate::input::{self, Batch};
use crate::output::Output;
use crate::report::counted;

/// A query whose entry is wanted.
struct Wanted {
    sql: Arc<str>,
    place: Place,
    /// Where its entry goes, or is.
    folder: PathBuf,
    /// Whether it stands in test code, which `cargo sqlx prepare` leaves out unless told otherwise.
    in_test: bool,
}

/// What is to be done, and what was found.
#[derive(Default)]
struct Prepared {
    /// The entries to write, by their paths.
    entries: BTreeMap<PathBuf, String>,
    /// Every file that some query has, whether its entry is certain or not.
    alive: BTreeSet<PathBuf>,
    /// The queries without a certain entry, each with why.
    unsure: Vec<(Place, PathBuf, String)>,
    queries: usize,
}

pub(crate) fn run(arguments: &Prepare, output: &mut Output) -> Result<Outcome, Failure> {
    let base = input::current_dir()?;
    let loaded = input::load(&arguments.input, &base)?;
    input::require_schema(&loaded)?;
    let mut prepared = Prepared::default();
    let mut folders = BTreeSet::new();
    for batch in &loaded.batches {
        let Some(schema) = &batch.project.schema else { continue };
        let wanted = wanted(batch, arguments)?;
        folders.extend(wanted.iter().map(|it| it.folder.clone()));
        let sqlx = arguments.sqlx.or_else(|| Sqlx::locked(&batch.project.root)).unwrap_or(Sqlx::V08);
        prepared.add(&wanted, schema, &batch.project, sqlx)?;
    }
    for why in &loaded.unread {
        output.line(format!("failed to {why}"))?;
    }
    for (place, path, why) in &prepared.unsure {
        let kept = if path.is_file() { "its entry stays as it is" } else { "it has no entry" };
        output.line(format!("unsure: {place}: {why}; {kept}"))?;
    }
    if arguments.check { check(&prepared, &folders, &base, output) } else { write(&prepared, &base, output) }
}

/// The queries of a batch that have entries: those of sqlx's own macros, or all that were named.
fn wanted(batch: &Batch, arguments: &Prepare) -> Result<Vec<Wanted>, Failure> {
    if arguments.input.queries.is_some() {
        let folder = arguments
            .output
            .clone()
            .ok_or_else(|| Failure::new("write the entries").help("say where: `--output <folder>`"))?;
        let of_bare = |query: &input::BareQuery| Wanted {
            sql: Arc::clone(&query.sql),
            place: query.place.clone(),
            folder: folder.clone(),
            in_test: false,
        };
        return Ok(batch.bare.iter().map(of_bare).collect());
    }
    let mut wanted = Vec::new();
    for file in &batch.files {
        let folder = folders::of(file, arguments.workspace);
        for site in file.source.scan.sites.iter().filter(|site| site.form == Form::SqlxMacro) {
            let sql = match &site.sql {
                SiteSql::Literal(literal) => Some(Arc::clone(&literal.text)),
                SiteSql::File(path) => file.read(path).map(Into::into),
                SiteSql::Dynamic => None,
            };
            if let Some(sql) = sql {
                let place = site.place.clone();
                wanted.push(Wanted { sql, place, folder: folder.clone(), in_test: site.in_test });
            }
        }
    }
    Ok(wanted)
}

impl Prepared {
    fn add(
        &mut self,
        wanted: &[Wanted],
        schema: &Schema,
        project: &Project,
        sqlx: Sqlx,
    ) -> Result<(), Failure> {
        let mut describe = describer(schema, project.dialect)?;
        for it in wanted {
            let path = it.folder.join(file_name(&it.sql));
            let is_new = self.alive.insert(path.clone());
            if !is_new {
                continue;
            }
            self.queries += 1;
            if it.in_test && !path.is_file() {
                continue;
            }
            match describe(&it.sql, sqlx) {
                Ok(describe) => {
                    let text = Entry::new(&it.sql, project.dialect, describe).text();
                    self.entries.insert(path, text);
                }
                Err(why) => self.unsure.push((it.place.clone(), path, why)),
            }
        }
        Ok(())
    }
}

/// What describes the queries of a database.
type Describer<'s> = Box<dyn FnMut(&str, Sqlx) -> Result<Describe, String> + 's>;

fn describer(schema: &Schema, dialect: Dialect) -> Result<Describer<'_>, Failure> {
    #[cfg(feature = "live")]
    if dialect == Dialect::Sqlite {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::new("start the runtime").because(error))?;
        let mut memory = runtime.block_on(sqlite::Memory::of(schema))?;
        return Ok(Box::new(move |sql, sqlx| runtime.block_on(memory.describe(sql, sqlx))));
    }
    Ok(Box::new(move |sql, sqlx| entry::describe(sql, schema, dialect, sqlx)))
}

/// Writes what is not there yet as it is to be.
fn write(prepared: &Prepared, base: &Path, output: &mut Output) -> Result<Outcome, Failure> {
    let mut written = 0;
    for (path, text) in &prepared.entries {
        if std::fs::read_to_string(path).is_ok_and(|there| there == *text) {
            continue;
        }
        let failed = |error| Failure::new(format!("write `{}`", shown(path, base))).because(error);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        std::fs::write(path, text).map_err(failed)?;
        written += 1;
    }
    output.line(format!(
        "prepared {}: {written} written, {} up to date, {} unsure",
        counted(prepared.queries, "query", "queries"),
        prepared.entries.len() - written,
        prepared.unsure.len()
    ))?;
    Ok(Outcome::Clean)
}

/// Names the entries that are not as they would be written.
fn check(
    prepared: &Prepared,
    folders: &BTreeSet<PathBuf>,
    base: &Path,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    let (mut stale, mut missing) = (0, 0);
    for (path, text) in &prepared.entries {
        match std::fs::read_to_string(path) {
            Ok(there) if folders::is_same(&there, text) => {}
            Ok(_) => {
                stale += 1;
                output.line(format!("stale: `{}`", shown(path, base)))?;
            }
            Err(_) => {
                missing += 1;
                output.line(format!("missing: `{}`", shown(path, base)))?;
            }
        }
    }
    let dead: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| folders::entries(folder))
        .filter(|path| !prepared.alive.contains(path))
        .collect();
    for path in &dead {
        output.line(format!("dead: `{}` is of no query in the source", shown(path, base)))?;
    }
    let unwritten = prepared.unsure.iter().filter(|(_, path, _)| !path.is_file()).count();
    output.line(format!(
        "checked {}: {stale} stale, {missing} missing, {} dead, {} unsure",
        counted(prepared.queries, "query", "queries"),
        dead.len(),
        prepared.unsure.len()
    ))?;
    let is_clean = stale + missing + dead.len() + unwritten == 0;
    Ok(if is_clean { Outcome::Clean } else { Outcome::Findings })
}
