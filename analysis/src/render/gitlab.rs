//! Findings as issues of GitLab's code quality report.

use serde_json::{Value, json};

use super::{Body, inert};
use crate::baseline::Known;
use crate::finding::{Finding, Level};
use crate::lints;
use crate::notice::{Notice, Severity};

/// A finding as an issue. GitLab merges issues with equal fingerprints, so `nth` numbers equal findings.
pub fn gitlab(finding: &Finding, nth: usize) -> Value {
    let severity = match finding.level {
        Level::Deny => "critical",
        Level::Warn => "minor",
        Level::Allow => "info",
    };
    let body = Body::of_finding(finding, false);
    let mut text = String::new();
    for (footer, footer_text) in &body.footers {
        text += &format!("{}: {footer_text}\n\n", footer.as_str());
    }
    if let Some(lint) = lints::by_name(finding.lint) {
        text += &lint.url();
    }
    json!({
        "type": "issue",
        "check_name": finding.lint,
        "description": inert(body.message, false),
        "content": { "body": inert(&text, false) },
        "categories": ["Performance"],
        "severity": severity,
        "fingerprint": format!("{:016x}", fingerprint(finding).wrapping_add(nth as u64)),
        "location": {
            "path": &*finding.place.file,
            "lines": { "begin": finding.place.line.max(1) },
        },
    })
}

/// The identity of a finding, independent of its line.
pub fn fingerprint(finding: &Finding) -> u64 {
    Known::of(finding, &*finding.place.file).fingerprint()
}

/// A notice as an issue.
pub fn gitlab_notice(notice: &Notice) -> Value {
    let severity = match notice.kind.severity() {
        Severity::Error => "blocker",
        Severity::Warning => "minor",
        Severity::Note => "info",
    };
    json!({
        "type": "issue",
        "check_name": notice.kind.as_str(),
        "description": inert(&notice.message, false),
        "categories": ["Clarity"],
        "severity": severity,
        "fingerprint": format!("{}:{}", notice.kind.as_str(), notice.place.file),
        "location": { "path": &*notice.place.file, "lines": { "begin": notice.place.line.max(1) } },
    })
}
