//! Chooses the edits to apply: the first of any that overlap.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use query_budget_analysis::Finding;
use query_budget_analysis::project::read;

use super::is_below;
use crate::failure::Failure;
use crate::replace::replace;
use crate::report::Report;

/// The identity of a finding, independent of its line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    lint: &'static str,
    file: Arc<str>,
    function: Arc<str>,
    /// The query, or the message if there is none.
    subject: String,
}

impl Key {
    pub(super) fn of(finding: &Finding) -> Key {
        let subject = finding.sql.as_deref().unwrap_or(&finding.message);
        Key::about(finding, subject.to_owned())
    }

    fn about(finding: &Finding, subject: String) -> Key {
        Key {
            lint: finding.lint,
            file: finding.place.file.clone(),
            function: finding.function.clone(),
            subject,
        }
    }
}

/// The edits of one round.
pub(super) struct Plan {
    fixes: Vec<Fix>,
    files: BTreeMap<Arc<str>, File>,
}

struct Fix {
    finding: Finding,
    file: Arc<str>,
    edits: Vec<(Range<usize>, String)>,
}

struct File {
    path: PathBuf,
    text: String,
}

impl Plan {
    /// Chooses among findings with edits in files below `root`, except those in `given_up`.
    pub(super) fn new<'f>(
        findings: impl Iterator<Item = &'f Finding>,
        given_up: &HashSet<Key>,
        base: &Path,
        root: &Path,
    ) -> Plan {
        let mut plan = Plan { fixes: Vec::new(), files: BTreeMap::new() };
        let mut taken: HashMap<Arc<str>, Vec<Range<usize>>> = HashMap::new();
        for finding in findings.filter(|finding| !given_up.contains(&Key::of(finding))) {
            let Some(file) = finding.edits.first().map(|edit| edit.start.file.clone()) else { continue };
            let placed = finding.edits.iter().filter(|edit| edit.start.file == file);
            let edits: Vec<_> = placed
                .filter_map(|edit| edit.in_file.as_ref())
                .map(|it| (it.bytes.clone(), it.replacement.clone()))
                .collect();
            let taken = taken.entry(file.clone()).or_default();
            let is_free =
                |(bytes, _): &(Range<usize>, String)| taken.iter().all(|other| !overlap(bytes, other));
            if edits.len() < finding.edits.len()
                || !edits.iter().all(is_free)
                || !plan.open(&file, base, root)
            {
                continue;
            }
            taken.extend(edits.iter().map(|(bytes, _)| bytes.clone()));
            plan.fixes.push(Fix { finding: finding.clone(), file, edits });
        }
        plan
    }

    /// Reads a file that is to be changed; returns whether it may be.
    fn open(&mut self, file: &Arc<str>, base: &Path, root: &Path) -> bool {
        if self.files.contains_key(file) {
            return true;
        }
        let path = base.join(&**file);
        let text = if is_below(&path, root) { read(&path).ok() } else { None };
        let Some(text) = text else { return false };
        self.files.insert(file.clone(), File { path, text });
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fixes.is_empty()
    }

    /// The findings whose edits are applied, with their positions in the plan.
    pub(super) fn findings(&self) -> impl Iterator<Item = (usize, &Finding)> {
        self.fixes.iter().map(|fix| &fix.finding).enumerate()
    }

    /// Each changed file, with its text before and after.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&str, String, String)> {
        self.files.iter().map(|(file, it)| (&**file, it.text.clone(), self.edited(file, it, &HashSet::new())))
    }

    /// Writes the files with all edits except those of some findings.
    pub(super) fn write(&self, without: &HashSet<usize>) -> Result<(), Failure> {
        for (name, file) in &self.files {
            replace(&file.path, &self.edited(name, file, without))
                .map_err(|error| Failure::new(format!("write `{name}`")).because(error))?;
        }
        Ok(())
    }

    fn edited(&self, name: &str, file: &File, without: &HashSet<usize>) -> String {
        let fixes = self.fixes.iter().enumerate();
        let fixes = fixes.filter(|(at, fix)| *fix.file == *name && !without.contains(at));
        let mut edits: Vec<&(Range<usize>, String)> = fixes.flat_map(|(_, fix)| &fix.edits).collect();
        edits.sort_by_key(|(bytes, _)| std::cmp::Reverse((bytes.start, bytes.end)));
        let mut text = file.text.clone();
        for (bytes, replacement) in edits {
            if text.get(bytes.clone()).is_some() {
                text.replace_range(bytes.clone(), replacement);
            }
        }
        text
    }

    /// The findings that still exist, or whose files can no longer be read.
    pub(super) fn failed(&self, before: &Report, after: &Report) -> HashSet<usize> {
        let (before_keys, after_keys) = (counts(before), counts(after));
        let count = |counts: &HashMap<Key, usize>, key: &Key| counts.get(key).copied().unwrap_or(0);
        let mut made: HashMap<Key, usize> = HashMap::new();
        for fix in &self.fixes {
            *made.entry(Key::of(&fix.finding)).or_default() += 1;
        }
        let unread: Vec<&String> =
            after.unread().iter().filter(|why| !before.unread().contains(why)).collect();
        let is_left = |fix: &Fix| {
            let old = Key::of(&fix.finding);
            let is_old = count(&after_keys, &old) + count(&made, &old) > count(&before_keys, &old);
            let new = fix.finding.edited_sql().map(|sql| Key::about(&fix.finding, sql));
            let is_new = new.is_some_and(|new| count(&after_keys, &new) > count(&before_keys, &new));
            let is_unread = unread.iter().any(|why| why.contains(&*fix.file));
            is_old || is_new || is_unread
        };
        let fixes = self.fixes.iter().enumerate();
        fixes.filter(|(_, fix)| is_left(fix)).map(|(at, _)| at).collect()
    }
}

fn counts(report: &Report) -> HashMap<Key, usize> {
    let mut counts = HashMap::new();
    for finding in report.findings() {
        *counts.entry(Key::of(finding)).or_default() += 1;
    }
    counts
}

/// Whether two edits overlap or touch: if they touch, their order is undefined.
fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start <= b.end && b.start <= a.end
}
