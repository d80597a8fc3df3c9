//! Texts in XML: what would end an attribute or an element is escaped, what XML cannot hold is left out.

use std::fmt::Write;

use super::{Body, inert};
use crate::finding::Finding;

/// A text as the value of an attribute or the content of an element.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in inert(text, false).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\t' => escaped.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// What a finding says in full: its message, help and notes.
pub fn said(finding: &Finding) -> String {
    let body = Body::of_finding(finding, false);
    let mut said = format!("{}: {}", finding.place, body.message);
    for (footer, text) in &body.footers {
        // Writing to a string cannot fail.
        let _ = write!(said, "\n{}: {text}", footer.as_str());
    }
    said
}
