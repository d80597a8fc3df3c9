//! `init`: sets up a workspace, without changing what already exists.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use query_budget_analysis::config;
use query_budget_analysis::project::{
    MIGRATIONS, OURS, Project, SNAPSHOT, dependency, dependency_on_ours, read, read_migrations, shown,
    workspace_root,
};
use query_budget_analysis::schema::guess_dialect;
use query_budget_analysis::sql::Dialect;

use super::prepare::Version;
use super::schema;
use crate::Outcome;
use crate::args::{Init, Schema};
use crate::failure::Failure;
use crate::input::workspace::{self, Crate};
use crate::output::Output;

/// The alias that makes `cargo xtask` run `cargo query-budget`.
const ALIAS: &str = "xtask = \"query-budget\"";

pub(crate) fn run(arguments: &Init, output: &mut Output) -> Result<Outcome, Failure> {
    let given = arguments.path.display();
    let root = arguments
        .path
        .canonicalize()
        .map_err(|error| Failure::new(format!("open `{given}`")).because(error))?;
    let crates = workspace::crates(&root)?;
    let databases = databases(&root, &crates);
    let of_sqlx = dialect_of_sqlx(&crates);
    // The only database is that of every package: each finds a configuration above it.
    let is_one = databases.len() == 1;
    for (dir, dialect) in &databases {
        let above = if is_one && !dir.join(config::FILE_NAME).exists() { &root } else { dir };
        init_database(dir, above, dialect.or(of_sqlx), &root, output)?;
    }
    if databases.is_empty() {
        let config = Config { dialect: of_sqlx.unwrap_or(Dialect::Postgres), below: Path::new("") };
        config.write(&root.join(config::FILE_NAME), &root, output)?;
        output.line(format!(
            "no `{MIGRATIONS}` folder was found: name yours in `{}`, then run `cargo query-budget schema`",
            config::FILE_NAME
        ))?;
    }
    if arguments.alias {
        write_alias(&root, output)?;
    }
    next_steps(databases.is_empty(), output)?;
    undeclared(&root, &crates, output)?;
    unwatched(&root, output)?;
    Ok(Outcome::Clean)
}

/// Prints the next steps.
fn next_steps(lacks_schema: bool, output: &mut Output) -> Result<(), Failure> {
    output.line("")?;
    output.line("next:")?;
    let schema = ("cargo query-budget schema", "writes the snapshot");
    let steps = [
        ("cargo query-budget check", "all lints over every query"),
        (
            "cargo query-budget check --fix",
            "once these files are committed: makes the edits that change no result",
        ),
        ("cargo query-budget index-check", "queries that no index serves, and the indexes that would"),
        ("cargo query-budget schema --check", "in CI: fails when a migration is not in the snapshot"),
    ];
    for (command, does) in lacks_schema.then_some(schema).into_iter().chain(steps) {
        output.line(format!("  {command:<34} {does}"))?;
    }
    Ok(())
}

/// Prints the dependency that has the macros for each package's version of sqlx.
fn undeclared(root: &Path, crates: &[Crate], output: &mut Output) -> Result<(), Failure> {
    for package in crates {
        let workspace = workspace_root(&package.dir);
        let is_done = dependency_on_ours(&package.dir, &workspace).is_some();
        if is_done || dependency(&package.dir, &workspace, "sqlx").is_none() {
            continue;
        }
        let version = Version::locked(&package.dir).or_else(|| Version::required(&package.dir));
        let (Some(ours), Some(dialect)) = (version.and_then(Version::ours), package.dialect()) else {
            continue;
        };
        output.line(format!(
            "  {:<34} `{}` in its dependencies: `sql!` and related macros",
            shown(&package.dir.join("Cargo.toml"), root),
            declaration(ours, Some(dialect))
        ))?;
    }
    Ok(())
}

/// A dependency on one of the packages that provide the macros, by the name that both have in code; where it comes from is left
/// open.
pub(super) fn declaration(ours: &str, dialect: Option<Dialect>) -> String {
    let package = if ours == OURS { String::new() } else { format!("package = \"{ours}\", ") };
    let features = dialect.map_or(String::new(), |dialect| format!("features = [\"{dialect}\"], "));
    format!("{OURS} = {{ {package}{features}.. }}")
}

/// Prints what makes a new migration rebuild the packages that have queries: a macro can have the compiler watch the files
/// that are there, and only a build script can have it watch a folder.
fn unwatched(root: &Path, output: &mut Output) -> Result<(), Failure> {
    for package in workspace::crates(root)? {
        let workspace = workspace_root(&package.dir);
        let has_queries = dependency_on_ours(&package.dir, &workspace).is_some()
            || dependency(&package.dir, &workspace, "sqlx").is_some();
        let Some(folder) = Project::locate(&package.dir, &workspace).migrations else { continue };
        let script = package.dir.join("build.rs");
        let is_watched = read(&script).is_ok_and(|text| text.contains("rerun-if-changed"));
        if is_watched || !has_queries {
            continue;
        }
        output.line(format!(
            "  {:<34} `println!(\"cargo::rerun-if-changed={}\");` in its `main`: a new migration rebuilds the package",
            shown(&script, root),
            below(&package.dir, &folder).display()
        ))?;
    }
    Ok(())
}

/// The path of a folder from another.
fn below(dir: &Path, folder: &Path) -> PathBuf {
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_path_buf());
    for (up, ancestor) in dir.ancestors().enumerate() {
        if let Ok(rest) = folder.strip_prefix(ancestor) {
            return std::iter::repeat_n(Path::new(".."), up).collect::<PathBuf>().join(rest);
        }
    }
    folder.to_path_buf()
}

/// The folders that hold migrations: the workspace's root and its crates, each with the database that its manifest enables.
fn databases(root: &Path, crates: &[Crate]) -> BTreeMap<PathBuf, Option<Dialect>> {
    let mut dirs = BTreeMap::from([(root.to_path_buf(), None)]);
    dirs.extend(crates.iter().map(|it| (it.dir.clone(), it.dialect())));
    dirs.retain(|dir, _| dir.join(MIGRATIONS).is_dir());
    dirs
}

/// The database of the packages that use sqlx, if it is the same in all: the macros are for these.
fn dialect_of_sqlx(crates: &[Crate]) -> Option<Dialect> {
    let uses_sqlx = |it: &&Crate| dependency(&it.dir, &workspace_root(&it.dir), "sqlx").is_some();
    let mut dialects = crates.iter().filter(uses_sqlx).filter_map(Crate::dialect);
    let first = dialects.next()?;
    dialects.all(|dialect| dialect == first).then_some(first)
}

/// Sets up the database whose migrations are in `dir`, with its configuration in `above`.
fn init_database(
    dir: &Path,
    above: &Path,
    enabled: Option<Dialect>,
    root: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    let migrations = dir.join(MIGRATIONS);
    let path = above.join(config::FILE_NAME);
    if !path.exists() {
        let read = read_migrations(&migrations, root, None)?.migrations;
        let dialect = enabled.or_else(|| guess_dialect(read.iter().map(|migration| migration.sql.as_str())));
        let below = dir.strip_prefix(above).unwrap_or(Path::new(""));
        Config { dialect: dialect.unwrap_or(Dialect::Postgres), below }.write(&path, root, output)?;
    } else {
        output.line(format!("`{}` is there already", shown(&path, root)))?;
    }
    let snapshot = dir.join(SNAPSHOT);
    let arguments = Schema { migrations: Some(migrations), output: Some(snapshot), ..Schema::default() };
    schema::run_in(dir, root, &arguments, output)?;
    Ok(())
}

/// What a new configuration says.
struct Config<'c> {
    dialect: Dialect,
    /// The folder of the migrations and of the snapshot, from that of the configuration.
    below: &'c Path,
}

impl Config<'_> {
    fn write(&self, path: &Path, root: &Path, output: &mut Output) -> Result<(), Failure> {
        if path.exists() {
            return output.line(format!("`{}` is there already", shown(path, root)));
        }
        write(path, &self.text())?;
        output.line(format!("wrote `{}`", shown(path, root)))
    }

    fn text(&self) -> String {
        let Config { dialect, below } = self;
        let folders = below.components().map(|folder| folder.as_os_str().to_string_lossy() + "/");
        let below: String = folders.collect();
        format!(
            "# What query-budget checks here. Every key has a default; those after a `#` are examples.\n\
             dialect = \"{dialect}\"\n\
             schema = \"{below}{SNAPSHOT}\"\n\
             migrations = \"{below}{MIGRATIONS}\"\n\
             \n\
             [lints]\n\
             # missing_limit = \"deny\"\n\
             \n\
             [tables]\n\
             # countries = {{ rows = 250 }} # a small table: index and limit lints stay silent\n"
        )
    }
}

/// Adds the alias to the workspace's cargo configuration, unless one with that name exists.
fn write_alias(root: &Path, output: &mut Output) -> Result<(), Failure> {
    let path = root.join(".cargo").join("config.toml");
    let file = shown(&path, root);
    let text = if path.exists() { read(&path)? } else { String::new() };
    if text.lines().any(|line| line.trim() == ALIAS) {
        return output.line(format!("`{file}` has the alias already"));
    }
    let Some(text) = with_alias(&text) else {
        return output
            .line(format!("`{file}` has an alias `xtask` already: use `cargo query-budget` instead of it"));
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|error| Failure::new(format!("make `{}`", shown(folder, root))).because(error))?;
    }
    write(&path, &text)?;
    output.line(format!("wrote the alias `cargo xtask` into `{file}`"))
}

/// The cargo configuration with the alias added; `None` if it has one with that name.
fn with_alias(text: &str) -> Option<String> {
    let mut in_alias = false;
    let mut at = None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        offset += line.len();
        let line = line.trim();
        if line.starts_with('[') {
            in_alias = line.starts_with("[alias]");
            if in_alias {
                at = Some(offset);
            }
        }
        let key = line.split('=').next().unwrap_or_default().trim().trim_matches('"');
        if (in_alias && key == "xtask") || key == "alias.xtask" {
            return None;
        }
    }
    let (before, after) = text.split_at_checked(at.unwrap_or(text.len()))?;
    let end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
    Some(match at {
        Some(_) => format!("{before}{end}{ALIAS}\n{after}"),
        None if before.is_empty() => format!("[alias]\n{ALIAS}\n"),
        None => format!("{before}{end}\n[alias]\n{ALIAS}\n"),
    })
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    crate::replace::replace(path, text)
        .map_err(|error| Failure::new(format!("write `{}`", path.display())).because(error))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{below, with_alias};

    #[test]
    fn a_folder_is_named_from_another() {
        for (dir, folder, expect) in [
            ("/w/app", "/w/app/migrations", "migrations"),
            ("/w/api/app", "/w/db/migrations", "../../db/migrations"),
        ] {
            assert_eq!(below(Path::new(dir), Path::new(folder)), Path::new(expect));
        }
    }

    #[test]
    fn the_alias_is_added_where_there_is_none() {
        let cases = [
            ("", "[alias]\nxtask = \"query-budget\"\n"),
            ("[build]\njobs = 2", "[build]\njobs = 2\n\n[alias]\nxtask = \"query-budget\"\n"),
            ("[alias]\nb = \"build\"\n", "[alias]\nxtask = \"query-budget\"\nb = \"build\"\n"),
            ("[alias]", "[alias]\nxtask = \"query-budget\"\n"),
        ];
        for (before, after) in cases {
            assert_eq!(with_alias(before).as_deref(), Some(after), "{before:?}");
        }
    }

    #[test]
    fn an_alias_of_that_name_is_left_alone() {
        for text in
            ["[alias]\nxtask = \"run -p xtask --\"\n", "[alias]\n\"xtask\" = []\n", "alias.xtask = \"b\"\n"]
        {
            assert_eq!(with_alias(text), None, "{text:?}");
        }
    }
}
