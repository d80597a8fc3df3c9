//! Reports for code scanning: one SARIF 2.1.0 log with one run.

use query_budget_analysis::Place;
use query_budget_analysis::render::sarif::{notification, result, rules, told};
use serde_json::{Value, json};

use super::{Report, json};

/// The schema of a log.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// A report as a log.
pub(super) fn log(report: &Report) -> Value {
    let broken = report.is_broken();
    let results: Vec<Value> =
        if broken { Vec::new() } else { report.by_place().iter().map(result).collect() };
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "query-budget",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules(|lint| report.subject.level(lint)),
            }},
            // Both commands may run on one commit: code scanning keeps results of different categories apart.
            "automationDetails": { "id": format!("query-budget/{}/", report.subject.command()) },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": !broken,
                "toolExecutionNotifications": notifications(report),
            }],
            "results": results,
            "properties": { "summary": json::summary(report) },
        }],
    })
}

/// The notices, the files that could not be read, and the queries that could not be parsed.
fn notifications(report: &Report) -> Vec<Value> {
    let notices = report.notices.iter().map(notification);
    let unread = report
        .unread
        .iter()
        .map(|why| told("warning", "not_read", &format!("failed to {why}"), &Place::default()));
    let unparsed = report
        .unparsed
        .iter()
        .map(|query| told("note", "not_parsed", &format!("not parsed: {}", query.reason), &query.place));
    notices.chain(unread).chain(unparsed).collect()
}
