//! SQL that the database would refuse to prepare.

use super::{Check, QueryContext, declare_lint};
use crate::finding::{Applicability, Finding};
use crate::rust::{Form, Site};
use crate::sql::text::{Span, bare_parameters};
use crate::sql::{Dialect, resolve, split};

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
    /// A raw sqlx call is reported, as a warning, if its text is not a valid statement in any database, or if
    /// `?` is sent to a PostgreSQL connection; any other that does not parse is counted as not checked: there
    /// the database has the last word. Text beyond the limits of the parser (brackets nested hundreds deep,
    /// thousands of operators in a row) is refused as well, with a message that says so.
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
    let marks = match query.dialect {
        Dialect::Postgres if !error.limit => bare_parameters(query.sql),
        _ => Vec::new(),
    };
    let is_raw = query.is_raw();
    // What PostgreSQL accepted before version 15, a macro may have compiled.
    if is_raw && !query.is_unchecked_text() && is_glued(query) {
        return;
    }
    if is_raw && (error.limit || !is_refused_everywhere(query) && !is_refused_there(query, &marks)) {
        return;
    }
    let finding = match marks.first() {
        Some(first) => numbered(query, &marks).excerpt(query.sql, first.range(), "here"),
        None => {
            let label = if error.limit { "not checked from here on" } else { "here" };
            Finding::new(LINT.name, error.message.as_str()).excerpt(query.sql, error.span.range(), label)
        }
    };
    let finding = if is_raw { finding.warns() } else { finding };
    let finding = finding.note(format!("the text is read as one {} statement", query.dialect));
    findings.push(if error.limit {
        finding.help("run it with `sqlx::query`, which takes any text")
    } else {
        finding
    });
}

/// The finding for placeholders that PostgreSQL does not support, with the edits if they make the text valid.
fn numbered(context: &QueryContext<'_>, marks: &[Span]) -> Finding {
    let finding = Finding::new(LINT.name, "PostgreSQL numbers its parameters: `$1` for `?`");
    let finding = match marks.len() {
        1 => finding.help("write `$1` for `?`"),
        last => finding.help(format!("write `$1` to `${last}` for each `?` in its order")),
    };
    let edits = marks.iter().enumerate().map(|(at, mark)| (*mark, format!("${}", at + 1)));
    let edited = edits.fold(finding.clone(), |finding, (mark, number)| {
        finding.edit(mark.range(), number, Applicability::Machine)
    });
    let becomes_right =
        edited.edited(context.sql).is_some_and(|sql| resolve(&sql, context.dialect, None).is_ok());
    if becomes_right { edited } else { finding }
}

/// Whether a word follows a parameter without a space: `$1ORDER BY`.
fn is_glued(context: &QueryContext<'_>) -> bool {
    context.dialect == Dialect::Postgres
        && context.sql.split('$').skip(1).any(|rest| {
            let word = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            word.len() < rest.len() && word.starts_with(|c: char| c.is_ascii_alphabetic())
        })
}

/// Whether a raw text is invalid in every database, and complete.
fn is_refused_everywhere(context: &QueryContext<'_>) -> bool {
    is_whole(context)
        && !context.is_any_dialect
        && Dialect::ALL
            .into_iter()
            .all(|dialect| matches!(resolve(context.sql, dialect, None), Err(error) if !error.limit))
        && !(context.is_unchecked_text() && may_be_script(context))
}

/// Whether a text may be a script of SQLite, which sqlx runs statement by statement: its connection is not of another
/// database, and SQLite accepts each of its statements.
fn may_be_script(context: &QueryContext<'_>) -> bool {
    let runs_on = context.site.and_then(Site::dialect);
    let statements = split::statements(context.sql, Dialect::Sqlite);
    runs_on.is_none_or(|dialect| dialect == Dialect::Sqlite)
        && statements.len() > 1
        && statements.iter().all(|statement| resolve(statement.text, Dialect::Sqlite, None).is_ok())
}

/// Whether a raw text with these placeholders runs on a PostgreSQL connection, which refuses them.
fn is_refused_there(context: &QueryContext<'_>, marks: &[Span]) -> bool {
    let runs_on = context.site.and_then(Site::dialect);
    is_whole(context) && runs_on == Some(Dialect::Postgres) && !marks.is_empty()
}

fn is_whole(context: &QueryContext<'_>) -> bool {
    let is_macro = |site: &Site| site.form == Form::SqlxMacro && !site.is_of_own_macro();
    context.site.is_some_and(is_macro) || context.is_unchecked_text()
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{findings_in, fires, help, silent};

    #[test]
    fn fires_on_what_is_not_one_statement() {
        fires("syntax_error", "SELECT 1 SELECT 2");
        fires("syntax_error", "");
        fires("syntax_error", "SELECT 'a");
        fires("syntax_error", "SELECT 1; SELECT 2");
    }

    #[test]
    fn a_word_behind_a_parameter_is_left_to_the_server_that_compiled_it() {
        let found = |call: &str| {
            let source = format!("async fn run(db: &PgPool) {{ {call}.fetch_all(db).await; }}");
            findings_in("syntax_error", &source).iter().any(|finding| finding.lint == "syntax_error")
        };
        let sql = "SELECT name FROM servers WHERE id = $1ORDER BY name";
        assert!(!found(&format!("sqlx::query!(\"{sql}\", id)")));
        assert!(found(&format!("sql!(\"{sql}\", id)")));
        assert!(found("sqlx::query!(\"SELECT name FROM servers WHERE id = $1 BY name\", id)"));
    }

    #[test]
    fn a_raw_text_of_several_statements_may_be_a_script_of_sqlite() {
        let found = |of: &str, text: &str| {
            let source = format!("async fn run(db: {of}) {{ sqlx::query({text:?}).execute(db).await; }}");
            findings_in("syntax_error", &source)
                .iter()
                .filter(|finding| finding.lint == "syntax_error")
                .count()
        };
        let script = "CREATE TABLE a (b int); CREATE INDEX c ON a (b)";
        assert_eq!(found("&AnyPool", script), 0);
        assert_eq!(found("&SqlitePool", script), 0);
        assert_eq!(found("&PgPool", script), 1);
        assert_eq!(found("&AnyPool", "SELECT 1; SELECT FROM WHERE"), 1);
    }

    #[test]
    fn a_question_mark_is_told_how_postgres_writes_it() {
        let found = help("syntax_error", "SELECT name FROM servers WHERE id = ?");
        assert_eq!(found, "write `$1` for `?`");
        let found = help("syntax_error", "SELECT name FROM servers WHERE id = ? AND name = ?");
        assert_eq!(found, "write `$1` to `$2` for each `?` in its order");
    }

    #[test]
    fn a_raw_text_is_told_where_its_connection_is_to_postgres() {
        let found = |connection: &str| {
            let source = format!(
                "async fn run(db: {connection}) {{ sqlx::query(\"DELETE FROM servers WHERE id = ?\").bind(1).execute(db).await; }}"
            );
            let found = findings_in("syntax_error", &source);
            found
                .iter()
                .filter(|finding| finding.lint == "syntax_error")
                .map(|finding| finding.edits.len())
                .collect::<Vec<_>>()
        };
        for connection in ["&PgPool", "&mut PgConnection", "&mut sqlx::Transaction<'_, sqlx::Postgres>"] {
            assert_eq!(found(connection), [1], "{connection}");
        }
        for connection in ["&AnyPool", "&SqlitePool", "impl Executor<'_>"] {
            assert_eq!(found(connection), [0; 0], "{connection}");
        }
    }

    #[test]
    fn silent_on_statements_that_are_not_looked_into() {
        silent("syntax_error", "REFRESH MATERIALIZED VIEW CONCURRENTLY totals");
        silent("syntax_error", "ALTER SEQUENCE ids RESTART WITH 1;");
    }
}
