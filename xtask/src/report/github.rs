//! Reports for the log of GitHub Actions: each finding annotates its line.

use query_budget_analysis::render::{github, github_notice};

use super::{Report, text};
use crate::failure::Failure;
use crate::output::Output;

/// Writes a report: one command per line, and the summary as plain text.
pub(super) fn write(report: &Report, output: &mut Output) -> Result<(), Failure> {
    for notice in &report.notices {
        output.exact(github_notice(notice))?;
    }
    if report.is_broken() {
        return Ok(());
    }
    for finding in &report.by_place() {
        output.exact(github(finding))?;
    }
    for why in &report.unread {
        output.line(format!("failed to {why}"))?;
    }
    for query in &report.unparsed {
        output.line(format!("not parsed: {}: {}", query.place, query.reason))?;
    }
    for line in report.accepted.iter().flat_map(|accepted| accepted.lines()) {
        output.line(line)?;
    }
    if let Some(found) = text::found(report) {
        output.line(found)?;
    }
    output.line(report.coverage())
}
