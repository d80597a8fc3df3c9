//! The baseline: loaded before a report, subtracted from it, and updated.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use query_budget_analysis::baseline::{Baseline, Known};
use query_budget_analysis::project::{read, shown};
use query_budget_analysis::{Finding, Tier};

use super::Report;
use super::coverage::counted;
use crate::Outcome;
use crate::args::{Accepting, Input};
use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::replace::replace;

/// The name under which differences from a planner are recorded next to the lints.
pub(crate) const EXPLAIN: &str = "explain";

/// The findings of a report that a baseline accepts.
pub(crate) struct Accepted {
    /// The baseline's file.
    pub(crate) file: String,
    /// The number of accepted findings.
    pub(crate) left_out: usize,
    /// Accepted findings that were not found again.
    pub(crate) gone: Vec<Known>,
}

/// A baseline in use.
pub(crate) struct Session {
    path: PathBuf,
    /// The displayed path of the file.
    file: String,
    /// The folder that the baseline's paths are relative to: its own, so that it is valid wherever the
    /// command runs.
    folder: PathBuf,
    /// The folder that the report's paths are relative to.
    base: PathBuf,
    /// The files and folders that are checked.
    scopes: Vec<PathBuf>,
    /// Whether some of their packages are left out.
    is_partial: bool,
    baseline: Baseline,
}

impl Session {
    /// Loads the baseline that the arguments name; if it is to be written, a missing one counts as empty.
    pub(crate) fn open(
        input: &Input,
        accepting: &Accepting,
        base: &Path,
    ) -> Result<Option<Session>, Failure> {
        let Some(path) = &accepting.baseline else { return Ok(None) };
        let here = input::current_dir()?;
        let path = here.join(path);
        let file = shown(&path, &here);
        let parent = path.parent().unwrap_or(&here);
        let folder = parent.canonicalize().map_err(|error| {
            Failure::new(format!("open the folder of the baseline `{file}`")).because(error)
        })?;
        let baseline = if path.exists() {
            Baseline::parse(&read(&path)?, &file).map_err(|error| {
                Failure::new(error.to_string()).help("delete it and write it again with `--write-baseline`")
            })?
        } else if accepting.write_baseline {
            Baseline::default()
        } else {
            return Err(Failure::new(format!("open the baseline `{file}`: it does not exist"))
                .help(format!("write it with `--baseline {file} --write-baseline`")));
        };
        let (scopes, is_partial) = (input::scopes(input)?, !input.packages.is_empty());
        Ok(Some(Session { path, file, folder, base: base.to_path_buf(), scopes, is_partial, baseline }))
    }

    /// Removes accepted findings from a report, and records them in it.
    pub(super) fn leave_out(&self, report: &mut Report) {
        let subject = report.subject;
        let accepted = self.accepted(&report.findings, |lint| subject.asks(lint));
        report.retain(|finding| !self.accepts(finding));
        report.accepted = Some(accepted);
    }

    /// Whether a finding is accepted.
    pub(crate) fn accepts(&self, finding: &Finding) -> bool {
        self.baseline.findings.contains(&self.known(finding))
    }

    /// The accepted part of the findings of a run that `asks` for these lints.
    pub(crate) fn accepted(&self, found: &[Finding], asks: impl Fn(&str) -> bool) -> Accepted {
        let left_out = found.iter().filter(|finding| self.accepts(finding)).count();
        let found = self.found(found);
        let seen = |known: &Known| asks(&known.lint) && self.is_in_scope(known);
        let gone = self.baseline.gone(&found, seen).cloned().collect();
        Accepted { file: self.file.clone(), left_out, gone }
    }

    /// Writes a baseline that accepts the findings of a report.
    pub(super) fn write(&self, report: &Report, output: &mut Output) -> Result<Outcome, Failure> {
        self.update(&report.findings, |lint| report.subject.asks(lint), output)
    }

    /// Writes a baseline that accepts all findings of a run that `asks` for these lints.
    pub(crate) fn update(
        &self,
        found: &[Finding],
        asks: impl Fn(&str) -> bool,
        output: &mut Output,
    ) -> Result<Outcome, Failure> {
        let listed = found.iter().filter(|finding| finding.tier == Tier::Listed).count();
        let places = found.len();
        let found = self.found(found);
        let repeats = places - found.len();
        let seen = |known: &Known| asks(&known.lint) && self.is_in_scope(known);
        let gone = self.baseline.gone(&found, seen).count();
        let updated = self.baseline.updated(found, seen);
        let new = updated.findings.difference(&self.baseline.findings).count();
        replace(&self.path, &updated.write())
            .map_err(|error| Failure::new(format!("write `{}`", self.file)).because(error))?;
        let entries = updated.findings.len();
        let accepted = counted(entries + repeats, "finding", "findings");
        // One entry stands for all places of a finding in its function; a run that reads the file counts places.
        let entries = match repeats {
            0 => String::new(),
            _ => format!(" in {}", counted(entries, "entry", "entries")),
        };
        let listed = match listed {
            0 => String::new(),
            count => format!(" ({count} that only `--all` lists)"),
        };
        let file = &self.file;
        output.line(format!(
            "wrote `{file}`: {accepted} accepted{entries}{listed}, {new} of them new, {gone} gone"
        ))?;
        Ok(Outcome::Clean)
    }

    fn found(&self, findings: &[Finding]) -> BTreeSet<Known> {
        findings.iter().map(|finding| self.known(finding)).collect()
    }

    fn known(&self, finding: &Finding) -> Known {
        Known::of(finding, relative(&self.base.join(&*finding.place.file), &self.folder))
    }

    /// Whether an entry is in the scope of this run.
    fn is_in_scope(&self, known: &Known) -> bool {
        let path = resolved(&self.folder.join(&known.file));
        !self.is_partial && self.scopes.iter().any(|scope| path.starts_with(scope))
    }
}

impl Accepted {
    /// The lines about it in a report.
    pub(crate) fn lines(&self) -> Vec<String> {
        let file = &self.file;
        let known = counted(self.left_out, "known finding", "known findings");
        let mut lines = vec![format!("left out {known} of `{file}`")];
        if !self.gone.is_empty() {
            let entries = counted(self.gone.len(), "entry", "entries");
            let are = if self.gone.len() == 1 { "is" } else { "are" };
            lines.push(format!(
                "{entries} of `{file}` {are} no longer found; `--baseline {file} --write-baseline` takes out:"
            ));
            lines.extend(self.gone.iter().map(|known| {
                let Known { file, lint, function, message, .. } = known;
                let within = if function.is_empty() { String::new() } else { format!(" in `{function}`") };
                format!("  {file}{within}: {lint}: {message}")
            }));
        }
        lines
    }
}

/// A path with `.` and `..` resolved, textually.
fn resolved(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                resolved.pop();
            }
            other => resolved.push(other),
        }
    }
    resolved
}

/// A path relative to a folder, with `/` as separator.
fn relative(path: &Path, folder: &Path) -> String {
    let path = resolved(path);
    let shared = path.components().zip(folder.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(shared).map(|_| Component::ParentDir);
    let relative: PathBuf = up.chain(path.components().skip(shared)).collect();
    shown(&relative, folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_seen_from_the_baseline() {
        for (path, folder, expected) in [
            ("/a/b/src/c.rs", "/a/b", "src/c.rs"),
            ("/a/b/src/c.rs", "/a/b/ci", "../src/c.rs"),
            ("/a/b/../c.rs", "/a", "c.rs"),
            ("/x/c.rs", "/a/b", "../../x/c.rs"),
        ] {
            assert_eq!(relative(Path::new(path), Path::new(folder)), expected);
            let back = resolved(&Path::new(folder).join(expected));
            assert_eq!(back, resolved(Path::new(path)));
        }
    }
}
