//! Places as the compiler reports them: bytes of a file, lines and columns, and the text of the lines.

use std::ops::Range;

use query_budget_analysis::rust::embedded;
use query_budget_analysis::sql::text::LineIndex;
use query_budget_analysis::{Excerpt, Finding, Place};
use serde_json::{Value, json};

/// A file that contains spans.
pub(super) struct File<'t> {
    /// Its text without a byte order mark.
    text: &'t str,
    /// The length of that mark, in bytes.
    mark: usize,
    lines: LineIndex<'t>,
}

impl<'t> File<'t> {
    pub(super) fn new(source: &'t str) -> File<'t> {
        let text = source.strip_prefix('\u{feff}').unwrap_or(source);
        File { text, mark: source.len() - text.len(), lines: LineIndex::new(text) }
    }

    /// The byte of a place.
    fn byte(&self, place: &Place) -> usize {
        self.lines.offset(u64::from(place.line.max(1)), u64::from(place.column.max(1)))
    }

    /// The range that a finding points at: the marked part of its query, else the word at its place.
    pub(super) fn of_finding(&self, finding: &Finding) -> Range<usize> {
        let excerpt = finding.excerpt.as_ref();
        excerpt.and_then(|excerpt| self.of_excerpt(excerpt)).unwrap_or_else(|| self.of_place(&finding.place))
    }

    fn of_excerpt(&self, excerpt: &Excerpt) -> Option<Range<usize>> {
        let place = excerpt.place.as_ref().filter(|place| place.line > 0)?;
        let meant = excerpt.text.get(excerpt.span.clone()).filter(|meant| !meant.is_empty())?;
        let start = self.byte(place);
        if place.file.ends_with(".rs") {
            return embedded(self.text, start, meant);
        }
        self.text.get(start..)?.starts_with(meant).then(|| start..start + meant.len())
    }

    /// The word at a place: a path with its `!`, a comment to the end of its line.
    pub(super) fn of_place(&self, place: &Place) -> Range<usize> {
        if place.line == 0 {
            return 0..0;
        }
        let start = self.byte(place);
        let rest = self.text.get(start..).unwrap_or_default();
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | ':' | '!');
        let line = rest.lines().next().unwrap_or_default();
        let length = match rest.chars().next() {
            Some(c) if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ if place.column == 0 || line.starts_with("//") || line.starts_with("--") => line.len(),
            Some(c) if c != '\n' => c.len_utf8(),
            _ => 0,
        };
        start..start + length
    }

    /// Converts bytes of the file, including its byte order mark, to bytes of the text without it.
    pub(super) fn without_mark(&self, bytes: &Range<usize>) -> Range<usize> {
        bytes.start.saturating_sub(self.mark)..bytes.end.saturating_sub(self.mark)
    }

    /// A span in the compiler's format; `replacement` is a suggestion with its applicability.
    pub(super) fn span(
        &self,
        file: &str,
        bytes: &Range<usize>,
        (is_primary, label): (bool, &str),
        replacement: Option<(&str, &str)>,
    ) -> Value {
        let ((first, start), (last, end)) =
            (self.lines.line_column(bytes.start), self.lines.line_column(bytes.end));
        let text: Vec<Value> = (first..=last)
            .map(|number| {
                let from = self.lines.offset(number as u64, 1);
                let line = self.text.get(from..).unwrap_or_default().split('\n').next().unwrap_or_default();
                let line = line.strip_suffix('\r').unwrap_or(line);
                let highlight_start = if number == first { start } else { 1 };
                let highlight_end = if number == last { end } else { line.chars().count() + 1 };
                json!({ "text": line, "highlight_start": highlight_start, "highlight_end": highlight_end })
            })
            .collect();
        json!({
            "file_name": file,
            "byte_start": bytes.start + self.mark,
            "byte_end": bytes.end + self.mark,
            "line_start": first,
            "line_end": last,
            "column_start": start,
            "column_end": end,
            "is_primary": is_primary,
            "text": text,
            "label": (!label.is_empty()).then_some(label),
            "suggested_replacement": replacement.map(|(text, _)| text),
            "suggestion_applicability": replacement.map(|(_, applicability)| applicability),
            "expansion": null,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_word_that_stands_there() {
        let source = "\u{feff}fn f() {\n    sqlx::query!(\"é\");\n    // query-budget: x\n}\n";
        let file = File::new(source);
        let word = |line, column| {
            let place = Place { file: "a.rs".into(), line, column };
            file.text.get(file.of_place(&place)).unwrap_or_default()
        };
        assert_eq!(word(2, 5), "sqlx::query!");
        assert_eq!(word(3, 5), "// query-budget: x");
        assert_eq!(word(4, 1), "}");
        let bytes = file.of_place(&Place { file: "a.rs".into(), line: 2, column: 18 });
        let span = file.span("a.rs", &bytes, (true, ""), None);
        let (start, end) = (span["byte_start"].as_u64(), span["byte_end"].as_u64());
        let slice = source.get(start.expect("a byte") as usize..end.expect("a byte") as usize);
        assert_eq!(slice, Some("\""));
        assert_eq!(span["text"][0]["highlight_start"], 18);
    }
}
