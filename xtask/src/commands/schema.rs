//! `schema`: writes the snapshot from the migrations or a live database, or reports that it is stale.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use query_budget_analysis::project::{self, Project, SNAPSHOT, read_migrations, search_migrations, shown};
use query_budget_analysis::render::text_notice;
use query_budget_analysis::schema::layouts;
use query_budget_analysis::schema::snapshot;
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::{Notice, NoticeKind, Severity};

use crate::Outcome;
use crate::args::Schema;
use crate::failure::Failure;
use crate::input::{current_dir, no_migrations, workspace};
use crate::output::Output;
use crate::replace::replace;
use crate::report::counted;

pub(crate) fn run(arguments: &Schema, output: &mut Output) -> Result<Outcome, Failure> {
    let base = current_dir()?;
    let dir = match &arguments.path {
        Some(path) => {
            let failed = |error| Failure::new(format!("open `{}`", path.display())).because(error);
            path.canonicalize().map_err(failed)?
        }
        None => base.clone(),
    };
    let databases = databases(&dir, &base, arguments);
    if databases.is_empty() {
        return run_in(&dir, &base, arguments, output);
    }
    let mut worst = Outcome::Clean;
    for database in databases {
        let outcome = run_in(&database, &base, arguments, output)?;
        if outcome == Outcome::Broken || worst == Outcome::Clean {
            worst = outcome;
        }
    }
    Ok(worst)
}

/// The crates of a workspace that have a database each; nothing where the workspace has one itself, or the arguments say
/// which is meant.
fn databases(dir: &Path, base: &Path, arguments: &Schema) -> Vec<PathBuf> {
    let is_one = arguments.migrations.is_some()
        || arguments.output.is_some()
        || matches!(database_url(arguments, dir), Err(_) | Ok(Some(_)))
        || Project::locate(dir, base).migrations.is_some();
    let crates = if is_one { Vec::new() } else { workspace::crates(dir).unwrap_or_default() };
    let mut found: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    for dir in crates.into_iter().map(|it| it.dir) {
        if let Some(migrations) = Project::locate(&dir, base).migrations {
            found.entry(migrations).or_insert(dir);
        }
    }
    let mut dirs: Vec<PathBuf> = found.into_values().collect();
    dirs.sort();
    dirs
}

/// The database that the crates at or around `dir` enable, if it is one: the text of migrations may fit several.
fn of_crates(dir: &Path) -> Option<Dialect> {
    let crates = workspace::crates(dir).unwrap_or_default();
    let own = crates.iter().filter(|it| it.dir.starts_with(dir) || dir.starts_with(&it.dir));
    let mut dialects: Vec<Dialect> = own.filter_map(|it| it.dialect()).collect();
    dialects.dedup();
    Dialect::only_of(&dialects)
}

/// Runs the command for the project around `dir`. Paths are shown relative to `base`.
pub(super) fn run_in(
    dir: &Path,
    base: &Path,
    arguments: &Schema,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    let mut project = Project::locate(dir, base);
    if let Some(dialect) = arguments.dialect {
        project.config.dialect = Some(dialect);
    }
    project.dialect_hint = project.dialect_hint.or_else(|| of_crates(dir));
    let to_stdout = arguments.output.as_deref() == Some(Path::new("-"));
    // This command exists to write a missing snapshot.
    project.notices.retain(|notice| notice.kind != NoticeKind::MissingSnapshot);
    if project.notices.iter().any(|notice| notice.kind.severity() == Severity::Error) {
        notices(&project, to_stdout, output)?;
        return Ok(Outcome::Broken);
    }

    let made = match database_url(arguments, dir)? {
        Some(url) => from_database(&url, &project, base)?,
        None => from_migrations(arguments.migrations.clone(), &mut project, base)?,
    };
    project.notices.extend(made.notices);
    notices(&project, to_stdout, output)?;
    if !to_stdout && !project.told.is_empty() {
        output.line(format!("read {}", project.told))?;
    }
    let Some(text) = made.text else { return Ok(Outcome::Broken) };
    if to_stdout {
        output.exact(text.trim_end_matches('\n'))?;
        return Ok(Outcome::Clean);
    }

    let path =
        arguments.output.clone().unwrap_or_else(|| default_output(&project, made.migrations.as_deref()));
    let file = shown(&path, base);
    let there = if path.exists() { Some(project::read(&path)?) } else { None };
    let current = match &there {
        // Row counts change without the schema changing.
        Some(there) if arguments.check => snapshot::without_rows(there) == snapshot::without_rows(&text),
        there => there.as_ref() == Some(&text),
    };
    if current {
        output.line(format!("`{file}` is up to date"))?;
        return Ok(Outcome::Clean);
    }
    if arguments.check {
        let state = if there.is_some() { "is stale" } else { "does not exist" };
        output.line(format!("`{file}` {state}: write it with `cargo query-budget schema`"))?;
        return Ok(Outcome::Findings);
    }
    if !arguments.force && there.as_deref().is_some_and(|there| !snapshot::is_snapshot(there)) {
        return Err(Failure::new(format!("write `{file}`"))
            .because("it is there, and not written by `cargo query-budget schema`")
            .help("name another file with `--output`, or replace it with `--force`"));
    }
    replace(&path, &text).map_err(|error| Failure::new(format!("write `{file}`")).because(error))?;
    output.line(format!("wrote `{file}`: {}", made.holds))?;
    Ok(Outcome::Clean)
}

/// A snapshot, and what to report about it.
struct Made {
    /// `None` if there is nothing to make one from.
    text: Option<String>,
    /// A summary of its content, for display.
    holds: String,
    notices: Vec<Notice>,
    migrations: Option<PathBuf>,
}

impl Made {
    fn new(
        schema: &query_budget_analysis::schema::Schema,
        migrations: Option<PathBuf>,
        base: &Path,
    ) -> Result<Made, Failure> {
        let digest = match &migrations {
            Some(migrations) => {
                let selected = read_migrations(migrations, base, Some(schema.dialect))?;
                Some(snapshot::digest(&selected.migrations))
            }
            None => None,
        };
        let (tables, views) = (schema.tables.len(), schema.views.len());
        Ok(Made {
            text: Some(snapshot::write(schema, digest.as_deref())),
            holds: format!("{}, {}", counted(tables, "table", "tables"), counted(views, "view", "views")),
            notices: Vec::new(),
            migrations,
        })
    }
}

fn from_migrations(named: Option<PathBuf>, project: &mut Project, base: &Path) -> Result<Made, Failure> {
    let migrations = match named.or_else(|| project.migrations.clone()) {
        Some(migrations) => migrations,
        None => only_laid_out(project, base)?,
    };
    if let Some(first) = project.base_of_migrations(base) {
        project.coded.insert(0, first);
    }
    if project.replay_migrations(&migrations, base)? == 0 {
        return Err(no_migrations(&migrations, project, base));
    }
    match &project.schema {
        Some(schema) => Made::new(schema, Some(migrations), base),
        None => Ok(Made { text: None, holds: String::new(), notices: Vec::new(), migrations: None }),
    }
}

/// The only folder of the project whose files create tables, if no folder has a conventional name.
fn only_laid_out(project: &Project, base: &Path) -> Result<PathBuf, Failure> {
    let mut found = search_migrations(&project.root);
    match (found.len(), found.pop()) {
        (1, Some(only)) => Ok(only),
        (_, None) => Err(Failure::new("find the migrations: no folder holds any")
            .help(format!("name their folder: `--migrations <folder>`; looked for {}", layouts::LOOKED_FOR))),
        (_, Some(last)) => {
            found.push(last);
            let names: Vec<String> = found.iter().map(|path| format!("`{}`", shown(path, base))).collect();
            Err(Failure::new(format!("choose between {}", names.join(", ")))
                .help("name the folder of the migrations: `--migrations <folder>`"))
        }
    }
}

/// The URL of the database to read, if one is requested.
#[cfg(feature = "live")]
fn database_url(arguments: &Schema, dir: &Path) -> Result<Option<String>, Failure> {
    let asked = arguments.database_url.as_ref();
    asked.map(|given| crate::live::url(given.as_deref(), dir)).transpose()
}

#[cfg(not(feature = "live"))]
fn database_url(_: &Schema, _: &Path) -> Result<Option<String>, Failure> {
    Ok(None)
}

/// The database is assumed to have all of the project's migrations applied, if there are any.
#[cfg(feature = "live")]
fn from_database(url: &str, project: &Project, base: &Path) -> Result<Made, Failure> {
    use query_budget_analysis::Place;

    use crate::live::{Catalog, Live, block_on};

    let catalog = block_on(async {
        let mut live = Live::open(url).await?;
        Catalog::read(&mut live, "database").await
    })?;
    let place = |line: u32| Place { file: "database".into(), line, column: 1 };
    let mut made = Made::new(&catalog.schema, project.migrations.clone(), base)?;
    made.notices.extend(
        catalog
            .problems
            .into_iter()
            .map(|problem| Notice::new(NoticeKind::SkippedStatement, problem.message, place(problem.line))),
    );
    made.holds.push_str(&match catalog.looks_empty {
        true => format!(
            "; no row estimates: {} in all is not a measure of a database in use",
            counted(usize::try_from(catalog.rows).unwrap_or(usize::MAX), "row", "rows")
        ),
        false => ", with row estimates".to_owned(),
    });
    Ok(made)
}

#[cfg(not(feature = "live"))]
fn from_database(_: &str, _: &Project, _: &Path) -> Result<Made, Failure> {
    Err(Failure::not_live())
}

/// Writes what could not be replayed; to standard error if the snapshot goes to standard output.
fn notices(project: &Project, to_stderr: bool, output: &mut Output) -> Result<(), Failure> {
    for notice in &project.notices {
        let text = text_notice(notice, output.style());
        if to_stderr {
            eprintln!("{text}");
        } else {
            output.line(text)?;
        }
    }
    Ok(())
}

/// The default path of the snapshot: its current path, else the configured one, else next to the migrations.
fn default_output(project: &Project, migrations: Option<&Path>) -> PathBuf {
    let configured = project.config.schema.as_ref().map(|schema| project.root.join(schema));
    let beside = || migrations.and_then(Path::parent).unwrap_or(Path::new("")).join(SNAPSHOT);
    configured.or_else(|| project.schema_path.clone()).unwrap_or_else(beside)
}
