//! `migrate`: moves a workspace from sqlx's query macros to ours under the same names, or back.

mod imports;
mod memory;
mod rewrite;

use std::collections::BTreeMap;
use std::path::Path;

use query_budget_analysis::project::{dependency, read, shown, workspace_root};
use query_budget_analysis::rust::{ScanError, is_test_path, scan_as};

use self::memory::Memory;
use self::rewrite::{Direction, rewritten};
use crate::Outcome;
use crate::args::Migrate;
use crate::failure::Failure;
use crate::input::workspace;
use crate::output::Output;
use crate::replace::replace;

/// The package that provides the new macros.
const OURS: &str = "query-budget";

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
        let declared = dependency(&sources.dir, &root, OURS);
        let name = declared.as_ref().map_or("query_budget", |declared| declared.name.as_str());
        let direction = if arguments.back { Direction::back(name) } else { Direction::over(name) };
        let before = totals.macros;
        let mut memory = Memory::of(&root);
        for path in &sources.files {
            change(path, &base, &direction, arguments, &mut memory, &mut totals, output)?;
        }
        // Without it, moving back works too, but sorts the names of imports.
        let _ = memory.write();
        if !arguments.back && declared.is_none() && totals.macros > before {
            totals.lacking.insert(shown(&sources.dir, &base), ());
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
    /// The packages that do not depend on ours yet.
    lacking: BTreeMap<String, ()>,
}

impl Totals {
    fn tell(&self, arguments: &Migrate, output: &mut Output) -> Result<(), Failure> {
        for package in self.lacking.keys() {
            let package = if package.is_empty() { "." } else { package };
            output.line(format!(
                "{package}/Cargo.toml: add `{OURS}` to the dependencies, with the feature of the database"
            ))?;
        }
        let Totals { files, macros, left, .. } = self;
        let verb = if arguments.write { "changed" } else { "would change" };
        output.line(format!("{verb} {macros} macros in {files} files, left {left}"))?;
        if !arguments.write && *macros > 0 {
            output.line("nothing is written yet: `--write` does it")?;
        }
        Ok(())
    }
}

/// Changes one file, or shows what would change.
fn change(
    path: &Path,
    base: &Path,
    direction: &Direction,
    arguments: &Migrate,
    memory: &mut Memory,
    totals: &mut Totals,
    output: &mut Output,
) -> Result<(), Failure> {
    let file = shown(path, base);
    // An unreadable file contains nothing to migrate; the other commands report it.
    let Ok(text) = read(path) else { return Ok(()) };
    if !direction.may_concern(&text) {
        return Ok(());
    }
    let moved = |text: &str| {
        let scan = scan_as(&file, text, is_test_path(&file))?;
        Ok::<_, ScanError>(rewritten(text, &scan.sites, direction))
    };
    let rewritten = match moved(&text) {
        Ok(rewritten) => rewritten,
        Err(error) => {
            totals.left += 1;
            return output.line(format!("{file}: left as it is: {error}"));
        }
    };
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
            output.line(format!("{file}:{line}\n- {before}\n+ {after}"))?;
        }
    }
    Ok(())
}
