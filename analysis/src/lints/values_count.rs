//! The number of values differs from the number of columns.

use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::sql::query::ProblemKind;

declare_lint! {
    /// ## What it does
    ///
    /// Finds an INSERT, or a MERGE that inserts, whose rows have more or fewer values than the columns it
    /// lists. If it lists none, the table's columns count: PostgreSQL gives the last ones their defaults,
    /// MySQL and SQLite refuse fewer values as well as more. `SET (a, b) = (..)` is checked in the same way.
    ///
    /// ## Why is this bad
    ///
    /// The database refuses the query when it runs.
    ///
    /// ## Known limits
    ///
    /// If a query provides the rows and its columns are unknown, nothing is reported. A raw sqlx call that
    /// lists no columns may use a different database from the snapshot's, and is left alone.
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// INSERT INTO users (email, name) VALUES ($1)
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// INSERT INTO users (email, name) VALUES ($1, $2)
    /// ```
    "values_count", Correctness, since "0.1.0",
    "more or fewer values than columns",
    Check::Query(check); InTests, Refused
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    for problem in &query.problems {
        let ProblemKind::ValuesCount { table, values, columns, listed, row } = &problem.kind else {
            continue;
        };
        if !listed && !context.is_of_this_schema() {
            continue;
        }
        let span = problem.span.map_or(0..0, |span| span.range());
        let named = if *listed { "" } else { "the " };
        let taken = format!("{} for {named}{}", counted(*values, "value"), counted(columns.len(), "column"));
        let message = match row {
            Some(row) => format!("row {row} has {taken} of `{table}`"),
            None => format!("{taken} of `{table}`"),
        };
        findings.push(
            context.refused(
                Finding::new(LINT.name, message)
                    .excerpt(
                        context.sql,
                        span,
                        if *values > columns.len() { "too many" } else { "the last one" },
                    )
                    .help(help(*values, columns, *listed)),
            ),
        );
    }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The edit that makes them match.
fn help(values: usize, columns: &[String], listed: bool) -> String {
    let left = columns.get(values..).unwrap_or_default();
    let names: Vec<String> =
        left.iter().filter(|name| !name.is_empty()).map(|name| format!("`{name}`")).collect();
    match (values > columns.len(), names.is_empty()) {
        (true, _) if listed => "name a column for each value, or take values out".to_owned(),
        (true, _) => format!("take out all but {}", counted(columns.len(), "value")),
        (false, true) => "give every row as many values as there are columns".to_owned(),
        (false, false) if listed => {
            format!("add a value for {}, or take it out of the list", names.join(", "))
        }
        (false, false) => format!("add a value for {}, or list the columns that are given", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{fires, silent};

    #[test]
    fn fires_where_a_value_or_a_column_is_left_over() {
        fires("values_count", "INSERT INTO servers (id, name) VALUES ($1, $2, $3)");
        fires("values_count", "INSERT INTO servers (id, name) VALUES ($1, $2), ($3)");
        fires("values_count", "INSERT INTO servers (id, name) SELECT id FROM events WHERE id = $1");
        fires("values_count", "INSERT INTO servers VALUES ($1, $2), ($3)");
        fires("values_count", "INSERT INTO servers VALUES (1, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')");
        fires("values_count", "UPDATE users SET (name, email) = ($1, $2, $3) WHERE id = $4");
    }

    #[test]
    fn silent_where_defaults_fill_in_or_nothing_is_known() {
        silent("values_count", "INSERT INTO servers VALUES ($1, $2)");
        silent("values_count", "INSERT INTO servers DEFAULT VALUES");
        silent("values_count", "INSERT INTO servers (id, name) SELECT * FROM make_rows($1) LIMIT 5");
        silent("values_count", "UPDATE users SET (name, email) = ($1, $2) WHERE id = $3");
    }
}
