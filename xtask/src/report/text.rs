//! Reports as text for people.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use query_budget_analysis::project::read;
use query_budget_analysis::render;
use query_budget_analysis::{Applicability, Finding, Level};

use super::advice::IndexAdvice;
use super::coverage::{counted, grouped};
use super::{Report, Subject};
use crate::failure::Failure;
use crate::output::Output;

/// Writes a report. With a broken configuration or snapshot, the findings are left out.
pub(super) fn write(report: &Report, output: &mut Output) -> Result<(), Failure> {
    notices(report, output)?;
    if report.is_broken() {
        return Ok(());
    }
    findings(&report.findings, &mut Lines::of(report), output)?;
    more(report, output)?;
    if report.subject == Subject::Indexes {
        advice(report, output)?;
    }
    unparsed(report, output)?;
    summary(report, output)
}

/// Writes the reasons why projects cannot be checked in full.
pub(crate) fn notices(report: &Report, output: &mut Output) -> Result<(), Failure> {
    for notice in &report.notices {
        output.line(render::text_notice(notice, output.style()))?;
        output.line("")?;
    }
    unread(&report.unread, output)
}

/// Writes which files could not be read or parsed.
pub(crate) fn unread(files: &[String], output: &mut Output) -> Result<(), Failure> {
    for why in files {
        output.line(format!("warning: failed to {why}"))?;
        output.line("")?;
    }
    Ok(())
}

/// Writes the findings; those with the same text are grouped, at the place of the first.
fn findings(found: &[Finding], lines: &mut Lines, output: &mut Output) -> Result<(), Failure> {
    let mut explained = HashSet::new();
    for group in groups(found) {
        let about_lint = group.first().is_some_and(|finding| explained.insert(finding.lint));
        let group: Vec<Finding> = group.into_iter().map(|finding| lines.shown(finding)).collect();
        let group: Vec<&Finding> = group.iter().collect();
        output.line(render::text(&group, about_lint, output.style()))?;
        output.line("")?;
    }
    Ok(())
}

/// Writes what is only counted, one line per lint, or all of it on request.
fn more(report: &Report, output: &mut Output) -> Result<(), Failure> {
    if report.all {
        return findings(&report.more, &mut Lines::of(report), output);
    }
    let counts = report.counted();
    if counts.is_empty() {
        return Ok(());
    }
    output.line("also true, and a matter of taste or context; `--all` lists them with the reason:")?;
    for (lint, count) in counts {
        output.line(format!("{:>5} {lint}", grouped(count)))?;
    }
    output.line("")
}

/// The source lines of findings that are not about a query: a call, a foreign key.
struct Lines {
    base: PathBuf,
    read: HashMap<Arc<str>, Option<IndexedText>>,
}

/// A text whose lines are found without reading those before.
struct IndexedText {
    text: String,
    /// The bytes at which lines start.
    starts: Vec<usize>,
}

impl IndexedText {
    fn new(text: String) -> IndexedText {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(ends).collect();
        IndexedText { text, starts }
    }

    /// A line by its number, counted from 1.
    fn line(&self, number: u32) -> Option<&str> {
        let at = (number as usize).checked_sub(1)?;
        self.text.get(*self.starts.get(at)?..)?.lines().next()
    }
}

impl Lines {
    fn of(report: &Report) -> Lines {
        Lines { base: report.base.clone(), read: HashMap::new() }
    }

    /// A finding with the line of its place, if it has no excerpt.
    fn shown(&mut self, finding: &Finding) -> Finding {
        let place = &finding.place;
        if finding.excerpt.is_some() || place.line == 0 {
            return finding.clone();
        }
        let path = self.base.join(&*place.file);
        let source = self
            .read
            .entry(Arc::clone(&place.file))
            .or_insert_with(|| read(&path).ok().map(IndexedText::new));
        let line = source.as_ref().and_then(|source| source.line(place.line));
        let Some(line) = line.filter(|line| !line.trim().is_empty()) else { return finding.clone() };
        // The name at the place; at the start of a line, the whole line.
        let start =
            line.char_indices().nth((place.column as usize).saturating_sub(1)).map_or(0, |(at, _)| at);
        let rest = line.get(start..).unwrap_or_default();
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let span = if place.column <= 1 { 0..0 } else { start..start + length };
        let mut shown = finding.clone().excerpt(line, span, "");
        if let Some(excerpt) = &mut shown.excerpt {
            excerpt.place = Some(place.clone());
        }
        shown
    }
}

fn groups(findings: &[Finding]) -> Vec<Vec<&Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    let mut known = HashMap::new();
    for finding in findings {
        let key = (finding.lint, finding.level, finding.message.as_str(), &finding.help);
        let at = *known.entry(key).or_insert(groups.len());
        match groups.get_mut(at) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

/// Writes the indexes that would serve unserved accesses, as a migration.
fn advice(report: &Report, output: &mut Output) -> Result<(), Failure> {
    if report.advice.is_empty() {
        return Ok(());
    }
    let indexes = counted(report.advice.len(), "index", "indexes");
    output.line(format!("-- {indexes} would serve the queries above:"))?;
    for IndexAdvice { advice, ddl, drops, extension, .. } in &report.advice {
        let serves = match advice.is_for_key {
            true => "a foreign key".to_owned(),
            false => counted(advice.serves.len(), "query", "queries"),
        };
        let writes = counted(advice.writes, "write", "writes");
        let needs = extension.map_or_else(String::new, |name| format!(", needs the extension `{name}`"));
        output.line(format!("{ddl}; -- {serves}, {writes}{needs}"))?;
        for drop in drops {
            output.line(format!("{drop}; -- the index above begins with it"))?;
        }
    }
    output.line("")
}

/// Writes which queries could not be parsed, and why.
fn unparsed(report: &Report, output: &mut Output) -> Result<(), Failure> {
    if report.unparsed.is_empty() {
        return Ok(());
    }
    output.line("not parsed, and so not checked:")?;
    for query in &report.unparsed {
        output.line(format!("  {}: {}", query.place, query.reason))?;
    }
    output.line("")
}

/// Writes the number of findings, the accepted ones, and what was checked and what was not.
fn summary(report: &Report, output: &mut Output) -> Result<(), Failure> {
    if let Some(accepted) = &report.accepted {
        for line in accepted.lines() {
            output.line(line)?;
        }
    }
    if let Some(found) = found(report) {
        output.line(found)?;
    }
    for mends in mends(report).into_iter().chain(indexes(report)) {
        output.line(mends)?;
    }
    output.line(report.coverage())
}

/// How many of the findings `check --fix` resolves; `None` for none.
fn mends(report: &Report) -> Option<String> {
    if report.subject != Subject::Everything {
        return None;
    }
    let of = |limit| report.fixable(limit).map(|finding| 1 + finding.places.len()).sum::<usize>();
    let (safe, all) = (of(Applicability::Machine), of(Applicability::Maybe));
    match (safe, all - safe) {
        (0, 0) => None,
        (0, more) => Some(format!("`--fix --unsafe-fixes` mends {} of them, to be looked at", grouped(more))),
        (safe, 0) => Some(format!("`--fix` mends {} of them", grouped(safe))),
        (safe, more) => Some(format!(
            "`--fix` mends {} of them, `--unsafe-fixes` {} more, to be looked at",
            grouped(safe),
            grouped(more)
        )),
    }
}

/// How many of the findings of `check` an index resolves that `index-check` can write; `None` for none.
fn indexes(report: &Report) -> Option<String> {
    let is_written = report
        .advice_by_database()
        .any(|(database, advice)| database.migrations.is_some() && !advice.is_empty());
    if report.subject != Subject::Everything || !is_written {
        return None;
    }
    let of_index = report.findings.iter().filter(|finding| {
        let is_missing =
            matches!(finding.lint, "unindexed_filter" | "unindexed_sort" | "unindexed_foreign_key");
        is_missing && !finding.causes.is_empty()
    });
    let count: usize = of_index.map(|finding| 1 + finding.places.len()).sum();
    (count > 0)
        .then(|| format!("`index-check --write-migration` adds the indexes for {} of them", grouped(count)))
}

/// How many findings there are, as in every other format, and at how many places; `None` for none.
pub(super) fn found(report: &Report) -> Option<String> {
    let (errors, warnings) = (report.count(Level::Deny), report.count(Level::Warn));
    let errors_text = counted(errors, "error", "errors");
    let warnings_text = counted(warnings, "warning", "warnings");
    let places: usize = report.findings.iter().map(|finding| 1 + finding.places.len()).sum();
    let places =
        if places > errors + warnings { format!(" in {} places", grouped(places)) } else { String::new() };
    let of_all = report.of_all.map_or_else(String::new, |all| {
        format!(" on what has changed, of {} in all", counted(all, "finding", "findings"))
    });
    (errors + warnings > 0 || report.of_all.is_some())
        .then(|| format!("found {errors_text}, {warnings_text}{places}{of_all}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_their_number() {
        for text in ["a\r\n\nb\n", "", "\n", "é\nb"] {
            let source = IndexedText::new(text.to_owned());
            for number in 1..6 {
                assert_eq!(source.line(number), text.lines().nth(number as usize - 1), "{text:?}, {number}");
            }
        }
    }

    #[test]
    fn findings_that_say_the_same_stand_at_the_first_of_them() {
        let findings = ["a", "b", "a", "c", "b"].map(|message| Finding::new("l", message));
        let groups = groups(&findings);
        let said: Vec<(&str, usize)> =
            groups.iter().map(|group| (group[0].message.as_str(), group.len())).collect();
        assert_eq!(said, [("a", 2), ("b", 2), ("c", 1)]);
    }
}
