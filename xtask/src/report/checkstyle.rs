//! Reports as XML in the format of Checkstyle, which many CI servers read.

use std::collections::BTreeMap;

use query_budget_analysis::render::xml::{HEAD, escaped};
use query_budget_analysis::{Finding, Level};

use super::Report;

/// A report: the errors of each file.
pub(super) fn report(report: &Report) -> String {
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let broken = report.reasons();
    for (place, message) in &broken {
        let error =
            format!("<error severity=\"error\" message=\"{}\" source=\"query-budget\"/>", escaped(message));
        files.entry(place.clone()).or_default().push(error);
    }
    let findings = if broken.is_empty() { report.by_place() } else { Vec::new() };
    for finding in &findings {
        files.entry(finding.place.file.to_string()).or_default().push(error(finding));
    }
    let files = files
        .iter()
        .map(|(file, errors)| format!("<file name=\"{}\">\n{}\n</file>\n", escaped(file), errors.join("\n")));
    format!("{HEAD}\n<checkstyle version=\"4.3\">\n{}</checkstyle>", files.collect::<String>())
}

fn error(finding: &Finding) -> String {
    let severity = match finding.level {
        Level::Deny => "error",
        Level::Warn => "warning",
        Level::Allow => "info",
    };
    let place = &finding.place;
    let column = if place.column > 0 { format!(" column=\"{}\"", place.column) } else { String::new() };
    let mut message = finding.message.clone();
    for help in &finding.help {
        message += &format!("\nhelp: {help}");
    }
    format!(
        "<error line=\"{}\"{column} severity=\"{severity}\" message=\"{}\" source=\"query-budget.{}\"/>",
        place.line.max(1),
        escaped(&message),
        finding.lint
    )
}
