//! A column that several of the query's tables have.

use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::sql::query::ProblemKind;

declare_lint! {
    /// ## What it does
    ///
    /// Finds columns without a qualifier that exist in more than one of the tables in scope.
    ///
    /// ## Why is this bad
    ///
    /// The database refuses the query when it runs.
    ///
    /// ## Known limits
    ///
    /// If a table's columns are unknown (a function's result, a temporary table), nothing is reported.
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT id FROM logs JOIN events ON events.id = logs.event_id WHERE logs.id = $1
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT logs.id FROM logs JOIN events ON events.id = logs.event_id WHERE logs.id = $1
    /// ```
    "ambiguous_column", Correctness, since "0.1.0",
    "a column that exists in several of the query's tables",
    Check::Query(check); NeedsSchema, InTests, Refused
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    for problem in &query.problems {
        let ProblemKind::AmbiguousColumn { column, relations } = &problem.kind else { continue };
        let listed = |separator: &str, suffix: &str| {
            let names: Vec<String> = relations.iter().map(|name| format!("`{name}{suffix}`")).collect();
            names.join(separator)
        };
        let span = problem.span.map_or(0..0, |span| span.range());
        let (message, help) = match relations.as_slice() {
            [one] => (
                format!("query `{one}` has several columns `{column}`"),
                format!("name the columns of `{one}` differently"),
            ),
            _ => (
                format!("column `{column}` is in each of {}", listed(", ", "")),
                format!("write {}", listed(" or ", &format!(".{column}"))),
            ),
        };
        let finding = Finding::new(LINT.name, message).excerpt(context.sql, span, "ambiguous").help(help);
        findings.push(context.refused(finding));
    }
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{fires, silent};

    #[test]
    fn fires_where_two_tables_have_it() {
        fires(
            "ambiguous_column",
            "SELECT e.id FROM events e JOIN servers s ON s.id = server_id WHERE name = $1",
        );
        fires("ambiguous_column", "SELECT id FROM events, logs WHERE events.id = event_id");
    }

    #[test]
    fn fires_where_a_query_in_from_has_it_twice() {
        let two = "SELECT e.id, s.id FROM events e JOIN servers s ON s.id = e.server_id";
        fires("ambiguous_column", &format!("SELECT id FROM ({two}) x"));
        fires("ambiguous_column", &format!("WITH x AS ({two}) SELECT x.id FROM x"));
        silent("ambiguous_column", &format!("SELECT * FROM ({two}) x (a, b) WHERE a = $1"));
    }

    #[test]
    fn silent_where_one_is_meant() {
        silent("ambiguous_column", "SELECT id FROM events JOIN servers USING (id)");
        silent(
            "ambiguous_column",
            "SELECT id FROM events WHERE EXISTS (SELECT 1 FROM logs WHERE id = event_id)",
        );
        silent(
            "ambiguous_column",
            "SELECT s.name FROM events e JOIN servers s ON s.id = e.server_id ORDER BY name",
        );
        silent(
            "ambiguous_column",
            "INSERT INTO servers (name) VALUES ($1) ON CONFLICT (id) DO UPDATE SET name = $1",
        );
    }
}
