//! Queries that return as many rows as there are.

use super::shared::slices::is_slice;
use super::{Check, QueryContext, declare_lint};
use crate::cardinality::Rows;
use crate::finding::Finding;
use crate::rust::Fetched;
use crate::sql::query::{Kind, Source};

declare_lint! {
    /// ## What it does
    ///
    /// Finds `fetch` and `fetch_all` on a query of which nothing bounds the number of rows: no `LIMIT`, no unique key set
    /// equal to a value, no list of values, no aggregate over everything.
    ///
    /// ## Why is this bad
    ///
    /// The number of rows grows with the data: what takes a millisecond in a test takes memory and minutes in production.
    ///
    /// ## Known limits
    ///
    /// A filter on a column that is not unique does not bound: a user may have ten events or a million. Tables that stay
    /// small are declared in `query-budget.toml`: `[tables]`, `countries = { rows = 250 }`. Nothing is said of a range with
    /// both ends (`at BETWEEN $1 AND $2`, `at > now() - $1`), which is as long as its caller wants; of groups and DISTINCT
    /// values that are neither keys nor references, which are few; and where the query is executed elsewhere than where it
    /// is made.
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
    Check::Query(check); NeedsSchema
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    let Some(call) = context.site.and_then(|site| site.call.as_ref()) else { return };
    if call.fetched() != Fetched::All
        || query.kind != Kind::Select
        || context.cardinality.rows != Rows::Many
        || is_slice(context, query)
    {
        return;
    }
    // Keys are only known with a schema, and without one a lookup by id looks like any other filter.
    if context.schema.is_none() && query.blocks.iter().any(|block| has_filter(&block.body)) {
        return;
    }
    let mut tables = Vec::new();
    let mut declarable = None;
    let mut span = None;
    for id in &context.cardinality.unbounded {
        let relation = query.relation(*id);
        match &relation.source {
            Source::Table(table) if context.is_small(table) => continue,
            // What a function or an unknown table returns is not known to be many.
            Source::Table(table) if context.schema.is_some_and(|schema| schema.stored(table).is_none()) => {
                return;
            }
            Source::Function(..) | Source::System(_) | Source::Unknown => return,
            Source::Table(table) | Source::View(table, _) => {
                declarable = Some(table);
                tables.push(format!("`{table}`"));
            }
            Source::Cte(_) | Source::Derived(_) | Source::Pseudo => {
                tables.push(match relation.alias.as_str() {
                    "" => "its subquery".to_owned(),
                    alias => format!("`{alias}`"),
                });
            }
        }
        span = span.or(relation.span);
    }
    if tables.is_empty() {
        return;
    }
    let message = format!("nothing bounds the rows this query returns from {}", tables.join(", "));
    let label = if context.sql.to_ascii_lowercase().contains("limit") { "" } else { "no LIMIT" };
    let mut finding = Finding::new(LINT.name, message)
        .excerpt(context.sql, span.map_or(0..0, |span| span.range()), label)
        .help("add `ORDER BY .. LIMIT ..`, and read further pages by the last key: `WHERE id > $1`");
    if let (Some(table), [_]) = (declarable, tables.as_slice()) {
        finding = finding.help(format!(
            "or declare a table that stays small in `query-budget.toml`: `[tables]`, `{table} = {{ rows = 250 }}`"
        ));
    }
    // What narrows a read of raw code is known to nobody but its author.
    let is_narrowed = query.blocks.iter().any(|block| has_filter(&block.body));
    findings.push(if context.is_raw() && is_narrowed { finding.listed() } else { finding });
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
