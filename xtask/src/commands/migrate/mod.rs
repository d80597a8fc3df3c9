//! `migrate`: moves a workspace from sqlx's query macros to ours under the same names, or back.

mod imports;
mod memory;
mod rewrite;

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use query_budget_analysis::project::{
    OURS, Project, dependency, dependency_on_ours, read, shown, workspace_root,
};
use query_budget_analysis::rust::{ScanError, Told, is_test_path, scan_in};

use self::memory::Memory;
use self::rewrite::{Direction, rewritten};
use super::init;
use super::prepare::Version;
use crate::Outcome;
use crate::args::Migrate;
use crate::failure::Failure;
use crate::input::workspace;
use crate::output::Output;
use crate::replace::replace;
use crate::report::counted;

/// The package that provides the macros that are replaced.
const SQLX: &str = "sqlx";

pub(crate) fn run(arguments: &Migrate, output: &mut Output) -> Result<Outcome, Failure> {
    let given = arguments.path.display();
    let base = arguments
        .path
        .canonicalize()
        .map_err(|error| Failure::new(format!("open `{given}`")).because(error))?;
    let base = if base.is_dir() { base } else { base.parent().map(Path::to_path_buf).unwrap_or_default() };
    let mut totals = Totals::default();
    for sources in workspace::sources(&arguments.path)? {
        let root = workspace_root(&sources.dir);
        let declared = dependency_on_ours(&sources.dir, &root);
        let sqlx = dependency(&sources.dir, &root, SQLX).map_or(SQLX.to_owned(), |declared| declared.name);
        let ours = declared.as_ref().map_or("query_budget", |declared| declared.name.as_str());
        let mut told = Told::default();
        told.renamed =
            HashMap::from([(sqlx.clone(), SQLX.to_owned()), (ours.to_owned(), "query_budget".to_owned())]);
        let direction =
            if arguments.back { Direction::back(ours, &sqlx) } else { Direction::over(&sqlx, ours) };
        let version = Version::required(&sources.dir).or_else(|| Version::locked(&sources.dir));
        let wanted = match version {
            Some(version) => version.ours(),
            None => Some(declared.as_ref().map_or(OURS, |declared| declared.package.as_str())),
        };
        let is_older = !arguments.back && wanted.is_none();
        let before = totals.macros;
        let mut memory = Memory::of(&root);
        let package = shown(&sources.dir, &base);
        let mut mover =
            Mover { base: &base, package, direction, told, is_older, arguments, memory: &mut memory };
        for path in &sources.files {
            mover.change(path, &mut totals, output)?;
        }
        let Mover { package, .. } = mover;
        let is_moved = !arguments.back && totals.macros > before;
        // Without it, moving back works too, but sorts the names of imports.
        let _ = memory.write();
        if let Some(wanted) = wanted
            && is_moved
            && declared.as_ref().is_none_or(|declared| declared.package != wanted)
        {
            totals.lacking.insert((package.clone(), wanted.to_owned()));
        }
        if is_moved {
            match Project::locate(&sources.dir, &root).schema_path {
                Some(_) => totals.has_snapshot = true,
                None => {
                    totals.without_snapshot.insert(package);
                }
            }
        }
    }
    totals.tell(arguments, output)?;
    Ok(Outcome::Clean)
}

/// The totals over all files.
#[derive(Default)]
struct Totals {
    files: usize,
    macros: usize,
    left: usize,
    /// The packages that do not depend on ours yet, each with the one for its version of sqlx.
    lacking: BTreeSet<(String, String)>,
    /// The packages whose sqlx is too old for our macros, which are not changed.
    older: BTreeSet<String>,
    /// The packages without a snapshot of a schema in a folder above them.
    without_snapshot: BTreeSet<String>,
    /// Whether another package has one.
    has_snapshot: bool,
}

impl Totals {
    fn tell(&self, arguments: &Migrate, output: &mut Output) -> Result<(), Failure> {
        let manifest = |package: &str| format!("{}/Cargo.toml", folder(package));
        for package in &self.older {
            let manifest = manifest(package);
            output.line(format!(
                "{manifest}: `sql!` needs sqlx 0.8 or 0.9, and this package has an older one: its macros are left"
            ))?;
        }
        for (package, ours) in &self.lacking {
            let dependency = if ours == OURS { OURS.to_owned() } else { init::declaration(ours, None) };
            output.line(format!(
                "{}: add `{dependency}` to the dependencies, with the feature of the database",
                manifest(package)
            ))?;
        }
        if !self.without_snapshot.is_empty() {
            let packages: Vec<String> = self.without_snapshot.iter().map(|it| folder(it)).collect();
            let packages = packages.join(", ");
            let what = "no snapshot of the schema is above, and records get their fields from it";
            let how = match self.has_snapshot {
                true => {
                    "put a `query-budget.toml` above, whose `schema` and `migrations` name those of the database"
                }
                false => "`cargo query-budget init` writes it",
            };
            output.line(format!("{packages}: {what}: {how}"))?;
        }
        let Totals { files, macros, left, .. } = self;
        let verb = if arguments.write { "changed" } else { "would change" };
        let (count, of) = (counted(*macros, "macro", "macros"), counted(*files, "file", "files"));
        output.line(format!("{verb} {count} in {of}, left {left}"))?;
        if !arguments.write && *macros > 0 {
            output.line("nothing is written yet: `--write` does it")?;
        }
        Ok(())
    }
}

/// The folder of a package, from where the command runs.
fn folder(package: &str) -> String {
    if package.is_empty() { ".".to_owned() } else { package.to_owned() }
}

/// Moves the files of one package.
struct Mover<'m> {
    base: &'m Path,
    /// Its folder as shown.
    package: String,
    direction: Direction,
    told: Told,
    /// Whether the package's sqlx is too old.
    is_older: bool,
    arguments: &'m Migrate,
    memory: &'m mut Memory,
}

impl Mover<'_> {
    /// Changes one file, or shows what would change.
    fn change(&mut self, path: &Path, totals: &mut Totals, output: &mut Output) -> Result<(), Failure> {
        let Mover { base, package, direction, told, is_older, arguments, memory } = self;
        let file = shown(path, base);
        // An unreadable file contains nothing to migrate; the other commands report it.
        let Ok(text) = read(path) else { return Ok(()) };
        if !direction.may_concern(&text) {
            return Ok(());
        }
        let moved = |text: &str| {
            let scan = scan_in(&file, text, is_test_path(&file), told)?;
            Ok::<_, ScanError>(rewritten(text, &scan.sites, direction))
        };
        let rewritten = match moved(&text) {
            Ok(rewritten) => rewritten,
            Err(error) => {
                totals.left += 1;
                return output.line(format!("{file}: left as it is: it does not parse: {error}"));
            }
        };
        if *is_older {
            if rewritten.macros > 0 {
                totals.older.insert(package.clone());
            }
            totals.left += rewritten.macros + rewritten.left.len();
            return Ok(());
        }
        for (line, why) in &rewritten.left {
            totals.left += 1;
            output.line(format!("{file}:{line}: left as it is: {why}"))?;
        }
        if rewritten.macros == 0 {
            return Ok(());
        }
        totals.files += 1;
        totals.macros += rewritten.macros;
        if arguments.write {
            // Remembered lines are restored, and lines that are new since are moved back by the rules.
            let remembered = memory.restored(path, &text).filter(|_| arguments.back);
            let restored = remembered.and_then(|text| moved(&text).ok());
            let after = restored.map_or(rewritten.text, |restored| restored.text);
            replace(path, &after).map_err(|error| Failure::new(format!("write `{file}`")).because(error))?;
            match arguments.back {
                true => memory.forget(path),
                false => memory.keep(path, &text, &after),
            }
        } else {
            for (line, before, after) in &rewritten.changes {
                output.line(format!("{file}:{line}{}{}", marked('-', before), marked('+', after)))?;
            }
        }
        Ok(())
    }
}

/// Each line of a text on a line of its own, with a mark.
fn marked(mark: char, text: &str) -> String {
    text.lines().map(|line| format!("\n{mark} {line}")).collect()
}
