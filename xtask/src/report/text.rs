//! Reports for a person.

use std::collections::{HashMap, HashSet};

use query_budget_analysis::render;
use query_budget_analysis::{Applicability, Finding, Level};

use super::advice::IndexAdvice;
use super::coverage::{counted, grouped};
use super::{Report, Subject};
use crate::failure::Failure;
use crate::output::Output;

/// Writes a report. What a broken configuration or snapshot would have led to is not worth reading.
pub(super) fn write(report: &Report, output: &mut Output) -> Result<(), Failure> {
    notices(report, output)?;
    if report.is_broken() {
        return Ok(());
    }
    findings(&report.findings, output)?;
    more(report, output)?;
    if report.subject == Subject::Indexes {
        advice(report, output)?;
    }
    unparsed(report, output)?;
    summary(report, output)
}

/// Writes what keeps the projects from being checked in full.
pub(super) fn notices(report: &Report, output: &mut Output) -> Result<(), Failure> {
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

/// Writes the findings; those that say the same stand together, at the place of the first.
fn findings(found: &[Finding], output: &mut Output) -> Result<(), Failure> {
    let mut explained = HashSet::new();
    for group in groups(found) {
        let about_lint = group.first().is_some_and(|finding| explained.insert(finding.lint));
        output.line(render::text(&group, about_lint, output.style()))?;
        output.line("")?;
    }
    Ok(())
}

/// Writes what is only counted, a line a lint, or all of it where that is asked for.
fn more(report: &Report, output: &mut Output) -> Result<(), Failure> {
    if report.all {
        return findings(&report.more, output);
    }
    let counts = report.counted();
    if counts.is_empty() {
        return Ok(());
    }
    output.line("also true, of code that runs once or a matter of taste; `--all` lists them:")?;
    for (lint, count) in counts {
        output.line(format!("{:>5} {lint}", grouped(count)))?;
    }
    output.line("")
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

/// Writes the indexes that would serve what is not served, as a migration.
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

/// Writes how many findings there are, what a baseline left out, and what was checked and what was not.
fn summary(report: &Report, output: &mut Output) -> Result<(), Failure> {
    if let Some(accepted) = &report.accepted {
        for line in accepted.lines() {
            output.line(line)?;
        }
    }
    if let Some(found) = found(report) {
        output.line(found)?;
    }
    if let Some(mends) = mends(report) {
        output.line(mends)?;
    }
    output.line(report.coverage())
}

/// How many of the findings `check --fix` ends; `None` for none.
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

/// How many findings there are; `None` for none.
pub(super) fn found(report: &Report) -> Option<String> {
    let (errors, warnings) = (report.count(Level::Deny), report.count(Level::Warn));
    let errors_text = counted(errors, "error", "errors");
    let warnings_text = counted(warnings, "warning", "warnings");
    let of_all = report.of_all.map_or_else(String::new, |all| {
        format!(" on what has changed, of {} in all", counted(all, "finding", "findings"))
    });
    (errors + warnings > 0 || report.of_all.is_some())
        .then(|| format!("found {errors_text}, {warnings_text}{of_all}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_that_say_the_same_stand_at_the_first_of_them() {
        let findings = ["a", "b", "a", "c", "b"].map(|message| Finding::new("l", message));
        let groups = groups(&findings);
        let said: Vec<(&str, usize)> =
            groups.iter().map(|group| (group[0].message.as_str(), group.len())).collect();
        assert_eq!(said, [("a", 2), ("b", 2), ("c", 1)]);
    }
}
