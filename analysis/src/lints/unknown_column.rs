//! A column that its table does not have.

use std::ops::Range;

use super::shared::{clause, wording};
use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::sql::Dialect;
use crate::sql::query::ProblemKind;

declare_lint! {
    /// ## What it does
    ///
    /// Finds columns in a query that none of the tables in scope has.
    ///
    /// ## Why is this bad
    ///
    /// The database refuses the query when it runs.
    ///
    /// ## Known limits
    ///
    /// If a table's columns are unknown (a function's result, a temporary table), any name may be one of
    /// them, and nothing is reported; nor is a column that other code of the workspace adds to a table. sqlx's macros
    /// have asked a database, and are left to it.
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT nmae FROM events WHERE id = $1
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT name FROM events WHERE id = $1
    /// ```
    "unknown_column", Correctness, since "0.1.0",
    "a column that none of the query's tables has",
    Check::Query(check); NeedsSchema, InTests, Refused
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    // Its table is known, so a raw text runs on this database.
    if !context.is_of_this_schema() && !context.is_unchecked_text() {
        return;
    }
    for problem in &query.problems {
        if matches!(&problem.kind, ProblemKind::UnknownColumn { column, .. } if context.is_added_by_code(column))
        {
            continue;
        }
        let (column, similar, message) = match &problem.kind {
            ProblemKind::UnknownColumn { column, table: Some(table), similar } => {
                (column, similar, format!("table `{table}` has no column `{column}`"))
            }
            ProblemKind::UnknownColumn { column, table: None, similar } => {
                (column, similar, format!("no table of this query has a column `{column}`"))
            }
            ProblemKind::UnknownField { field, of, similar } => {
                (field, similar, format!("`{of}` has no field `{field}`"))
            }
            _ => continue,
        };
        let span = problem.span.map_or(0..0, |span| span.range());
        let text = in_double_quotes(context, span.clone());
        let finding = Finding::new(LINT.name, message).excerpt(context.sql, span, "unknown");
        let finding = context.refused(finding);
        findings.push(match similar {
            Some(similar) => {
                let finding = finding.help(format!("write `{similar}`, which exists"));
                clause::rename(finding, context, column, similar)
            }
            None => {
                let migrated = wording::added_by_migration(context);
                finding.help(match text {
                    Some(text) => format!("write {text} for a text, in single quotes; {migrated}"),
                    None => migrated.to_owned(),
                })
            }
        });
    }
}

/// A name in double quotes, which PostgreSQL reads as a column, as the text that other databases read it as.
fn in_double_quotes(context: &QueryContext<'_>, span: Range<usize>) -> Option<String> {
    let written = context.sql.get(span).filter(|_| context.dialect == Dialect::Postgres)?;
    let inside = written.strip_prefix('"')?.strip_suffix('"')?;
    (!inside.contains(['"', '\''])).then(|| format!("`'{inside}'`"))
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{fires, silent};

    #[test]
    fn fires_wherever_the_column_stands() {
        fires("unknown_column", "SELECT id FROM events WHERE id = $1 AND colour = $2");
        fires("unknown_column", "INSERT INTO servers (title) VALUES ($1)");
        fires("unknown_column", "UPDATE servers SET title = $1 WHERE id = $2");
        fires("unknown_column", "SELECT e.colour FROM events e WHERE e.id = $1");
    }

    #[test]
    fn silent_where_the_columns_are_not_known() {
        silent("unknown_column", "SELECT colour FROM make_rows($1) LIMIT 5");
        silent("unknown_column", "SELECT excluded FROM (SELECT true AS excluded) x");
    }
}
