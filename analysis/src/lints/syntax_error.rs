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
    /// The database refuses it at run time, and nothing else about it can be checked.
    ///
    /// ## Known limits
    ///
    /// Only `sql!` is reported. A raw sqlx call that does not parse is counted as not checked: there the database has
    /// the last word. Text beyond the limits of the parser (brackets nested hundreds deep, thousands of operators in a
    /// row) is refused as well, with a message that says so.
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
    let finding = match question_mark(query, error.span.range()) {
        Some(number) => finding.help(format!("write `${number}`: PostgreSQL numbers its parameters")),
        None => finding,
    };
    let finding = finding.note(format!("the text is read as one {} statement", query.dialect));
    findings.push(if error.limit {
        finding.help("run it with `sqlx::query`, which takes any text")
    } else {
        finding
    });
}

/// The number of the parameter that a `?` stands for where PostgreSQL's rules hold.
fn question_mark(context: &QueryContext<'_>, span: std::ops::Range<usize>) -> Option<usize> {
    let before = context.sql.get(..span.start)?;
    let token = context.sql.get(span)?;
    (context.dialect == Dialect::Postgres && token.contains('?')).then(|| before.matches('?').count() + 1)
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
    use crate::lints::tests::{fires, help, silent};

    #[test]
    fn fires_on_what_is_not_one_statement() {
        fires("syntax_error", "SELECT 1 SELECT 2");
        fires("syntax_error", "");
        fires("syntax_error", "SELECT 'a");
        fires("syntax_error", "SELECT 1; SELECT 2");
    }

    #[test]
    fn a_question_mark_is_told_how_postgres_writes_it() {
        let found = help("syntax_error", "SELECT name FROM servers WHERE id = ? AND name = ?");
        assert_eq!(found, "write `$1`: PostgreSQL numbers its parameters");
    }

    #[test]
    fn silent_on_statements_that_are_not_looked_into() {
        silent("syntax_error", "REFRESH MATERIALIZED VIEW CONCURRENTLY totals");
        silent("syntax_error", "ALTER SEQUENCE ids RESTART WITH 1;");
    }
}
