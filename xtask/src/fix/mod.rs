//! `check --fix`: applies the edits of findings to their files and checks each of them again. An edit that
//! did not resolve its finding is reverted.

mod plan;
mod tree;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use query_budget_analysis::{Applicability, Finding};

use crate::Outcome;
use crate::args::{Check, Format};
use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::report::{self, Wanted, counted};
use plan::{Key, Plan};

/// The maximum number of rounds; overlapping edits are applied in successive rounds.
const ROUNDS: usize = 10;

/// Applies the edits and reports the remaining findings, or shows the edits as a diff without changing
/// anything.
pub(crate) fn run(arguments: &Check, output: &mut Output) -> Result<Outcome, Failure> {
    let fix = &arguments.fix;
    let limit = if fix.unsafe_fixes { Applicability::Maybe } else { Applicability::Machine };
    let scope = input::scope(&arguments.input)?;
    let root = tree::root(&scope);
    if !fix.diff && !fix.allow_dirty {
        tree::require_clean(&scope)?;
    }
    let base = input::base(&arguments.input, arguments.reporting.format)?;
    let mut found = report::of(arguments, &base)?;
    if fix.diff {
        let plan = Plan::new(found.fixable(limit), &HashSet::new(), &base, &root);
        return diff(&plan, output);
    }
    let mut told = Told::default();
    for _ in 0..ROUNDS {
        let plan = Plan::new(found.fixable(limit), &told.given_up, &base, &root);
        if plan.is_empty() {
            break;
        }
        plan.write(&HashSet::new())?;
        let after = report::of(arguments, &base)?;
        let failed = plan.failed(&found, &after);
        if !failed.is_empty() {
            plan.write(&failed)?;
        }
        told.add(&plan, &failed);
        found = if failed.is_empty() { after } else { report::of(arguments, &base)? };
    }
    drop(found);
    told.write(arguments.reporting.format, output)?;
    report::run(&Wanted::of_check(arguments), output)
}

/// Writes the diff.
fn diff(plan: &Plan, output: &mut Output) -> Result<Outcome, Failure> {
    for (file, before, after) in plan.texts() {
        let difference = similar::TextDiff::from_lines(&before, &after);
        let (from, to) = (format!("a/{file}"), format!("b/{file}"));
        let text = difference.unified_diff().header(&from, &to).to_string();
        output.line(text.trim_end_matches('\n'))?;
    }
    if plan.is_empty() {
        output.flush()?;
        output.aside("no edits");
        return Ok(Outcome::Clean);
    }
    Ok(Outcome::Findings)
}

/// The outcome of the edits.
#[derive(Default)]
struct Told {
    /// The resolved findings, by file, each as its place and its lint.
    made: BTreeMap<String, Vec<String>>,
    /// The findings whose edits were reverted.
    taken_back: Vec<String>,
    /// The findings that are not tried again.
    given_up: HashSet<Key>,
}

impl Told {
    fn add(&mut self, plan: &Plan, failed: &HashSet<usize>) {
        for (at, finding) in plan.findings() {
            let line = line(finding);
            if failed.contains(&at) {
                self.taken_back.push(line);
                self.given_up.insert(Key::of(finding));
            } else {
                self.made.entry(finding.place.file.to_string()).or_default().push(line);
            }
        }
    }

    /// Reports the outcome; to standard error if the report is for a machine.
    fn write(&self, format: Format, output: &mut Output) -> Result<(), Failure> {
        let mut lines = Vec::new();
        let made: usize = self.made.values().map(Vec::len).sum();
        if made > 0 {
            let files = counted(self.made.len(), "file", "files");
            lines.push(format!("fixed {} in {files}:", counted(made, "finding", "findings")));
            lines.extend(self.made.values().flatten().map(|line| format!("  {line}")));
        }
        if !self.taken_back.is_empty() {
            lines
                .push("took back, for the finding was still there or the file could not be read:".to_owned());
            lines.extend(self.taken_back.iter().map(|line| format!("  {line}")));
        }
        if made + self.taken_back.len() == 0 {
            lines.push("nothing to fix".to_owned());
        }
        for line in lines {
            match format {
                Format::Text => output.line(line)?,
                _ => eprintln!("{}", query_budget_analysis::render::inert(&line, false)),
            }
        }
        if format == Format::Text { output.line("") } else { Ok(()) }
    }
}

fn line(finding: &Finding) -> String {
    format!("{}: {}: {}", finding.place, finding.lint, finding.message)
}

/// Whether a path is below a folder, after resolving links.
fn is_below(path: &Path, root: &Path) -> bool {
    path.canonicalize().is_ok_and(|path| path.starts_with(root))
}
