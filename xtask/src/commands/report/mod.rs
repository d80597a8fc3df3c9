//! `report`: one file about a workspace, or about the changes since a revision.

mod functions;

use std::path::{Path, PathBuf};

use crate::Outcome;
use crate::args::{Format, Input, PageFormat, Report};
use crate::commands::budgets::revision::{Revision, WITH_SCHEMA};
use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::page::diff::Diff;
use crate::page::model::{Function, Workspace};
use crate::page::{changes, html, markdown};
use crate::replace::replace;
use crate::report::{self, Report as Found};

/// The default file name of a page.
const PAGE: &str = "query-budget-report.html";

/// Markers near the start of all pages and comments that this command writes.
const MARKS: [&str; 3] =
    ["<meta name=\"generator\" content=\"query-budget\">", markdown::MARK, "\"query_budget\": \""];

pub(crate) fn run(arguments: &Report, output: &mut Output) -> Result<Outcome, Failure> {
    if arguments.diff.is_none() && arguments.format == PageFormat::Markdown {
        return Err(Failure::new("write a report as Markdown").help("name a revision: `--diff <rev>`"));
    }
    // Checked before the work, which takes a while in a large workspace.
    let file = file(arguments);
    if let Some(file) = &file {
        check_replaceable(file, arguments.force)?;
    }
    let base = input::base(&arguments.input, Format::Json)?;
    let name = base.file_name().unwrap_or(base.as_os_str()).to_string_lossy().into_owned();
    let loaded = input::load(&arguments.input, &base)?;
    let functions = functions::functions(&loaded, &base);
    let found = report::of_everything(loaded, &base);
    if found.is_broken() {
        report::text::notices(&found, output)?;
        return Ok(Outcome::Broken);
    }
    let now = workspace(found, functions, &base, name.clone());
    let text = match &arguments.diff {
        None => match arguments.format {
            PageFormat::Json => json(&now)?,
            PageFormat::Html | PageFormat::Markdown => html::page(&now),
        },
        Some(revision) => {
            let before = before(&arguments.input, &base, revision, name)?;
            let diff = Diff::new(revision, &before, &now);
            match arguments.format {
                PageFormat::Html => changes::page(&diff),
                PageFormat::Markdown => markdown::comment(&diff),
                PageFormat::Json => json(&diff)?,
            }
        }
    };
    match file {
        None => output.exact(text.trim_end())?,
        Some(file) => {
            let shown = file.display();
            replace(&file, &text).map_err(|error| Failure::new(format!("write `{shown}`")).because(error))?;
            output.line(format!("wrote `{shown}` ({} KB)", text.len().div_ceil(1000)))?;
            output.line(&now.coverage)?;
        }
    }
    Ok(Outcome::Clean)
}

/// The data of a workspace.
fn workspace(found: Found, functions: Vec<Function>, base: &Path, name: String) -> Workspace {
    let mut page = found.into_page(base, name, functions);
    page.entry_points = functions::entry_points(&page.functions);
    page
}

/// The data of a workspace at a revision; empty if the revision lacks the folder.
fn before(input: &Input, base: &Path, revision: &str, name: String) -> Result<Workspace, Failure> {
    let revised = Revision::check_out(base, revision, WITH_SCHEMA)?;
    let old_base = revised.path.canonicalize().unwrap_or_else(|_| revised.path.clone());
    let old = |path: PathBuf| old_base.join(path.strip_prefix(base).unwrap_or(Path::new("")));
    let paths = input::scopes(input)?.into_iter().map(old).filter(|path| path.exists());
    let input = Input { paths: paths.collect(), ..input.clone() };
    if input.paths.is_empty() {
        return Ok(Workspace { name, ..Workspace::default() });
    }
    let loaded = input::load(&input, &old_base)?;
    let functions = functions::functions(&loaded, &old_base);
    Ok(workspace(report::of_everything(loaded, &old_base), functions, &old_base, name))
}

/// The file to write; `None` for standard output.
fn file(arguments: &Report) -> Option<PathBuf> {
    match (&arguments.output, arguments.format) {
        (Some(path), _) if path.as_os_str() == "-" => None,
        (Some(path), _) => Some(path.clone()),
        (None, PageFormat::Html) => Some(PAGE.into()),
        (None, PageFormat::Markdown | PageFormat::Json) => None,
    }
}

/// Fails if this would replace a file that the command did not write.
fn check_replaceable(file: &Path, force: bool) -> Result<(), Failure> {
    let shown = file.display();
    let failed = || Failure::new(format!("write `{shown}`"));
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(failed().because("its folder does not exist"));
    }
    if force || !file.exists() {
        return Ok(());
    }
    if !file.is_file() {
        return Err(failed().because("it is not a file"));
    }
    let held = std::fs::read(file).map_err(|error| failed().because(error))?;
    let head = String::from_utf8_lossy(held.get(..held.len().min(1000)).unwrap_or_default()).into_owned();
    if held.is_empty() || MARKS.iter().any(|mark| head.contains(mark)) {
        return Ok(());
    }
    Err(failed()
        .because("it was not written by this command")
        .help("name another file with `--output`, or replace it with `--force`"))
}

fn json(data: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(data);
    text.map_err(|error| Failure::new("write the report as JSON").because(error))
}
