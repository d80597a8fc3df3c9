//! Building blocks shared by several pages.

use maud::{Markup, html};

use super::model::{Cost, Workspace};

/// A cost class as a coloured word.
pub(super) fn cost(cost: Cost) -> Markup {
    let class = format!("badge c-{}", cost.as_str().replace(' ', "-"));
    html! { span class=(class) { (cost.as_str()) } }
}

/// A level as a coloured word.
pub(super) fn level(level: &str) -> Markup {
    html! { span class=(format!("badge l-{level}")) { (level) } }
}

/// A number with its name, for the head of a page.
pub(super) fn card(number: usize, name: &str) -> Markup {
    html! { div.card { strong { (grouped(number as u64)) } " " span { (name) } } }
}

/// The help of a finding, as a list.
pub(super) fn helps(help: &[String]) -> Markup {
    html! { @if !help.is_empty() { ul.help { @for help in help { li { "help: " (words(help)) } } } } }
}

/// A query of the list, as a link to it.
pub(super) fn query_link(workspace: &Workspace, at: usize) -> Markup {
    let Some(query) = workspace.queries.get(at) else { return html! {} };
    let function = query.function.and_then(|at| workspace.functions.get(at));
    html! {
        a href=(format!("#q{at}")) {
            @match function { Some(function) => (breakable(&function.local)), None => (breakable(&query.place)) }
        }
    }
}

/// A message, with text in backticks as code.
pub(super) fn words(text: &str) -> Markup {
    let is_paired = text.matches('`').count().is_multiple_of(2);
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 && is_paired { code { (part) } } @else { @if at > 0 && !is_paired { "`" } (part) }
        }
    }
}

/// A path that can be broken after its separators in a narrow column.
pub(super) fn breakable(path: &str) -> Markup {
    html! {
        @for part in path.split_inclusive(['/', ':', '_', '.']) {
            (part) @if part.ends_with(['/', '_']) || part == ":" { wbr; }
        }
    }
}

/// A function of the list, as a link to it.
pub(super) fn function_link(workspace: &Workspace, at: usize) -> Markup {
    let Some(function) = workspace.functions.get(at) else { return html! {} };
    html! { a href=(format!("#f{at}")) { (breakable(&function.local)) } }
}

/// A list that shows its first items, and the others on request.
pub(super) fn some_of(items: &[Markup], most: usize) -> Markup {
    let (first, rest) = items.split_at(items.len().min(most));
    html! {
        ul.plain { @for item in first { li { (item) } } }
        @if !rest.is_empty() {
            details { summary { (rest.len()) " more" } ul.plain { @for item in rest { li { (item) } } } }
        }
    }
}

/// The start of a text, on one line.
pub(super) fn one_line(text: &str) -> String {
    const MAX_LINE_LENGTH: usize = 120;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_LINE_LENGTH) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// A text without the indentation common to all its lines.
pub(super) fn unindented(text: &str) -> String {
    let lines = || text.trim_matches('\n').lines();
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    // The first line of a literal starts after its quote.
    let common = lines().skip(1).filter(|line| !line.trim().is_empty()).map(indent).min().unwrap_or(0);
    let cut = |line: &str| line.get(indent(line).min(common)..).unwrap_or_default().trim_end().to_owned();
    lines().map(cut).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// A number with thousands separators.
pub(super) fn grouped(number: u64) -> String {
    crate::report::grouped(usize::try_from(number).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_at_characters() {
        assert_eq!(one_line("SELECT\n  1"), "SELECT 1");
        assert_eq!(one_line(&"é".repeat(300)).chars().count(), 121);
        assert_eq!(unindented("SELECT a\n        FROM b\n          WHERE c"), "SELECT a\nFROM b\n  WHERE c");
        assert_eq!(unindented("\n    SELECT 1\n    FROM t\n"), "SELECT 1\nFROM t");
    }
}
