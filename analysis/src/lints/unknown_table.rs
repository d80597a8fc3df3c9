//! A table that is not in the schema.

use super::shared::{clause, wording};
use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::sql::query::ProblemKind;
use crate::sql::text::is_slip;

declare_lint! {
    /// ## What it does
    ///
    /// Finds tables, views and aliases in a query that are neither in the schema snapshot nor defined by the
    /// query itself.
    ///
    /// ## Why is this bad
    ///
    /// The database refuses the query when it runs.
    ///
    /// ## Known limits
    ///
    /// A name that may exist for a known reason (a temporary table, a `DO` block that could not be replayed,
    /// the database's own catalogues, a table that other code of the workspace creates) is not reported. The snapshot has to
    /// be current: `cargo query-budget schema --check`. Calls of sqlx's macros are not reported, since sqlx has asked a database.
    /// Another raw call may use another database; it is reported only if it also names a table of this one, or one with a
    /// similar name.
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT id FROM event WHERE id = $1
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT id FROM events WHERE id = $1
    /// ```
    "unknown_table", Correctness, since "0.1.0",
    "a table that the schema does not have",
    Check::Query(check); NeedsSchema, InTests, Refused
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    for problem in &query.problems {
        let ProblemKind::UnknownTable { name, similar } = &problem.kind else { continue };
        if context.is_made_by_code(name) {
            continue;
        }
        // A raw text may run on another database, unless it reads a table of this one, or one with a similar
        // name.
        let is_of_it = context.is_unchecked_text() && (similar.is_some() || context.names_known_table(query));
        if !context.is_of_this_schema() && !is_of_it {
            continue;
        }
        let span = problem.span.map_or(0..0, |span| span.range());
        let finding = Finding::new(LINT.name, format!("table `{name}` is not in the schema"));
        let finding = finding.excerpt(context.sql, span, "unknown");
        let finding = context.refused(finding);
        findings.push(match similar {
            Some(similar) if is_slip(name, similar) => {
                let finding = finding.help(format!("write `{similar}`, which exists"));
                clause::rename(finding, context, name, similar)
            }
            _ => finding.help(wording::added_by_migration(context)),
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{findings_in, fires, silent};

    #[test]
    fn silent_on_a_table_that_the_same_text_makes() {
        let found = |text: &str| {
            let source =
                format!("async fn run(db: &PgPool) {{ sqlx::raw_sql(\"{text}\").execute(db).await; }}");
            findings_in("unknown_table", &source).iter().any(|finding| finding.lint == "unknown_table")
        };
        let fill = "INSERT INTO names (name) SELECT name FROM servers";
        assert!(!found(&format!("CREATE TABLE names (name text); {fill}; DROP TABLE names")));
        assert!(!found(&format!("CREATE TABLE IF NOT EXISTS names (name text); {fill}")));
    }

    #[test]
    fn silent_on_a_table_that_the_file_makes_for_its_session() {
        let source = r#"async fn run(db: &PgPool) {
            sqlx::query("CREATE TEMPORARY TABLE mine (id bigint)").execute(db).await;
            sqlx::query("SELECT m.id FROM mine m JOIN users u ON u.id = m.id LIMIT 1").fetch_all(db).await;
            sqlx::query("SELECT m.id FROM yours m JOIN users u ON u.id = m.id LIMIT 1").fetch_all(db).await;
        }"#;
        let found = findings_in("unknown_table", source).into_iter().filter(|it| it.lint == "unknown_table");
        let lines: Vec<u32> = found.map(|finding| finding.place.line).collect();
        assert_eq!(lines, [4]);
    }

    #[test]
    fn fires_on_unknown_names() {
        fires("unknown_table", "DELETE FROM event WHERE id = $1");
        fires("unknown_table", "SELECT e.id FROM events WHERE events.id = $1");
    }

    #[test]
    fn silent_on_names_of_the_query_and_of_the_database() {
        silent("unknown_table", "WITH mine AS (SELECT 1 AS id) SELECT id FROM mine");
        silent("unknown_table", "SELECT relname FROM pg_class LIMIT 5");
    }
}
