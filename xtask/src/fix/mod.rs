//! `check --fix`: the edits of findings are made in their files, and each is looked at again afterwards. One that has not
//! ended its finding is taken back.

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

/// Edits that overlap are made one after the other, in so many rounds at most.
const ROUNDS: usize = 10;

/// Makes the edits and reports what is left, or shows them as a diff and changes nothing.
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

/// Writes what would change.
fn diff(plan: &Plan, output: &mut Output) -> Result<Outcome, Failure> {
    for (file, before, after) in plan.texts() {
        let difference = similar::TextDiff::from_lines(&before, &after);
        let (from, to) = (format!("a/{file}"), format!("b/{file}"));
        let text = difference.unified_diff().header(&from, &to).to_string();
        output.line(text.trim_end_matches('\n'))?;
    }
    Ok(if plan.is_empty() { Outcome::Clean } else { Outcome::Findings })
}

/// What has become of the edits.
#[derive(Default)]
struct Told {
    /// The findings that were ended, each as its place and its lint, by file.
    made: BTreeMap<String, Vec<String>>,
    /// Those that were not.
    taken_back: Vec<String>,
    /// What is not tried again.
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

    /// Says it, beside the report where that is for a machine.
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

/// Whether a path lies below a folder, links followed.
fn is_below(path: &Path, root: &Path) -> bool {
    path.canonicalize().is_ok_and(|path| path.starts_with(root))
}
