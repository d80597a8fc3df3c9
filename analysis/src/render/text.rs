//! Findings for a person at a terminal or in a log: level, lint, file:line:col, the SQL with a caret, help and notes.

use std::collections::HashSet;

use annotate_snippets::{AnnotationKind, Group, Level as Title, Origin, Renderer, Snippet};

use super::excerpt::window;
use super::{Body, Footer, inert};
use crate::finding::{Finding, Level, Place};
use crate::lints;
use crate::notice::{Notice, Severity};

/// The style of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Whether to write ANSI colours.
    pub color: bool,
}

/// Placeholders for places until the text is rendered: the renderer would print line and column inside the
/// excerpt, which is a query, rather than those in the file. The first character that occurs nowhere else is
/// used.
const STAND_INS: [std::ops::RangeInclusive<char>; 2] = ['\u{e000}'..='\u{f8ff}', '\u{f0000}'..='\u{ffffd}'];

/// The number of equal findings shown with their SQL; the others are listed by place.
const SHOWN: usize = 4;

/// Equal findings about several queries as one text: the message and the help once, each query with its
/// caret. Lines without a trailing line break; empty if there are no findings. With `about_lint`, the last
/// note names the lint, its level and how to allow it; a report prints that once per lint.
pub fn text(findings: &[&Finding], about_lint: bool, style: Style) -> String {
    let Some(first) = findings.first() else { return String::new() };
    let level = match first.level {
        Level::Deny => Title::ERROR,
        Level::Warn => Title::WARNING,
        Level::Allow => Title::NOTE,
    };
    let mut body = Body::of_finding(first, about_lint);
    let others = findings.get(1..).unwrap_or_default();
    let shown = others.iter().take(SHOWN - 1);
    body.shown.extend(shown.map(|finding| (&finding.place, finding.excerpt.as_ref())));
    let left = others.iter().skip(SHOWN - 1).map(|finding| &finding.place);
    let joined = findings.iter().flat_map(|finding| finding.places.iter().map(|sighting| &sighting.place));
    let left: Vec<String> = left.chain(joined).map(ToString::to_string).collect();
    if let Some(lint) = lints::by_name(first.lint).filter(|_| about_lint) {
        body.footers.push((Footer::Note, lint.url()));
    }
    if !left.is_empty() {
        body.footers.insert(0, (Footer::Note, format!("also at {}", left.join(", "))));
    }
    render(level, Some(first.lint), &body, style)
}

/// A notice as several lines, without a trailing line break.
pub fn text_notice(notice: &Notice, style: Style) -> String {
    let level = match notice.kind.severity() {
        Severity::Error => Title::ERROR,
        Severity::Warning => Title::WARNING,
        Severity::Note => Title::NOTE,
    };
    render(level, None, &Body::of_notice(notice), style)
}

fn render(level: Title<'static>, lint: Option<&'static str>, body: &Body<'_>, style: Style) -> String {
    let title = level.primary_title(body.message);
    let mut group = Group::with_title(match lint {
        Some(lint) => title.id(lint),
        None => title,
    });
    let windows: Vec<_> =
        body.shown.iter().map(|(place, excerpt)| (place, excerpt.map(|it| (window(it), it)))).collect();
    let texts = windows.iter().filter_map(|(_, window)| window.as_ref());
    let texts = texts.flat_map(|(window, excerpt)| [window.text.as_str(), excerpt.label.as_str()]);
    let texts = texts.chain(body.footers.iter().map(|(_, text)| text.as_str())).chain([body.message]);
    let used: HashSet<char> = texts.flat_map(str::chars).filter(|c| *c >= '\u{e000}').collect();
    let stand_in =
        STAND_INS.into_iter().flatten().find(|c| !used.contains(c)).map(String::from).unwrap_or_default();
    for (place, window) in &windows {
        let path = (!place.file.is_empty()).then_some(stand_in.as_str());
        if let Some((window, excerpt)) = window {
            let kind = if window.span.is_empty() { AnnotationKind::Visible } else { AnnotationKind::Primary };
            let label = (!excerpt.label.is_empty()).then_some(excerpt.label.as_str());
            let snippet = Snippet::source(window.text.as_str())
                .line_start(line_start(
                    excerpt.place.as_ref().unwrap_or(place),
                    window.first_line,
                    window.caret_line,
                ))
                .fold(false)
                .path(path)
                .annotation(kind.span(window.span.clone()).label(label));
            group = group.element(snippet);
        } else if let Some(path) = path {
            group = group.element(Origin::path(path));
        }
    }
    for (footer, text) in &body.footers {
        let level = match footer {
            Footer::Help => Title::HELP,
            Footer::Note => Title::NOTE,
        };
        group = group.element(level.message(text.as_str()));
    }
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let text = put_places(&renderer.render(&[group]), &stand_in, body.shown.iter().map(|(place, _)| *place));
    inert(&text, style.color).into_owned()
}

/// Replaces each placeholder, along with the line and column after it, which refer to the excerpt, by a
/// place.
fn put_places<'p>(text: &str, stand_in: &str, places: impl Iterator<Item = &'p Place>) -> String {
    let mut pieces = text.split(stand_in);
    let mut put = pieces.next().unwrap_or_default().to_owned();
    for (place, piece) in places.filter(|place| !place.file.is_empty()).zip(pieces) {
        put += &place.to_string();
        put += piece.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit());
    }
    put
}

/// The number of the first line shown. If the text appears verbatim in the file, these are the file's line
/// numbers, counted from the place of the caret; in a line of JSON they are the query's own.
fn line_start(place: &Place, first_line: usize, caret_line: usize) -> usize {
    let stands_in_file = [".rs", ".sql", ".toml"].iter().any(|end| place.file.ends_with(end));
    let caret = place.line as usize;
    if stands_in_file && caret > caret_line { caret - caret_line + first_line } else { first_line + 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::NoticeKind;

    #[test]
    fn no_character_of_a_query_is_taken_for_a_place() {
        let sql = "SELECT \u{e000} FROM \u{e000}t\u{e001}\u{e000}";
        let finding = Finding::new("unknown_table", "table `\u{e000}t` is not in the schema").excerpt(
            sql,
            0..6,
            "\u{e000}",
        );
        let finding = Finding { place: Place { file: "a.rs".into(), line: 3, column: 4 }, ..finding };
        let text = text(&[&finding], true, Style::default());
        assert!(text.contains("`\u{e000}t`") && text.contains("FROM \u{e000}t\u{e001}\u{e000}"), "{text}");
        assert_eq!(text.matches("a.rs:3:4").count(), 1, "{text}");
    }

    fn finding(file: &str) -> Finding {
        let sql = "\n        SELECT output\n        FROM logs\n        WHERE event_id = $1\n    ";
        let at = sql.find("event_id").expect("the column");
        let mut finding = Finding::new("unindexed_filter", "filter on `logs.event_id` has no index")
            .excerpt(sql, at..at + 8, "")
            .help("add an index on `logs (event_id)`");
        finding.place = Place { file: file.into(), line: 44, column: 15 };
        finding
    }

    #[test]
    fn lines_are_numbered_as_in_the_file_that_holds_the_query() {
        assert_eq!(
            text(&[&finding("src/main.rs")], true, Style::default()),
            "\
warning[unindexed_filter]: filter on `logs.event_id` has no index
  --> src/main.rs:44:15
   |
42 | SELECT output
43 | FROM logs
44 | WHERE event_id = $1
   |       ^^^^^^^^
   |
   = help: add an index on `logs (event_id)`
   = note: `unindexed_filter` is at level warn; to allow it: `// query-budget: allow(unindexed_filter): <reason>`
   = note: https://github.com/query-budget/query-budget/blob/main/docs/lints/unindexed_filter.md"
        );
    }

    #[test]
    fn lines_are_numbered_from_the_query_where_the_file_is_no_sql() {
        let text = text(&[&finding("queries.jsonl")], true, Style::default());
        assert!(text.contains("\n4 | WHERE event_id = $1\n"), "{text}");
        assert!(
            text.contains(
                "to allow it: `unindexed_filter = \"allow\"` in `[lints]` of `query-budget.toml`\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn what_is_said_of_several_queries_is_said_once() {
        let findings: Vec<Finding> = ["a.rs", "b.rs", "c.rs", "d.rs", "e.rs"].map(finding).into();
        let text = text(&findings.iter().collect::<Vec<_>>(), false, Style::default());
        assert_eq!(text.matches("filter on `logs.event_id` has no index").count(), 1);
        assert_eq!(text.matches("44 | WHERE event_id = $1").count(), SHOWN);
        assert!(text.contains("--> a.rs:44:15\n") && text.contains("::: d.rs:44:15\n"), "{text}");
        assert!(text.contains("= note: also at e.rs:44:15\n"), "{text}");
    }

    #[test]
    fn colours_are_written_only_when_asked_for() {
        assert!(!text(&[&finding("a.rs")], false, Style::default()).contains('\u{1b}'));
        assert!(text(&[&finding("a.rs")], false, Style { color: true }).contains('\u{1b}'));
    }

    #[test]
    fn a_notice_has_no_lint() {
        let place = Place { file: "schema.sql".into(), line: 3, column: 0 };
        let notice =
            Notice::new(NoticeKind::StaleSnapshot, "the snapshot is stale", place).help("write it again");
        let expected = "warning: the snapshot is stale\n--> schema.sql:3\n = help: write it again";
        assert_eq!(text_notice(&notice, Style::default()), expected);
    }
}
