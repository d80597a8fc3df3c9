//! `new-lint NAME`: creates everything a lint needs, so that only the lint itself remains to be written.

mod insert;

use std::fs;
use std::path::{Path, PathBuf};

use query_budget_analysis::Level;
use query_budget_analysis::lints::{self, Group};
use query_budget_analysis::project::read;

use crate::Outcome;
use crate::args::NewLint;
use crate::failure::Failure;
use crate::output::Output;

const LINT: &str = include_str!("templates/lint.rs.txt");
const FIRES: &str = include_str!("templates/fires.rs.txt");
const SILENT: &str = include_str!("templates/silent.rs.txt");

/// The file that lists the lints.
const REGISTRY: &str = "analysis/src/lints/mod.rs";
/// The configuration of the UI cases.
const UI_CONFIG: &str = "tests/ui/query-budget.toml";

pub(crate) fn run(arguments: &NewLint, output: &mut Output) -> Result<Outcome, Failure> {
    let (name, group) = (arguments.name.as_str(), arguments.group);
    if !Path::new(REGISTRY).is_file() {
        return Err(Failure::new(format!("find `{REGISTRY}`"))
            .help("run it at the root of the query-budget workspace"));
    }
    if lints::by_name(name).is_some() {
        return Err(Failure::new(format!("add `{name}`")).because("there is a lint of that name"));
    }
    let folder = if group.level() == Level::Deny { "deny" } else { "warn" };
    let new = [
        (PathBuf::from(format!("analysis/src/lints/{name}.rs")), LINT),
        (PathBuf::from(format!("tests/ui/{folder}/{name}/{name}_fires.rs")), FIRES),
        (PathBuf::from(format!("tests/ui/pass/{name}/{name}_silent.rs")), SILENT),
    ];
    let mut edited = vec![
        edit(REGISTRY, |text| insert::registration(text, name))?,
        edit("CHANGELOG.md", |text| insert::changelog(text, name))?,
    ];
    if group.level() == Level::Allow {
        // A lint that is off by default needs its cases as well.
        edited.push(edit(UI_CONFIG, |text| Some(format!("{text}{name} = \"warn\"\n")))?);
    }
    for (path, template) in &new {
        create(path, &fill(template, name, group))?;
        output.line(format!("wrote `{}`", path.display()))?;
    }
    for (path, text) in &edited {
        write(Path::new(path), text)?;
        output.line(format!("edited `{path}`"))?;
    }
    output.line(format!(
        "next: write `check` and the examples in `analysis/src/lints/{name}.rs`, then\n  \
         cargo test -p query-budget-house --test lint_pages    runs the examples\n  \
         cargo xtask docs                                      writes its page and its row in the README\n  \
         TRYBUILD=overwrite cargo test -p query-budget-ui -- cases trybuild={name}\n                                                        \
         records what the UI cases print"
    ))?;
    Ok(Outcome::Clean)
}

fn fill(template: &str, name: &str, group: Group) -> String {
    template.replace("NAME", name).replace("GROUP", &format!("{group:?}")).replace("VERSION", VERSION)
}

/// The version that introduces the lint.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The new text of an existing file.
fn edit(path: &str, change: impl Fn(&str) -> Option<String>) -> Result<(String, String), Failure> {
    let text = read(Path::new(path))?;
    let changed = change(&text).ok_or_else(|| {
        Failure::new(format!("edit `{path}`")).because("the place where a lint is listed was not found")
    })?;
    Ok((path.to_owned(), changed))
}

/// Writes a file that does not exist yet.
fn create(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error| Failure::new(format!("write `{}`", path.display())).because(error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let file = fs::OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes())).map_err(failed)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| Failure::new(format!("write `{}`", path.display())).because(error))
}
