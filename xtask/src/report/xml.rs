//! Reports as XML in the formats of JUnit and Checkstyle, which most CI servers read.

use std::collections::BTreeMap;

use query_budget_analysis::render::xml::{escaped, said};
use query_budget_analysis::{Finding, Level, Severity};

use super::Report;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

/// The reasons why a report cannot be made, each as its file and its message.
fn broken(report: &Report) -> Vec<(String, String)> {
    let notices = report.notices.iter().filter(|notice| notice.kind.severity() == Severity::Error);
    notices.map(|notice| (notice.place.to_string(), notice.message.clone())).collect()
}

/// A report as a test suite with one test per finding: a finding that fails the command is a failure, one
/// that only warns is a skipped test. Without findings there is one test, which passes.
pub(super) fn junit(report: &Report) -> String {
    let name = format!("query-budget {}", report.subject.command());
    let mut cases = Vec::new();
    let (mut failures, mut skipped) = (0, 0);
    let broken = broken(report);
    for (place, message) in &broken {
        cases.push(format!(
            "<testcase classname=\"{}\" name=\"{}\"><error message=\"{}\"/></testcase>",
            escaped(place),
            escaped(&name),
            escaped(message)
        ));
    }
    let findings = if broken.is_empty() { report.by_place() } else { Vec::new() };
    for finding in &findings {
        let (lint, place) = (finding.lint, &finding.place);
        let title = format!("{lint} at {}:{}", place.line, place.column);
        let message = escaped(&finding.message);
        let outcome = if finding.level == Level::Deny {
            failures += 1;
            format!("<failure type=\"{lint}\" message=\"{message}\">{}</failure>", escaped(&said(finding)))
        } else {
            skipped += 1;
            format!("<skipped message=\"{message}\"/><system-out>{}</system-out>", escaped(&said(finding)))
        };
        cases.push(format!(
            "<testcase classname=\"{}\" name=\"{}\">{outcome}</testcase>",
            escaped(&place.file),
            escaped(&title)
        ));
    }
    if cases.is_empty() {
        cases
            .push(format!("<testcase classname=\"query-budget\" name=\"{}\"/>", escaped(&report.coverage())));
    }
    let (tests, errors) = (cases.len(), broken.len());
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"");
    format!(
        "{HEAD}\n<testsuites {counts}>\n<testsuite name=\"{}\" {counts} skipped=\"{skipped}\">\n{}\n</testsuite>\n</testsuites>",
        escaped(&name),
        cases.join("\n")
    )
}

/// A report in Checkstyle's format: the errors of each file.
pub(super) fn checkstyle(report: &Report) -> String {
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let broken = broken(report);
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
