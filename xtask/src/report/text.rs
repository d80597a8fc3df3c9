//! Reports for a person.

use std::collections::{HashMap, HashSet};

use query_budget_analysis::index::Verdict;
use query_budget_analysis::render;
use query_budget_analysis::{Finding, Level};

use super::Report;
use crate::failure::Failure;
use crate::output::Output;

/// Writes what keeps the projects from being checked in full.
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

/// Writes the findings; those that say the same stand together, at the place of the first.
pub(crate) fn findings(report: &Report, output: &mut Output) -> Result<(), Failure> {
    let mut explained = HashSet::new();
    for group in groups(&report.findings) {
        let about_lint = group.first().is_some_and(|finding| explained.insert(finding.lint));
        output.line(render::text(&group, about_lint, output.style()))?;
        output.line("")?;
    }
    Ok(())
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
pub(crate) fn advice(report: &Report, output: &mut Output) -> Result<(), Failure> {
    if report.advice.is_empty() {
        return Ok(());
    }
    let indexes = counted(report.advice.len(), "index", "indexes");
    output.line(format!("-- {indexes} would serve the queries above:"))?;
    for advice in &report.advice {
        let serves = counted(advice.advice.serves.len(), "query", "queries");
        output.line(format!("{}; -- {serves}", advice.ddl))?;
    }
    output.line("")
}

/// Writes how many findings there are, and what was checked and what was not.
pub(crate) fn coverage(report: &Report, output: &mut Output) -> Result<(), Failure> {
    found(report, output)?;
    let queries = counted(report.queries.len() + report.dynamic, "query", "queries");
    let mut missing = missing(report);
    missing.push(format!("{} with no bound", grouped(report.unbounded)));
    output.line(format!("checked {queries}: {}", missing.join(", ")))
}

/// The same for the indexes alone.
pub(crate) fn index_coverage(report: &Report, output: &mut Output) -> Result<(), Failure> {
    found(report, output)?;
    let queries = counted(report.queries.len() + report.dynamic, "query", "queries");
    let accesses = || report.queries.iter().flat_map(|query| &query.checked.accesses);
    let unknown = accesses().filter(|access| access.verdict == Verdict::Unknown).count();
    let mut missing = missing(report);
    missing.push(format!("{} of tables that are not known", grouped(unknown)));
    let accesses = counted(accesses().count(), "table access", "table accesses");
    output.line(format!("checked {queries} with {accesses}: {}", missing.join(", ")))
}

fn found(report: &Report, output: &mut Output) -> Result<(), Failure> {
    let of_level = |level| report.findings.iter().filter(|finding| finding.level == level).count();
    let (errors, warnings) = (of_level(Level::Deny), of_level(Level::Warn));
    if errors + warnings == 0 {
        return Ok(());
    }
    let errors = counted(errors, "error", "errors");
    output.line(format!("found {errors}, {}", counted(warnings, "warning", "warnings")))
}

/// What could not be checked.
fn missing(report: &Report) -> Vec<String> {
    let mut missing = vec![
        format!("{} not parsed", grouped(report.unparsed())),
        format!("{} built at run time", grouped(report.dynamic)),
    ];
    if !report.unread.is_empty() {
        missing.push(format!("{} not read", counted(report.unread.len(), "file", "files")));
    }
    missing
}

pub(crate) fn counted(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// A number with its thousands apart.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (4_812_402, "4,812,402")] {
            assert_eq!(grouped(number), text);
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
