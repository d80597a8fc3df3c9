//! `fetch_all` on a query that returns at most one row.

use super::{Check, QueryContext, declare_lint};
use crate::cardinality::Rows;
use crate::finding::Finding;
use crate::sql::query::{Body, Kind};

declare_lint! {
    /// ## What it does
    ///
    /// Finds `fetch_all` on a query that returns at most one row.
    ///
    /// ## Why is this bad
    ///
    /// A `Vec<Row>` suggests several rows, and the code after it handles cases that cannot occur.
    ///
    /// ## Known limits
    ///
    /// Keys are taken from the snapshot; without one, only `LIMIT 1` and aggregates are recognised.
    ///
    /// ## Example
    ///
    /// ```rust,fires
    /// async fn server(db: &PgPool, id: i64) -> sqlx::Result<()> {
    ///     sql!("SELECT name FROM servers WHERE id = $1", id).fetch_all(db).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```rust,clean
    /// async fn server(db: &PgPool, id: i64) -> sqlx::Result<()> {
    ///     sql!("SELECT name FROM servers WHERE id = $1", id).fetch_optional(db).await?;
    ///     Ok(())
    /// }
    /// ```
    "fetch_all_for_one", Pedantic, since "0.1.0",
    "`fetch_all` on a query that returns at most one row",
    Check::Query(check); NeedsSchema
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    // A batch fetches the rows of all its elements.
    let site = context.site.filter(|site| !site.takes_rows());
    let fetched = site.and_then(|site| site.call.as_ref()).is_some_and(|call| call.method == "fetch_all");
    let Some(root) = query.root.map(|id| query.block(id)) else { return };
    let returns = match &root.body {
        Body::Write(write) => write.returning.is_some(),
        _ => query.kind == Kind::Select,
    };
    if !fetched || !returns || context.cardinality.rows != Rows::One {
        return;
    }
    let always = matches!(&root.body, Body::Select(select)
        if select.aggregates && select.group_by.is_empty() && select.having.is_none() && root.limit.is_none());
    let help = if always {
        "call `fetch_one`: there is always a row"
    } else {
        "call `fetch_optional`, or `fetch_one` where a missing row is an error"
    };
    findings.push(
        Finding::new(LINT.name, "`fetch_all` makes a list of at most one row")
            .excerpt(context.sql, 0..0, "")
            .help(help)
            .note(format!("at most one row: {}", context.cardinality.reason)),
    );
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{fires_at, silent_at};

    #[test]
    fn fires_where_there_is_one_row() {
        fires_at("fetch_all_for_one", "fetch_all", "SELECT count(*) FROM events");
        fires_at("fetch_all_for_one", "fetch_all", "INSERT INTO servers (name) VALUES ($1) RETURNING id");
    }

    #[test]
    fn silent_where_there_may_be_several_or_none_are_returned() {
        silent_at("fetch_all_for_one", "fetch_all", "SELECT name FROM servers WHERE id = ANY($1)");
        silent_at("fetch_all_for_one", "fetch_all", "DELETE FROM logs WHERE id = $1");
        silent_at("fetch_all_for_one", "fetch_one", "SELECT name FROM servers WHERE id = $1");
    }
}
