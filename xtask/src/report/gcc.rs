//! Reports as compiler messages, one per line.

use query_budget_analysis::Severity;
use query_budget_analysis::render::gcc;

use super::Report;
use crate::failure::Failure;
use crate::output::Output;

/// Writes a report.
pub(super) fn write(report: &Report, output: &mut Output) -> Result<(), Failure> {
    for notice in report.notices.iter().filter(|notice| !notice.place.file.is_empty()) {
        let level = match notice.kind.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        output.line(gcc::line(&notice.place, level, &notice.message))?;
    }
    if report.is_broken() {
        return Ok(());
    }
    for finding in &report.by_place() {
        for line in gcc::gcc(finding) {
            output.line(line)?;
        }
    }
    for query in &report.unparsed {
        output.line(gcc::line(&query.place, "note", &format!("not parsed: {}", query.reason)))?;
    }
    Ok(())
}
