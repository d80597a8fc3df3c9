//! The text of a compile error or warning: message, SQL with a caret, `help:` and `note:` lines. rustc prints
//! its own `error:` and indents the lines, so the text names neither file nor level.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::Body;
use super::excerpt::window;
use crate::finding::{Excerpt, Finding};
use crate::notice::Notice;

/// A finding as the text of a compile error or deprecation.
pub fn rustc(finding: &Finding) -> String {
    render(&Body::of_finding(finding, true))
}

/// A notice as the text of a compile error or deprecation.
pub fn rustc_notice(notice: &Notice) -> String {
    let text = render(&Body::of_notice(notice));
    if notice.place.file.is_empty() {
        return text;
    }
    // rustc points at the macro, not at the file with the problem.
    format!("{text}\n --> {}", notice.place)
}

fn render(body: &Body<'_>) -> String {
    let mut lines = vec![body.message.to_owned()];
    lines.extend(body.shown.iter().filter_map(|(_, excerpt)| excerpt.map(excerpt_with_caret)));
    lines.extend(body.footers.iter().map(|(footer, text)| format!("{}: {text}", footer.as_str())));
    lines.join("\n")
}

fn excerpt_with_caret(excerpt: &Excerpt) -> String {
    let window = window(excerpt);
    let kind = if window.span.is_empty() { AnnotationKind::Visible } else { AnnotationKind::Primary };
    let label = (!excerpt.label.is_empty()).then_some(excerpt.label.as_str());
    let snippet = Snippet::source(window.text.as_str())
        .line_start(window.first_line + 1)
        .fold(false)
        .annotation(kind.span(window.span.clone()).label(label));
    Renderer::plain().render(&[Group::with_level(Level::ERROR).element(snippet)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Place;
    use crate::notice::NoticeKind;

    #[test]
    fn a_finding_is_message_excerpt_help_and_notes() {
        let sql = "SELECT output FROM logs WHERE event_id = $1";
        let mut finding = Finding::new("unindexed_filter", "filter on `logs.event_id` has no index")
            .excerpt(sql, 30..38, "no index leads with it")
            .help("add an index on `logs (event_id)`")
            .note("`logs` has the indexes `logs_pkey (id)`")
            .related(Place { file: "src/main.rs".into(), line: 3, column: 5 }, "the loop over `events`");
        finding.place = Place { file: "src/main.rs".into(), line: 4, column: 9 };
        assert_eq!(
            rustc(&finding),
            "\
filter on `logs.event_id` has no index
  |
1 | SELECT output FROM logs WHERE event_id = $1
  |                               ^^^^^^^^ no index leads with it
help: add an index on `logs (event_id)`
note: `logs` has the indexes `logs_pkey (id)`
note: src/main.rs:3:5: the loop over `events`
note: `unindexed_filter` is at level warn; to allow it: `// query-budget: allow(unindexed_filter): <reason>`"
        );
    }

    #[test]
    fn a_query_as_a_whole_is_shown_without_a_caret() {
        let finding = Finding::new("missing_limit", "m").excerpt("SELECT id\n        FROM t", 0..0, "");
        let text = rustc(&finding);
        assert!(text.starts_with("m\n  |\n1 | SELECT id\n2 | FROM t\n  |\nnote: "), "{text}");
    }

    #[test]
    fn a_notice_names_its_file() {
        let place = Place { file: "query-budget.toml".into(), line: 2, column: 1 };
        let notice = Notice::new(NoticeKind::BrokenConfig, "m", place).help("h");
        assert_eq!(rustc_notice(&notice), "m\nhelp: h\n --> query-budget.toml:2:1");
    }
}
