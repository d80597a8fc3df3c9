//! `schema`: writes the snapshot from the migrations, or says that it is stale.

use std::path::{Path, PathBuf};

use query_budget_analysis::project::{self, Project, SNAPSHOT, read_migrations, shown};
use query_budget_analysis::render::text_notice;
use query_budget_analysis::schema::snapshot;
use query_budget_analysis::{NoticeKind, Severity};

use crate::Outcome;
use crate::args::Schema;
use crate::failure::Failure;
use crate::input::current_dir;
use crate::output::Output;
use crate::report::counted;

pub(crate) fn run(arguments: &Schema, output: &mut Output) -> Result<Outcome, Failure> {
    let base = current_dir()?;
    run_in(&base, &base, arguments, output)
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
    let to_stdout = arguments.output.as_deref() == Some(Path::new("-"));
    // A snapshot that is missing is what this command is for.
    project.notices.retain(|notice| notice.kind != NoticeKind::MissingSnapshot);
    if project.notices.iter().any(|notice| notice.kind.severity() == Severity::Error) {
        notices(&project, to_stdout, output)?;
        return Ok(Outcome::Broken);
    }

    let migrations =
        arguments.migrations.clone().or_else(|| project.migrations.clone()).ok_or_else(|| {
            Failure::new("find the migrations").help("name their folder: `--migrations <folder>`")
        })?;
    project.replay_migrations(&migrations, base)?;
    notices(&project, to_stdout, output)?;
    let Some(schema) = &project.schema else { return Ok(Outcome::Broken) };
    let text = snapshot::write(schema, &snapshot::digest(&read_migrations(&migrations, base)?.0));
    if to_stdout {
        output.line(text.trim_end_matches('\n'))?;
        return Ok(Outcome::Clean);
    }

    let path = arguments.output.clone().unwrap_or_else(|| default_output(&project, &migrations));
    let file = shown(&path, base);
    let there = if path.exists() { Some(project::read(&path)?) } else { None };
    if there.as_ref() == Some(&text) {
        output.line(format!("`{file}` is up to date"))?;
        return Ok(Outcome::Clean);
    }
    if arguments.check {
        let state = if there.is_some() { "is stale" } else { "does not exist" };
        output.line(format!("`{file}` {state}: write it with `cargo query-budget schema`"))?;
        return Ok(Outcome::Findings);
    }
    write(&path, &text).map_err(|error| Failure::new(format!("write `{file}`")).because(error))?;
    let tables = counted(schema.tables.len(), "table", "tables");
    let views = counted(schema.views.len(), "view", "views");
    output.line(format!("wrote `{file}`: {tables}, {views}"))?;
    Ok(Outcome::Clean)
}

/// Writes what could not be replayed; beside the snapshot when that is what goes to standard output.
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

/// Where the snapshot goes when nothing says: where it is, where it is configured to be, beside the migrations.
fn default_output(project: &Project, migrations: &Path) -> PathBuf {
    let configured = project.config.schema.as_ref().map(|schema| project.root.join(schema));
    let beside = || migrations.parent().unwrap_or(Path::new("")).join(SNAPSHOT);
    configured.or_else(|| project.schema_path.clone()).unwrap_or_else(beside)
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)
}
