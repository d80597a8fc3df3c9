//! The changes since a revision, as a comment on a pull request.

use std::fmt::Write as _;

use super::diff::{Change, Diff, FindingChange};
use super::parts::{grouped, one_line};
use crate::report::counted;

/// The first line of a comment, by which a workflow finds its earlier one.
pub(crate) const MARK: &str = "<!-- query-budget report -->";

/// The maximum number of rows in a table: a comment on GitHub is limited to 65,536 characters.
const MOST_ROWS: usize = 30;

pub(crate) fn comment(diff: &Diff) -> String {
    let mut text = format!("{MARK}\n### query-budget: changes since {}\n\n", code(&diff.revision));
    if diff.is_empty() {
        text.push_str("Nothing has changed for queries, bounds and indexes.\n");
    } else {
        let _ = writeln!(text, "{}\n", headline(diff));
    }
    findings(&mut text, "New findings", &diff.new_findings);
    bounds(&mut text, diff);
    queries(&mut text, diff);
    indexes(&mut text, diff);
    if !diff.gone_findings.is_empty() {
        text.push_str("<details><summary>");
        let gone = counted(diff.gone_findings.len(), "finding is gone", "findings are gone");
        let _ = write!(text, "{gone}</summary>\n\n");
        findings(&mut text, "", &diff.gone_findings);
        text.push_str("</details>\n\n");
    }
    let _ = writeln!(text, "<sub>{}</sub>", plain(&diff.coverage));
    text
}

fn headline(diff: &Diff) -> String {
    let over = diff.functions.iter().filter(|it| it.exceeded).count();
    let parts = [
        (diff.count(Change::Added), "query added", "queries added"),
        (diff.count(Change::Worse), "query worse", "queries worse"),
        (diff.count(Change::Better), "query better", "queries better"),
        (diff.count(Change::Removed), "query removed", "queries removed"),
        (over, "function over its budget", "functions over their budget"),
        (diff.new_findings.len(), "new finding", "new findings"),
        (diff.gone_findings.len(), "finding gone", "findings gone"),
    ];
    let named = parts.iter().filter(|(count, ..)| *count > 0);
    let named = named.map(|(count, one, many)| {
        let name = if *count == 1 { one } else { many };
        format!("**{}** {name}", grouped(*count as u64))
    });
    named.collect::<Vec<_>>().join(" · ")
}

fn findings(text: &mut String, name: &str, findings: &[FindingChange]) {
    if findings.is_empty() {
        return;
    }
    let rows = findings.iter().map(|it| {
        let help = it.help.first().map(|help| format!("<br>help: {}", plain(help))).unwrap_or_default();
        vec![it.level.to_owned(), code(it.lint), plain(&it.message) + &help, code(&it.place)]
    });
    table(text, name, &["level", "lint", "finding", "place"], rows.collect());
}

fn bounds(text: &mut String, diff: &Diff) {
    if diff.functions.is_empty() {
        return;
    }
    let rows = diff.functions.iter().map(|it| {
        let budget = if it.exceeded { format!("**{}**", plain(&it.budget)) } else { plain(&it.budget) };
        vec![it.change.as_str().to_owned(), code(&it.function), plain(&it.before), plain(&it.now), budget]
    });
    table(text, "Bounds", &["change", "function", "before", "now", "budget"], rows.collect());
}

fn queries(text: &mut String, diff: &Diff) {
    if diff.queries.is_empty() {
        return;
    }
    let rows = diff.queries.iter().map(|it| {
        let class = |class: Option<super::model::Cost>| class.map_or("", |class| class.as_str()).to_owned();
        let place = code(&it.place);
        vec![it.change.as_str().to_owned(), class(it.before), class(it.now), code(&one_line(&it.sql)), place]
    });
    table(text, "Queries", &["change", "before", "now", "query", "place"], rows.collect());
}

fn indexes(text: &mut String, diff: &Diff) {
    let rows: Vec<Vec<String>> = diff
        .indexes
        .iter()
        .map(|it| {
            let uses = format!("{} {}", it.uses, if it.uses == 1 { "access" } else { "accesses" });
            vec![
                it.change.as_str().to_owned(),
                code(&it.table),
                code(&format!("{} {}", it.name, it.on)),
                uses,
            ]
        })
        .collect();
    if !rows.is_empty() {
        table(text, "Indexes", &["change", "table", "index", "searched by"], rows);
    }
    for (name, statements) in
        [("Indexes missing since", &diff.new_advice), ("Indexes no longer missing", &diff.gone_advice)]
    {
        if statements.is_empty() {
            continue;
        }
        let _ = write!(text, "**{name}**\n\n");
        for ddl in statements.iter().take(MOST_ROWS) {
            let _ = writeln!(text, "- {}", code(&format!("{ddl};")));
        }
        more(text, statements.len());
        text.push('\n');
    }
}

fn table(text: &mut String, name: &str, head: &[&str], rows: Vec<Vec<String>>) {
    if !name.is_empty() {
        let _ = write!(text, "**{name}**\n\n");
    }
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    text.push_str(&line(&head.iter().map(|&it| it.to_owned()).collect::<Vec<_>>()));
    text.push_str(&line(&vec!["---".to_owned(); head.len()]));
    for row in rows.iter().take(MOST_ROWS) {
        text.push_str(&line(row));
    }
    text.push('\n');
    more(text, rows.len());
}

fn more(text: &mut String, rows: usize) {
    if rows > MOST_ROWS {
        let _ = write!(text, "and {} more\n\n", grouped((rows - MOST_ROWS) as u64));
    }
}

/// An untrusted text as code in a cell: on one line, without a mark that ends either.
fn code(text: &str) -> String {
    let line = one_line(text);
    if line.is_empty() {
        return String::new();
    }
    // In code only a backtick is special, and in a cell only a bar. A longer run of backticks than any inside
    // ends it.
    let longest = line.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if line.starts_with('`') || line.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{}{pad}{fence}", line.replace('|', "\\|"))
}

/// An untrusted text as words in a cell: no markup, no HTML, no `@` mentions.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    // Text in backticks is code already.
    for (at, part) in one_line(text).split('`').enumerate() {
        if at % 2 == 1 && text.matches('`').count().is_multiple_of(2) {
            plain.push_str(&code(part));
            continue;
        }
        for c in part.chars() {
            match c {
                '<' => plain.push_str("&lt;"),
                '>' => plain.push_str("&gt;"),
                '&' => plain.push_str("&amp;"),
                // After a zero-width character, a name mentions nobody and a number links to no issue.
                '@' | '#' => plain.extend([c, '\u{200b}']),
                '|' | '*' | '_' | '[' | ']' | '~' | '\\' | '!' => plain.extend(['\\', c]),
                c => plain.push(c),
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_text() {
        for (text, expected) in [
            ("a|b", "`a\\|b`"),
            ("a`b", "``a`b``"),
            ("`", "`` ` ``"),
            ("a\n| b |", "`a \\| b \\|`"),
            ("", ""),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
        for (text, expected) in [
            ("filter on `a_b` has no index", "filter on `a_b` has no index"),
            (
                "<img src=x> [a](b) @all #1 **b**",
                "&lt;img src=x&gt; \\[a\\](b) @\u{200b}all #\u{200b}1 \\*\\*b\\*\\*",
            ),
            ("one ` alone", "one  alone"),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }
}
