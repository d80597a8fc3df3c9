//! `docs`: writes everything derived from the lints' own documentation: the pages in `docs/lints`, their list
//! in the book, the README's table, and the JSON schema of the configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use query_budget_analysis::lints::{self, Lint};
use query_budget_analysis::project::read;

use super::config_schema;
use crate::Outcome;
use crate::args::Docs;
use crate::failure::Failure;
use crate::output::Output;

/// The marks around the table in the README, and around the list in the contents of the book.
const MARKS: (&str, &str) = ("<!-- lints -->\n", "<!-- /lints -->");

pub(crate) fn run(arguments: &Docs, output: &mut Output) -> Result<Outcome, Failure> {
    let pages_dir = Path::new("docs/lints");
    if !pages_dir.is_dir() {
        return Err(
            Failure::new("find `docs/lints`").help("run it at the root of the query-budget workspace")
        );
    }
    let mut wanted: BTreeMap<PathBuf, String> =
        lints::ALL.iter().map(|lint| (pages_dir.join(format!("{}.md", lint.name)), page(lint))).collect();
    let readme = PathBuf::from("README.md");
    wanted.insert(readme.clone(), between_marks(&readme, &table("docs/lints/"))?);
    let contents = PathBuf::from("docs/SUMMARY.md");
    wanted.insert(contents.clone(), between_marks(&contents, &list())?);
    wanted.insert(PathBuf::from("docs/lints.md"), format!("{LIST}{}", table("lints/")));
    wanted.insert(PathBuf::from("docs/query-budget.schema.json"), config_schema::text());

    let mut stale = 0;
    for (path, text) in &wanted {
        if std::fs::read_to_string(path).is_ok_and(|there| there == *text) {
            continue;
        }
        stale += 1;
        if arguments.check {
            output.line(format!("`{}` is not what `cargo xtask docs` writes", path.display()))?;
        } else {
            write(path, text)?;
            output.line(format!("wrote `{}`", path.display()))?;
        }
    }
    for path in pages_of_no_lint(pages_dir, &wanted)? {
        stale += 1;
        if arguments.check {
            output.line(format!("`{}` is a page, and no lint has this name", path.display()))?;
        } else {
            let failed = |error| Failure::new(format!("remove `{}`", path.display())).because(error);
            std::fs::remove_file(&path).map_err(failed)?;
            output.line(format!("removed `{}`", path.display()))?;
        }
    }
    Ok(if arguments.check && stale > 0 { Outcome::Findings } else { Outcome::Clean })
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text)
        .map_err(|error| Failure::new(format!("write `{}`", path.display())).because(error))
}

fn pages_of_no_lint(dir: &Path, wanted: &BTreeMap<PathBuf, String>) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error| Failure::new(format!("list `{}`", dir.display())).because(error);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if !wanted.contains_key(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The page of a lint.
fn page(lint: &Lint) -> String {
    format!(
        "<!-- Written by `cargo xtask docs` from analysis/src/lints/{name}.rs: edit that file. -->\n\
         \n\
         # {name}\n\
         \n\
         {summary}\n\
         \n\
         | group | level | since |\n\
         | --- | --- | --- |\n\
         | {group} | {level} | {since} |\n\
         \n\
         {docs}\n",
        name = lint.name,
        summary = sentence(lint.summary),
        group = lint.group.as_str(),
        level = lint.levels(),
        since = lint.since,
        docs = lint.page(),
    )
}

/// The text before the table in the book.
const LIST: &str = "<!-- Written by `cargo xtask docs`. -->\n\
    \n\
    # Lints\n\
    \n\
    `deny` fails the build and the command, `warn` is shown, `allow` is off. Levels are set in `query-budget.toml`, by an option of\n\
    `check`, and in one place by [an allow with a reason](adopting.md#silencing-one-place).\n\
    \n\
    Calls of sqlx itself and of other drivers are raw: they may use another database, and sqlx's macros have asked theirs. Where\n\
    a lint is `deny, warn on raw sqlx`, its findings there are warnings unless the configuration or `-D` sets its level.\n\
    \n";

/// A file with the text between its marks replaced.
fn between_marks(path: &Path, text: &str) -> Result<String, Failure> {
    let there = read(path)?;
    let parts =
        there.split_once(MARKS.0).and_then(|(before, rest)| Some((before, rest.split_once(MARKS.1)?.1)));
    let Some((before, after)) = parts else {
        let (first, last) = (MARKS.0.trim(), MARKS.1);
        return Err(Failure::new(format!("find `{first}` and `{last}` in `{}`", path.display())));
    };
    Ok(format!("{before}{}{text}{}{after}", MARKS.0, MARKS.1))
}

/// The lints as a table; `folder` is the path to their pages.
fn table(folder: &str) -> String {
    let mut table = String::from("| lint | group | level | finds |\n| --- | --- | --- | --- |\n");
    for lint in lints::ALL {
        let (name, group) = (lint.name, lint.group.as_str());
        let level = lint.levels();
        table += &format!("| [`{name}`]({folder}{name}.md) | {group} | {level} | {} |\n", lint.summary);
    }
    table
}

/// The lints as entries of the book's contents.
fn list() -> String {
    lints::ALL.iter().map(|lint| format!("  - [`{0}`](lints/{0}.md)\n", lint.name)).collect()
}

/// A summary, which is a lowercase fragment, as a sentence.
fn sentence(fragment: &str) -> String {
    let mut chars = fragment.chars();
    chars.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), chars.as_str()))
}
