//! SQL that the database would refuse to prepare.

use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::rust::Form;
use crate::sql::{Dialect, resolve};

declare_lint! {
    /// ## What it does
    ///
    /// Finds text in `sql!` that is not one SQL statement of the project's dialect: a misspelt keyword, an unclosed
    /// quotation mark, nothing at all, or two statements in one.
    ///
    /// ## Why is this bad
    ///
    /// The database refuses it when it runs, and nothing else about it can be checked before.
    ///
    /// ## Known limits
    ///
    /// It speaks of `sql!` alone. A raw sqlx call that does not parse is counted as not checked: there the database, and
    /// not this project, has the last word. Text beyond what is looked into (brackets nested hundreds deep, thousands of
    /// operators in a row) is refused as well, with a message that says so.
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT id FORM events
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT id FROM events ORDER BY id LIMIT 50
    /// ```
    "syntax_error", Correctness, since "0.1.0",
    "text in `sql!` that is not one SQL statement",
    Check::Query(check); InTests, Refused
}

fn check(query: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Err(error) = query.query else { return };
    let is_raw = query.site.is_some_and(|site| site.form != Form::Checked);
    if is_raw && (error.limit || !is_refused_everywhere(query)) {
        return;
    }
    let label = if error.limit { "not checked from here on" } else { "here" };
    let finding = Finding::new(LINT.name, error.message.as_str());
    let finding = finding.excerpt(query.sql, error.span.range(), label);
    let finding = if is_raw { finding.warns() } else { finding };
    let finding = finding.note(format!("the text is read as one {} statement", query.dialect));
    findings.push(if error.limit {
        finding.help("run it with `sqlx::query`, which takes any text")
    } else {
        finding
    });
}

/// Whether no database's rules make a statement of a raw text, and the text is all that is sent.
fn is_refused_everywhere(context: &QueryContext<'_>) -> bool {
    let is_whole =
        context.site.is_some_and(|site| site.form == Form::SqlxMacro) || context.is_unchecked_text();
    is_whole
        && !context.is_any_dialect
        && Dialect::ALL
            .into_iter()
            .all(|dialect| matches!(resolve(context.sql, dialect, None), Err(error) if !error.limit))
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{fires, silent};

    #[test]
    fn fires_on_what_is_not_one_statement() {
        fires("syntax_error", "SELECT 1 SELECT 2");
        fires("syntax_error", "");
        fires("syntax_error", "SELECT 'a");
        fires("syntax_error", "SELECT 1; SELECT 2");
    }

    #[test]
    fn silent_on_statements_that_are_not_looked_into() {
        silent("syntax_error", "REFRESH MATERIALIZED VIEW CONCURRENTLY totals");
        silent("syntax_error", "ALTER SEQUENCE ids RESTART WITH 1;");
    }
}
