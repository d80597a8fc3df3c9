//! Reports as XML in the format of JUnit, which most CI servers read.

use query_budget_analysis::Level;
use query_budget_analysis::render::xml::{HEAD, escaped, said};

use super::Report;

/// A report as a test suite with one test per finding: a finding that fails the command is a failure, one
/// that only warns is a skipped test. Without findings there is one test, which passes.
pub(super) fn report(report: &Report) -> String {
    let name = format!("query-budget {}", report.subject.command());
    let mut cases = Vec::new();
    let (mut failures, mut skipped) = (0, 0);
    let broken = report.reasons();
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
