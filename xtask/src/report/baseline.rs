//! The baseline: read before a report, taken out of it, and brought up to date.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use query_budget_analysis::Finding;
use query_budget_analysis::baseline::{Baseline, Known};
use query_budget_analysis::project::{read, shown};

use super::coverage::counted;
use super::{Report, Subject};
use crate::Outcome;
use crate::args::{Input, Reporting};
use crate::failure::Failure;
use crate::input;
use crate::output::Output;

/// What a baseline has left out of a report.
pub(super) struct Accepted {
    /// The baseline's file.
    pub(super) file: String,
    /// How many findings are known.
    pub(super) left_out: usize,
    /// What is accepted and was not found again.
    pub(super) gone: Vec<Known>,
}

/// A baseline in use.
pub(super) struct Session {
    path: PathBuf,
    /// The file as it is shown.
    file: String,
    /// The folder that the baseline's paths are relative to: its own, so that it holds wherever the command runs.
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
    /// Reads the baseline that the arguments name; a missing one is empty when it is to be written.
    pub(super) fn open(
        input: &Input,
        reporting: &Reporting,
        base: &Path,
    ) -> Result<Option<Session>, Failure> {
        let Some(path) = &reporting.baseline else { return Ok(None) };
        let here = input::current_dir()?;
        let path = here.join(path);
        let file = shown(&path, &here);
        let parent = path.parent().unwrap_or(&here);
        let folder = parent.canonicalize().map_err(|error| {
            Failure::new(format!("open the folder of the baseline `{file}`")).because(error)
        })?;
        let baseline = if path.exists() {
            Baseline::parse(&read(&path)?, &file).map_err(|error| {
                Failure::new(error.to_string()).help("delete it and write it anew with `--write-baseline`")
            })?
        } else if reporting.write_baseline {
            Baseline::default()
        } else {
            return Err(Failure::new(format!("open the baseline `{file}`: it does not exist"))
                .help(format!("write it with `--baseline {file} --write-baseline`")));
        };
        let (scopes, is_partial) = (input::scopes(input)?, !input.packages.is_empty());
        Ok(Some(Session { path, file, folder, base: base.to_path_buf(), scopes, is_partial, baseline }))
    }

    /// Takes what is known out of a report, and tells the report of it.
    pub(super) fn leave_out(&self, report: &mut Report) {
        let found = self.found(report);
        let before = report.findings.len();
        report.retain(|finding| !self.baseline.findings.contains(&self.known(finding)));
        let seen = |known: &Known| self.sees(report.subject, known);
        report.accepted = Some(Accepted {
            file: self.file.clone(),
            left_out: before - report.findings.len(),
            gone: self.baseline.gone(&found, seen).cloned().collect(),
        });
    }

    /// Writes the baseline that accepts what a report holds.
    pub(super) fn write(&self, report: &Report, output: &mut Output) -> Result<Outcome, Failure> {
        let found = self.found(report);
        let seen = |known: &Known| self.sees(report.subject, known);
        let gone = self.baseline.gone(&found, seen).count();
        let updated = self.baseline.updated(found, seen);
        let new = updated.findings.difference(&self.baseline.findings).count();
        std::fs::write(&self.path, updated.write())
            .map_err(|error| Failure::new(format!("write `{}`", self.file)).because(error))?;
        let accepted = counted(updated.findings.len(), "finding", "findings");
        output.line(format!("wrote `{}`: {accepted} accepted, {new} of them new, {gone} gone", self.file))?;
        Ok(Outcome::Clean)
    }

    fn found(&self, report: &Report) -> BTreeSet<Known> {
        report.findings.iter().map(|finding| self.known(finding)).collect()
    }

    fn known(&self, finding: &Finding) -> Known {
        Known::of(finding, relative(&self.base.join(&*finding.place.file), &self.folder))
    }

    /// Whether a run of this command, over what it was asked to check, would find it.
    fn sees(&self, subject: Subject, known: &Known) -> bool {
        let path = resolved(&self.folder.join(&known.file));
        !self.is_partial
            && subject.asks(&known.lint)
            && self.scopes.iter().any(|scope| path.starts_with(scope))
    }
}

impl Accepted {
    /// What is said of it to a person.
    pub(super) fn lines(&self) -> Vec<String> {
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

/// A path without `.` and `..`, as far as its text tells.
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

/// A path as seen from a folder, with `/` between its parts.
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
