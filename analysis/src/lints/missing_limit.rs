//! Queries that return an unbounded number of rows.

use super::shared::unbounded;
use super::{Check, QueryContext, declare_lint, unbounded_children};
use crate::finding::Finding;

declare_lint! {
    /// ## What it does
    ///
    /// Finds `fetch` and `fetch_all` on a query whose number of rows nothing bounds: no `LIMIT`, no unique
    /// key compared with a value, no list of values, no aggregate over everything.
    ///
    /// ## Why is this bad
    ///
    /// The number of rows grows with the data: what takes a millisecond in a test takes memory and minutes in production.
    ///
    /// ## Known limits
    ///
    /// A filter on a column that is not unique does not bound the rows: a user may have ten events or a million. Declare
    /// tables that stay small in `query-budget.toml`: `[tables]`, `countries = { rows = 250 }`.
    ///
    /// Not reported: ranges with two bounds (`at BETWEEN $1 AND $2`, `at > now() - $1`), which are as long as the caller
    /// wants; groups and DISTINCT values that are neither keys nor references, which are few; and queries that are executed in
    /// a different function from the one that builds them.
    ///
    /// In raw sqlx code, `unbounded_children` reports the rows of one parent. Listed with `--all` rather than shown: reads with
    /// a different filter, tables that no INSERT of the workspace adds to, and code that does not seem to answer requests, judging by
    /// its name and the path of its file (`handlers/`, `routes.rs`, `list_handler`). Elsewhere, code that reads a whole table
    /// usually wants all of it. Pages for administrators and copies of the data (`backup`, `export`, `restore`) are listed too.
    ///
    /// Of 16 findings drawn from 83 public projects, 16 were true and 3 worth a change: [how that was
    /// judged](../measured.md#findings-worth-a-change).
    ///
    /// ## Example
    ///
    /// ```rust,fires
    /// async fn events(db: &PgPool, user: i64) -> sqlx::Result<()> {
    ///     sql!("SELECT id, name FROM events WHERE user_id = $1", user).fetch_all(db).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```rust,clean
    /// async fn events(db: &PgPool, user: i64) -> sqlx::Result<()> {
    ///     sql!("SELECT id, name FROM events WHERE user_id = $1 ORDER BY id LIMIT 50", user).fetch_all(db).await?;
    ///     Ok(())
    /// }
    /// ```
    "missing_limit", Bounds, since "0.1.0",
    "`fetch_all` on a query that nothing bounds",
    Check::Query(check); NeedsSchema, OfRequests, OfMany, OfCopies
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    // Keys are only known with a schema; without one, a lookup by id looks like any other filter.
    if context.schema.is_none() && query.blocks.iter().any(|block| has_filter(&block.body)) {
        return;
    }
    let Some(unbounded) = unbounded::of(context, query) else { return };
    if unbounded_children::parent(context, query, &unbounded).is_some() {
        return;
    }
    let tables = unbounded.tables.as_slice();
    let message = format!("nothing bounds the rows this query returns from {}", tables.join(", "));
    let label = if context.sql.to_ascii_lowercase().contains("limit") { "" } else { "no LIMIT" };
    let mut finding = Finding::new(LINT.name, message)
        .excerpt(context.sql, unbounded.span.clone(), label)
        .help("add `ORDER BY .. LIMIT ..`, and read further pages by the last key: `WHERE id > $1`");
    if let (Some(table), [_]) = (&unbounded.declarable, tables) {
        finding = finding.help(format!(
            "or declare a table that stays small in `query-budget.toml`: `[tables]`, `{table} = {{ rows = 250 }}`"
        ));
    }
    // Only its author knows how far a filter in raw code narrows a read, and a table that nothing inserts into
    // does not grow.
    let is_narrowed = query.blocks.iter().any(|block| has_filter(&block.body));
    let may_stay = unbounded.declarable.as_ref().is_some_and(|table| context.is_never_grown(table));
    findings.push(if context.is_raw() && (is_narrowed || may_stay) { finding.listed() } else { finding });
}

fn has_filter(body: &crate::sql::query::Body) -> bool {
    matches!(body, crate::sql::query::Body::Select(select) if select.filter.is_some())
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{fires_at, silent, silent_at};

    #[test]
    fn fires_where_nothing_bounds() {
        for sql in [
            "SELECT id FROM servers",
            "SELECT id FROM servers UNION ALL SELECT id FROM users LIMIT ALL",
            "SELECT id FROM logs WHERE created_at > $1",
            "SELECT id FROM logs WHERE created_at < now()",
            "SELECT id FROM logs WHERE created_at > $1 AND id < $2",
            "SELECT user_id, count(*) FROM events GROUP BY user_id",
            "SELECT lower(id::text), count(*) FROM events GROUP BY 1",
            "SELECT DISTINCT id, name FROM events",
        ] {
            fires_at("missing_limit", "fetch_all", sql);
        }
    }

    #[test]
    fn silent_where_something_does() {
        for sql in [
            "SELECT id FROM servers WHERE id = $1",
            "SELECT name FROM events WHERE id = ANY($1)",
            "SELECT count(*) FROM servers",
            "SELECT id FROM servers LIMIT $1",
            "SELECT x FROM unnest($1::int[]) AS x",
            "WITH d AS (DELETE FROM logs WHERE event_id = $1 RETURNING id) SELECT id FROM d",
        ] {
            silent_at("missing_limit", "fetch_all", sql);
        }
    }

    #[test]
    fn silent_on_ranges_with_both_ends_and_on_categories() {
        for sql in [
            "SELECT id FROM logs WHERE created_at BETWEEN $1 AND $2",
            "SELECT id FROM logs WHERE created_at >= $1 AND $2 > created_at AND event_id = $3",
            "SELECT id FROM logs WHERE created_at >= now() - $1::interval",
            "SELECT output, count(*) FROM logs GROUP BY output",
            "SELECT DISTINCT output FROM logs",
            "SELECT date_trunc('day', created_at), count(*) FROM logs GROUP BY 1 ORDER BY 1",
        ] {
            silent_at("missing_limit", "fetch_all", sql);
        }
    }

    #[test]
    fn silent_where_the_rows_are_not_known_to_be_fetched() {
        silent("missing_limit", "SELECT id FROM servers");
        silent_at("missing_limit", "execute", "SELECT id FROM servers");
        silent_at("missing_limit", "fetch_one", "SELECT id FROM servers");
    }
}
