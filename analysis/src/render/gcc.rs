//! Findings in the format of GCC messages, which editors and CI servers parse.

use super::{Body, Footer, inert};
use crate::finding::{Finding, Level, Place};

/// A finding as lines: `file:line:column: warning: message [lint]`, then one line per help and note.
pub fn gcc(finding: &Finding) -> Vec<String> {
    let level = match finding.level {
        Level::Deny => "error",
        Level::Warn => "warning",
        Level::Allow => "note",
    };
    let body = Body::of_finding(finding, false);
    let mut lines = vec![line(&finding.place, level, &format!("{} [{}]", body.message, finding.lint))];
    lines.extend(body.footers.iter().map(|(footer, text)| {
        let text = match footer {
            Footer::Help => format!("help: {text}"),
            Footer::Note => text.clone(),
        };
        line(&finding.place, "note", &text)
    }));
    lines
}

/// One line in this format; line breaks in the message are joined.
pub fn line(place: &Place, level: &str, message: &str) -> String {
    let (row, column) = (place.line.max(1), place.column.max(1));
    let file = inert(&place.file, false).replace('\n', " ");
    let message = inert(message, false).replace('\n', " ");
    format!("{file}:{row}:{column}: {level}: {message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_its_place() {
        let mut finding = Finding::new("unbounded_write", "DELETE changes every row").help("a\nb").note("c");
        finding.place = Place { file: "src/é.rs".into(), line: 3, column: 7 };
        assert_eq!(
            gcc(&finding),
            [
                "src/é.rs:3:7: warning: DELETE changes every row [unbounded_write]",
                "src/é.rs:3:7: note: help: a b",
                "src/é.rs:3:7: note: c",
            ]
        );
    }
}
