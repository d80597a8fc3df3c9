//! Findings as GitHub Actions workflow commands, which GitHub shows on the lines of a pull request.

use std::fmt::Write;

use super::Body;
use crate::finding::{Finding, Level, Place};
use crate::notice::{Notice, Severity};

/// A finding as one line: an annotation of its file.
pub fn github(finding: &Finding) -> String {
    let level = match finding.level {
        Level::Deny => "error",
        Level::Warn => "warning",
        Level::Allow => "notice",
    };
    command(level, finding.lint, &finding.place, &Body::of_finding(finding, true))
}

/// A notice as one line: an annotation of its file, or of the run if it has none.
pub fn github_notice(notice: &Notice) -> String {
    let level = match notice.kind.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    command(level, notice.kind.as_str(), &notice.place, &Body::of_notice(notice))
}

fn command(level: &str, title: &str, place: &Place, body: &Body<'_>) -> String {
    let mut message = body.message.to_owned();
    for (footer, text) in &body.footers {
        // Writing to a string cannot fail.
        let _ = write!(message, "\n{}: {text}", footer.as_str());
    }
    let mut properties = Vec::new();
    if !place.file.is_empty() {
        properties.push(format!("file={}", property(&place.file)));
        if place.line > 0 {
            properties.push(format!("line={}", place.line));
        }
        if place.column > 0 {
            properties.push(format!("col={}", place.column));
        }
    }
    properties.push(format!("title={}", property(title)));
    let message = super::inert(&message, false);
    format!("::{level} {}::{}", properties.join(","), data(&message))
}

/// Escapes what would end a command: the runner reads line by line, and `%` starts an escape.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Like `data`, and also escapes what would end a property.
fn property(text: &str) -> String {
    data(&super::inert(text, false)).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::NoticeKind;

    #[test]
    fn a_finding_is_one_line_with_its_place() {
        let mut finding =
            Finding::new("leading_wildcard", "`LIKE '%x'` reads every row: all, of `t`").help("b\nc");
        finding.level = Level::Deny;
        finding.place = Place { file: "src/a,b:c%.rs".into(), line: 3, column: 7 };
        assert_eq!(
            github(&finding),
            "::error file=src/a%2Cb%3Ac%25.rs,line=3,col=7,title=leading_wildcard::`LIKE '%25x'` reads every row: \
             all, of `t`%0Ahelp: b%0Ac%0Anote: `leading_wildcard` is at level deny; to allow it: \
             `// query-budget: allow(leading_wildcard): <reason>`"
        );
    }

    #[test]
    fn what_has_no_place_is_said_of_the_run() {
        let notice = Notice::new(NoticeKind::NoSnapshot, "there is no snapshot", Place::default());
        assert_eq!(github_notice(&notice), "::notice title=no_snapshot::there is no snapshot");
    }
}
