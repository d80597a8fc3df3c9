//! Queries whose text is built at run time: findings that do not depend on the text.

use super::loops;
use crate::finding::Finding;
use crate::lints::{Lint, query_in_loop, row_by_row_write};
use crate::rust::Site;
use crate::sql::Dialect;

/// The finding of the lints on loops for a query that is built in a loop over data, and its lint.
pub(crate) fn in_loop(site: &Site, dialect: Dialect) -> Option<(&'static Lint, Finding)> {
    let built = site.built.as_ref().filter(|built| !built.takes_many)?;
    let (place, turn) = loops::of_built(site, built)?;
    let word = built.begin.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let word: String = word.chars().take_while(char::is_ascii_alphabetic).collect();
    let verb = word.to_ascii_uppercase();
    let (lint, message, help) = match verb.as_str() {
        "SELECT" => (
            &query_in_loop::LINT,
            format!("this query runs once {turn}"),
            format!("read all of them in one query before the loop, by a join or {}", loops::keys(dialect)),
        ),
        "INSERT" => (
            &row_by_row_write::LINT,
            format!("this INSERT runs once {turn}"),
            format!("write all of them in one statement, with {}", loops::rows(dialect)),
        ),
        "UPDATE" => (
            &row_by_row_write::LINT,
            format!("this UPDATE runs once {turn}"),
            format!(
                "write all of them in one statement that joins the table with the elements, {}, and keep every condition",
                loops::joined(dialect)
            ),
        ),
        "DELETE" | "MERGE" => (
            &row_by_row_write::LINT,
            format!("this {verb} runs once {turn}"),
            format!(
                "write all of them in one statement, with {}, and keep every condition",
                loops::keys(dialect)
            ),
        ),
        _ => return None,
    };
    let finding = Finding::new(lint.name, message).excerpt(built.begin.as_str(), 0..0, "").help(help);
    Some((lint, finding.related(place, "the loop")))
}
