//! The part of a text to show: a few lines around the marked part, without their common indentation.

use std::ops::Range;

use crate::finding::Excerpt;
use crate::sql::text::LineIndex;

/// A text of up to this many lines is shown in full.
const WHOLE: usize = 12;
/// The number of lines shown before and after the marked part of a longer text.
const AROUND: usize = 2;
/// The number of characters shown on either side of the marked part of a longer line.
const WIDTH: usize = 100;

/// The visible part of an excerpt.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// The lines, joined by `\n`.
    pub(super) text: String,
    /// The number of the first line in the excerpt's text, counted from 0.
    pub(super) first_line: usize,
    /// The line of `span.start` in the excerpt's text, counted from 0.
    pub(super) caret_line: usize,
    /// The marked part, in bytes of `text`; empty for the text as a whole.
    pub(super) span: Range<usize>,
}

/// The window of an excerpt; spans outside the text or inside a character are clamped.
pub(super) fn window(excerpt: &Excerpt) -> Window {
    let text: &str = &excerpt.text;
    let start = floor(text, excerpt.span.start);
    let end = floor(text, excerpt.span.end).max(start);
    let index = LineIndex::new(text);
    let line_of = |offset| index.line_column(offset).0 - 1;
    let (caret, last) = (line_of(start), line_of(end));

    let lines: Vec<&str> = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let filled = |line: &&str| !line.trim().is_empty();
    let mut from = lines.iter().position(filled).unwrap_or(0).min(caret);
    let mut to =
        lines.iter().rposition(filled).map_or(lines.len(), |line| line + 1).max(last + 1).min(lines.len());
    if to - from > WHOLE {
        from = from.max(caret.saturating_sub(AROUND));
        to = to.min(last.min(caret + WHOLE) + AROUND + 1);
    }
    let shown = lines.get(from..to).unwrap_or_default();

    // The first line follows the opening quote, so its indentation says nothing about the others.
    let indented = shown.iter().enumerate().filter(|(at, line)| from + at > 0 && filled(line));
    let indent = indented.map(|(_, line)| line.len() - line.trim_start_matches(' ').len()).min().unwrap_or(0);

    let mut window = Window { text: String::new(), first_line: from, caret_line: caret, span: 0..0 };
    for (at, line) in shown.iter().enumerate() {
        if at > 0 {
            window.text.push('\n');
        }
        let number = from + at;
        let line_start = index.offset(number as u64 + 1, 1);
        let own_indent = line.len() - line.trim_start_matches(' ').len();
        let mut cut = if number > 0 { indent.min(own_indent) } else { 0 };
        let mut stop = line.len();
        if line.len() - cut > 2 * WIDTH {
            let centre = if number == caret { start - line_start } else { 0 };
            cut = cut.max(floor(line, centre.saturating_sub(WIDTH)));
            stop = floor(line, cut.max(centre) + WIDTH).max(cut);
        }
        let base = window.text.len();
        let place = |offset: usize| base + offset.saturating_sub(line_start).clamp(cut, stop) - cut;
        if number == caret {
            window.span.start = place(start);
        }
        if number <= last {
            window.span.end = place(end);
        }
        window.text.push_str(line.get(cut..stop).unwrap_or_default());
    }
    window.span.end = window.span.end.max(window.span.start).min(window.text.len());
    window
}

/// The nearest character boundary at or before `offset`.
fn floor(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    (0..=offset).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that the window of `text`, with the marked part in `[` and `]`, is `shown`, with the same
    /// marks.
    #[track_caller]
    fn check(text: &str, shown: &str, first_line: usize) {
        let start = text.find('[').expect("a start");
        let end = text.find(']').expect("an end") - 1;
        let excerpt = Excerpt {
            text: text.replace(['[', ']'], "").into(),
            span: start..end,
            label: String::new(),
            place: None,
        };
        let mut window = window(&excerpt);
        window.text.insert(window.span.end, ']');
        window.text.insert(window.span.start, '[');
        assert_eq!((window.text.as_str(), window.first_line), (shown, first_line));
    }

    #[test]
    fn a_short_text_is_shown_whole() {
        check("SELECT [id] FROM t", "SELECT [id] FROM t", 0);
        check("[]SELECT 1", "[]SELECT 1", 0);
    }

    #[test]
    fn common_indentation_and_blank_ends_are_left_out() {
        check("\n        SELECT id\n          FROM [t]\n    ", "SELECT id\n  FROM [t]", 1);
        check("SELECT id\n          FROM [t]", "SELECT id\nFROM [t]", 0);
    }

    #[test]
    fn a_long_text_is_cut_around_what_is_meant() {
        let text = format!("{}x\n[y]\nz\n{}", "a\n".repeat(20), "b\n".repeat(20));
        check(&text, "a\nx\n[y]\nz\nb", 19);
    }

    #[test]
    fn a_long_line_is_cut_around_what_is_meant() {
        let text = format!("{}[x]{}", "a".repeat(5000), "b".repeat(5000));
        check(&text, &format!("{}[x]{}", "a".repeat(WIDTH), "b".repeat(WIDTH - 1)), 0);
    }

    #[test]
    fn several_lines_can_be_meant() {
        check("a [b\n  c] d", "a [b\nc] d", 0);
    }

    #[test]
    fn any_span_fits() {
        for text in ["", "é", "é\n\nü\r\n", "\n\n", "   "] {
            for start in 0..8 {
                for end in 0..8 {
                    let window = window(&Excerpt {
                        text: text.into(),
                        span: start..end,
                        label: String::new(),
                        place: None,
                    });
                    assert!(
                        window.text.get(window.span.clone()).is_some(),
                        "{text:?} {start} {end}: {window:?}"
                    );
                }
            }
        }
    }
}
