//! Comments that silence a lint: `query-budget: allow(lint): reason`, the same words in Rust and in SQL.

use crate::finding::{Finding, Place};

/// One lint allowed at one place.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Allow {
    /// The lint as written; it may be unknown.
    pub lint: String,
    /// The reason; `None` when it is missing or empty.
    pub reason: Option<String>,
    /// Where the allow is.
    pub place: Place,
    /// Whether it uses rustc's own syntax, in which case an unknown name may be one of rustc's lints.
    pub may_be_rustcs: bool,
    /// The range to delete to remove this allow, end exclusive. `None` if the comment or attribute also
    /// serves something else.
    pub extent: Option<(Place, Place)>,
}

/// The word that begins a comment for this project.
pub(crate) const MARK: &str = "query-budget:";

/// Parses the allows in a comment whose delimiters are stripped: `query-budget: allow(a, b): reason`. A
/// malformed comment that starts with the mark becomes an allow of a nonexistent lint, so that it is reported
/// rather than ignored.
pub(crate) fn parse(comment: &str, place: &Place) -> Vec<Allow> {
    let Some(order) = comment.trim().strip_prefix(MARK).map(str::trim) else { return Vec::new() };
    let parts = order
        .strip_prefix("allow")
        .and_then(|rest| rest.trim_start().strip_prefix('('))
        .and_then(|rest| rest.split_once(')'));
    let Some((lints, rest)) = parts else {
        return vec![Allow {
            lint: order.to_owned(),
            reason: None,
            place: place.clone(),
            may_be_rustcs: false,
            extent: None,
        }];
    };
    let reason = rest.trim_start().strip_prefix(':').map(str::trim).filter(|reason| !reason.is_empty());
    lints
        .split(',')
        .map(str::trim)
        .filter(|lint| !lint.is_empty())
        .map(|lint| Allow {
            lint: lint.to_owned(),
            reason: reason.map(str::to_owned),
            place: place.clone(),
            may_be_rustcs: false,
            extent: None,
        })
        .collect()
}

/// Sets the extent of an allow that has a comment to itself: from the start of the comment to the end of its
/// line. `comment` includes its delimiters.
pub(crate) fn set_extent(allows: &mut [Allow], comment: &str) {
    if let [allow] = allows {
        let place = &allow.place;
        let length = u32::try_from(comment.trim_end().chars().count()).unwrap_or(0);
        allow.extent = Some((place.clone(), Place { column: place.column + length, ..place.clone() }));
    }
}

/// The allows in the comments of `text`, the text before a SQL statement. `place` maps the start of a line,
/// counted from 0, to its place.
pub fn above_sql(text: &str, place: impl Fn(usize) -> Place) -> Vec<Allow> {
    if !text.contains(MARK) {
        return Vec::new();
    }
    let mut allows = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        let line = line.trim_end();
        let comment = line.trim_start();
        let opened = ["--", "/*", "#"].iter().find_map(|sign| comment.strip_prefix(sign));
        let Some(opened) = opened else { continue };
        let mut found = parse(opened.strip_suffix("*/").unwrap_or(opened), &place(at));
        // A comment that continues on the next line would lose its first line.
        let goes_on = lines.peek().is_some_and(|(_, next)| next.trim_start().starts_with("--"));
        if comment.starts_with("--") && !goes_on {
            for allow in &mut found {
                let indent = line.chars().count() - comment.chars().count();
                allow.place.column = u32::try_from(indent).unwrap_or(0) + 1;
            }
            set_extent(&mut found, comment);
        }
        allows.append(&mut found);
    }
    allows
}

/// The comment that allows a lint at a finding; `None` if the file cannot hold a comment there.
pub(crate) fn comment_for(finding: &Finding) -> Option<String> {
    let file: &str = &finding.place.file;
    if file.is_empty() || file.ends_with(".rs") {
        return Some(comment(file, finding.lint, "<reason>"));
    }
    // In other files, only queries are written by hand.
    let is_query = finding.sql.is_some();
    match file.rsplit('.').next() {
        Some("sql") if is_query => Some(comment(file, finding.lint, "<reason>")),
        Some("jsonl") if is_query => {
            Some(format!("{} in front of the query", comment(file, finding.lint, "<reason>")))
        }
        _ => None,
    }
}

/// The comment that allows a lint, in the syntax of `file` and in backquotes.
pub(crate) fn comment(file: &str, lint: &str, reason: &str) -> String {
    match file.rsplit('.').next() {
        Some("sql") => format!("`-- {MARK} allow({lint}): {reason}`"),
        // The query is on one line in these files, so a line comment would swallow the rest of it.
        Some("jsonl" | "json") => format!("`/* {MARK} allow({lint}): {reason} */`"),
        _ => format!("`// {MARK} allow({lint}): {reason}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(text: &str) -> Vec<(String, Option<String>, u32)> {
        let place = |at: usize| Place { file: "q.sql".into(), line: at as u32 + 1, column: 1 };
        let allows = above_sql(text, place).into_iter();
        allows.map(|allow| (allow.lint, allow.reason, allow.place.line)).collect()
    }

    #[test]
    fn comments_of_sql_allow() {
        let text = "\n-- query-budget: allow(select_star, count_star): for the export\n/* query-budget: allow(x) */ ";
        let reason = Some("for the export".to_owned());
        assert_eq!(
            allows(text),
            [
                ("select_star".to_owned(), reason.clone(), 2),
                ("count_star".to_owned(), reason, 2),
                ("x".to_owned(), None, 3)
            ]
        );
    }

    #[test]
    fn other_comments_allow_nothing() {
        assert_eq!(allows("-- allow(select_star): no mark\n-- see query-budget: allow(x): y\n"), []);
        assert_eq!(allows("-- query-budget: ignore this\n").len(), 1, "a slip is not passed over");
    }
}
