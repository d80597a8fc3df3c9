//! Queries whose text is built at run time: findings that do not depend on the text.

use super::loops;
use crate::finding::Finding;
use crate::lints::{Lint, query_in_loop, row_by_row_write};
use crate::rust::{Site, SiteSql};
use crate::sql::Dialect;

/// The finding of the lints on loops for a query that is built in a loop over data, and its lint.
pub(crate) fn in_loop(site: &Site, dialect: Dialect) -> Option<(&'static Lint, Finding)> {
    let Some(built) = &site.built else {
        return (site.sql == SiteSql::Dynamic).then(|| of_unknown(site, dialect)).flatten();
    };
    let around = loops::of_built(site, built).filter(|_| !built.takes_many)?;
    let turn = loops::per_iteration(around);
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
    Some((lint, finding.related(around.place.clone(), "the loop")))
}

/// The finding for a query of which no part is known: a method that fetches rows reads, and any other runs a statement.
fn of_unknown(site: &Site, dialect: Dialect) -> Option<(&'static Lint, Finding)> {
    let method = &site.call.as_ref()?.method;
    let is_read = match method.as_str() {
        name if name.starts_with("fetch") => true,
        "execute" => false,
        _ => return None,
    };
    let around = loops::of_unknown(site)?;
    let turn = loops::per_iteration(around);
    let (lint, finding) = if is_read {
        let finding = Finding::new(query_in_loop::LINT.name, format!("this query runs once {turn}"));
        let help =
            format!("read all of them in one query before the loop, by a join or {}", loops::keys(dialect));
        (&query_in_loop::LINT, finding.help(help))
    } else {
        let finding = Finding::new(row_by_row_write::LINT.name, format!("this statement runs once {turn}"));
        (&row_by_row_write::LINT, finding.help("run one statement for all elements"))
    };
    let finding =
        finding.note("its text is known only when it runs").related(around.place.clone(), "the loop");
    let finding = match &site.aside {
        Some(aside) => finding.note(aside.clone()).listed(),
        None => finding,
    };
    Some((lint, finding))
}
