//! A clause that the database refuses where it is.

use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::rust::{Form, Site};
use crate::sql::query::ProblemKind;

declare_lint! {
    /// ## What it does
    ///
    /// Finds clauses that the database refuses, by themselves or in combination with others:
    ///
    /// - a number in ORDER BY or GROUP BY that is the position of no column; in PostgreSQL also a text in quotes
    /// - two tables of one FROM, or two WITH queries, with the same name; more column aliases than columns
    /// - a column that INSERT lists twice, or that PostgreSQL's SET assigns twice
    /// - in MySQL and SQLite: arms of a set operation, rows and subqueries with different numbers of columns, aggregates
    ///   and windows in WHERE, ON, GROUP BY or SET, and aggregates inside of others (in PostgreSQL, `type_mismatch`
    ///   finds them); in MySQL, a derived table without an alias
    /// - syntax of other databases: `ILIKE`, `::`, `ON CONFLICT` and casts to TEXT in MySQL, `ON DUPLICATE KEY UPDATE`
    ///   in PostgreSQL, parameters with names, reserved words as names
    /// - a window that is not defined, a window function without OVER, and an ON about a table before a comma or about the
    ///   target of an UPDATE with FROM
    /// - in MySQL: LIMIT in a subquery of IN, DELETE and UPDATE in forms that it lacks, a write to a view that groups
    /// - an index hint or `ON CONFLICT ON CONSTRAINT` whose index or constraint does not exist
    /// - in PostgreSQL: `SELECT DISTINCT` ordered by what it does not return, `FOR UPDATE` together with DISTINCT, GROUP BY,
    ///   an aggregate or UNION, or on the rows that an outer join may lack, WITH TIES without ORDER BY, a LIMIT that is
    ///   a column, LIMIT or ORDER BY of UPDATE and DELETE, JOIN without ON, `DO UPDATE` without a conflict target, and
    ///   reading a WITH query that writes without RETURNING
    ///
    /// ## Why is this bad
    ///
    /// The database refuses the query when it is prepared, or when it runs.
    ///
    /// ## Known limits
    ///
    /// Positions are not checked if the columns of a `*` are not known. An order of `SELECT DISTINCT` is reported
    /// only if no column of the list can be equal to it. In `sqlx::query!` nothing is reported, since sqlx has asked
    /// the database; in raw sqlx calls it is a warning, and syntax of other databases is reported only if the type of the
    /// connection tells which one it is. What either MySQL or MariaDB takes is not reported.
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT DISTINCT name FROM events ORDER BY next_run_at LIMIT 20
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT name, max(next_run_at) FROM events GROUP BY name ORDER BY max(next_run_at) LIMIT 20
    /// ```
    "invalid_clause", Correctness, since "0.1.0",
    "a clause that the database refuses, by itself or in combination with others",
    Check::Query(check); InTests, Refused
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    // sqlx asked the database itself.
    if context.site.is_some_and(|site| site.form == Form::SqlxMacro) {
        return;
    }
    for problem in &query.problems {
        let (message, label, help) = match &problem.kind {
            ProblemKind::Clause { message, label, help } => (message, *label, help),
            ProblemKind::Foreign { message, help } if !may_run_elsewhere(context) => (message, "here", help),
            _ => continue,
        };
        let span = problem.span.map_or(0..0, |span| span.range());
        let finding = Finding::new(LINT.name, message.clone()).excerpt(context.sql, span, label);
        findings.push(context.refused(finding.help(help.clone())));
    }
}

/// Whether a text may be meant for another database: raw code is sent to any, unless the type of its
/// connection names the database.
fn may_run_elsewhere(context: &QueryContext<'_>) -> bool {
    let runs_on = |site: &Site| site.form == Form::Checked || site.dialect() == Some(context.dialect);
    context.is_any_dialect || !context.site.is_none_or(runs_on)
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{fires, silent};

    #[test]
    fn fires_on_positions_of_no_column() {
        fires("invalid_clause", "SELECT id FROM servers ORDER BY 2 LIMIT 5");
        fires("invalid_clause", "SELECT id, name FROM servers ORDER BY id, 0 LIMIT 5");
        fires("invalid_clause", "SELECT name, count(*) FROM servers GROUP BY 3");
        fires("invalid_clause", "SELECT id FROM servers UNION ALL SELECT id FROM events ORDER BY 2 LIMIT 5");
        fires("invalid_clause", "SELECT id FROM servers ORDER BY 'name' LIMIT 5");
        silent("invalid_clause", "SELECT id, name FROM servers ORDER BY 2 DESC, (1) LIMIT 5");
        silent("invalid_clause", "SELECT * FROM servers ORDER BY 2 LIMIT 5");
        silent("invalid_clause", "SELECT id, 7 AS seven FROM servers ORDER BY seven LIMIT 5");
        silent("invalid_clause", "SELECT array_agg(id ORDER BY 5) FROM servers");
        silent("invalid_clause", "SELECT id FROM servers ORDER BY $1, 'x'::text LIMIT 5");
        silent("invalid_clause", "SELECT * FROM make_rows($1) ORDER BY 9 LIMIT 5");
    }

    #[test]
    fn fires_on_names_that_are_given_twice() {
        fires("invalid_clause", "SELECT x.id FROM servers x JOIN events x ON x.id = 1 LIMIT 5");
        fires("invalid_clause", "UPDATE servers SET name = 'a' FROM servers WHERE servers.id = $1");
        fires("invalid_clause", "WITH x AS (SELECT 1), x AS (SELECT 2) SELECT * FROM x");
        fires("invalid_clause", "WITH x (a, b) AS (SELECT 1) SELECT a FROM x");
        fires("invalid_clause", "SELECT a FROM (SELECT 1) AS x (a, b)");
        fires("invalid_clause", "INSERT INTO servers (id, name, name) VALUES ($1, $2, $3)");
        fires("invalid_clause", "UPDATE servers SET name = $1, name = $2 WHERE id = $3");
        silent("invalid_clause", "SELECT x.id FROM servers x JOIN events y ON y.id = x.id LIMIT 5");
        silent("invalid_clause", "SELECT id FROM (SELECT id FROM servers) servers LIMIT 5");
        silent(
            "invalid_clause",
            "SELECT s.id FROM servers s WHERE EXISTS (SELECT 1 FROM servers s WHERE s.id = 1) LIMIT 5",
        );
        silent(
            "invalid_clause",
            "WITH x AS (SELECT 1 AS a) SELECT a FROM x WHERE EXISTS (WITH x AS (SELECT 2) SELECT 1 FROM x)",
        );
        silent("invalid_clause", "SELECT a FROM (SELECT 1, 2) AS x (a)");
        silent(
            "invalid_clause",
            "WITH RECURSIVE x (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x WHERE n < 5) SELECT n FROM x",
        );
    }

    #[test]
    fn fires_on_an_order_that_distinct_does_not_return() {
        fires("invalid_clause", "SELECT DISTINCT name FROM servers ORDER BY id LIMIT 5");
        fires("invalid_clause", "SELECT DISTINCT name FROM servers ORDER BY random() LIMIT 5");
        fires("invalid_clause", "SELECT DISTINCT name FROM servers ORDER BY lower(name) LIMIT 5");
        fires("invalid_clause", "SELECT DISTINCT id, name FROM servers ORDER BY id + 1 LIMIT 5");
        silent("invalid_clause", "SELECT DISTINCT name FROM servers ORDER BY name LIMIT 5");
        silent("invalid_clause", "SELECT DISTINCT * FROM servers ORDER BY id LIMIT 5");
        silent("invalid_clause", "SELECT DISTINCT lower(name) FROM servers ORDER BY lower(name) LIMIT 5");
        silent("invalid_clause", "SELECT DISTINCT name AS label FROM servers ORDER BY label, 1 LIMIT 5");
        silent("invalid_clause", "SELECT DISTINCT name FROM servers ORDER BY name::text LIMIT 5");
        silent("invalid_clause", "SELECT DISTINCT ON (name) id FROM servers ORDER BY name, id LIMIT 5");
    }

    #[test]
    fn fires_on_locks_of_what_is_no_row() {
        fires("invalid_clause", "SELECT count(*) FROM servers FOR UPDATE");
        fires("invalid_clause", "SELECT DISTINCT name FROM servers LIMIT 5 FOR SHARE");
        fires("invalid_clause", "SELECT name FROM servers GROUP BY name LIMIT 5 FOR UPDATE SKIP LOCKED");
        fires("invalid_clause", "SELECT id FROM servers UNION SELECT id FROM events LIMIT 5 FOR UPDATE");
        fires("invalid_clause", "SELECT id, rank() OVER (ORDER BY id) FROM servers LIMIT 5 FOR UPDATE");
        fires("invalid_clause", "SELECT s.id FROM servers s LIMIT 5 FOR UPDATE OF servers");
        fires(
            "invalid_clause",
            "SELECT s.id FROM servers s LEFT JOIN events e ON e.id = s.id LIMIT 5 FOR UPDATE",
        );
        silent(
            "invalid_clause",
            "SELECT s.id FROM servers s LEFT JOIN events e ON e.id = s.id LIMIT 5 FOR UPDATE OF s",
        );
        silent(
            "invalid_clause",
            "SELECT s.id FROM servers s LEFT JOIN events e ON e.id = s.id WHERE e.name = $1 LIMIT 5 FOR UPDATE",
        );
        silent("invalid_clause", "SELECT id, (SELECT count(*) FROM events) FROM servers LIMIT 5 FOR UPDATE");
        silent(
            "invalid_clause",
            "SELECT s.id FROM servers s JOIN events e ON e.id = s.id LIMIT 5 FOR UPDATE",
        );
    }

    #[test]
    fn fires_on_the_rest() {
        fires("invalid_clause", "SELECT id FROM servers LIMIT id");
        fires("invalid_clause", "SELECT id FROM servers FETCH FIRST 5 ROWS WITH TIES");
        fires("invalid_clause", "INSERT INTO users (email) VALUES ($1) ON CONFLICT DO UPDATE SET email = $1");
        fires(
            "invalid_clause",
            "INSERT INTO users (email) VALUES ($1) ON CONFLICT ON CONSTRAINT nosuch DO NOTHING",
        );
        fires("invalid_clause", "WITH x AS (DELETE FROM users WHERE id = $1) SELECT * FROM x");
        silent("invalid_clause", "SELECT id FROM servers ORDER BY id FETCH FIRST 5 ROWS WITH TIES");
        silent("invalid_clause", "INSERT INTO users (email) VALUES ($1) ON CONFLICT DO NOTHING");
        for target in [
            "(lower(email))",
            "((email::text))",
            "(pg_catalog.lower(email))",
            "(lower(email) COLLATE \"C\" text_pattern_ops)",
            "(lower(email), id)",
            "(lower(email)) WHERE id > 3",
        ] {
            let sql = format!(
                "INSERT INTO users (email) VALUES ($1) ON CONFLICT {target} DO UPDATE SET email = $1"
            );
            silent("invalid_clause", &sql);
            silent("unknown_column", &sql);
        }
        silent(
            "invalid_clause",
            "INSERT INTO users (email) VALUES ($1) ON CONFLICT ON CONSTRAINT users_pkey DO NOTHING",
        );
        silent("invalid_clause", "WITH x AS (DELETE FROM users WHERE id = $1 RETURNING id) SELECT id FROM x");
        silent("invalid_clause", "WITH x AS (DELETE FROM users WHERE id = $1) SELECT id FROM events LIMIT 5");
    }
}
