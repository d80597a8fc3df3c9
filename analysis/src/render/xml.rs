//! XML text: escapes what would end an attribute or an element, and drops what XML cannot represent.

use std::fmt::Write;

use super::{Body, inert};
use crate::finding::Finding;

/// The first line of a document.
pub const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

/// A text as an attribute value or element content.
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

/// The full text of a finding: its message, help and notes.
pub fn said(finding: &Finding) -> String {
    let body = Body::of_finding(finding, false);
    let mut said = format!("{}: {}", finding.place, body.message);
    for (footer, text) in &body.footers {
        // Writing to a string cannot fail.
        let _ = write!(said, "\n{}: {text}", footer.as_str());
    }
    said
}
