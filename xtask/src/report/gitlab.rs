//! Reports for GitLab: a list of code quality issues.

use std::collections::HashMap;

use query_budget_analysis::Severity;
use query_budget_analysis::render::{fingerprint, gitlab, gitlab_notice};
use serde_json::Value;

use super::Report;

/// A report as a list. If the findings are unreliable, it only gives the reason.
pub(super) fn report(report: &Report) -> Value {
    let notices = report.notices.iter().filter(|notice| notice.kind.severity() == Severity::Error);
    let mut issues: Vec<Value> = notices.map(gitlab_notice).collect();
    if !report.is_broken() {
        let mut known: HashMap<u64, usize> = HashMap::new();
        for finding in &report.by_place() {
            let nth = known.entry(fingerprint(finding)).or_default();
            issues.push(gitlab(finding, *nth));
            *nth += 1;
        }
    }
    Value::Array(issues)
}
