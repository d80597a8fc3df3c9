//! Rows that are read only to be counted.

use super::{Check, QueryContext, declare_lint};
use crate::cardinality::{self, Rows};
use crate::finding::Finding;
use crate::sql::Dialect;
use crate::sql::expr::{Call, Expr};
use crate::sql::query::{Body, Source};

declare_lint! {
    /// ## What it does
    ///
    /// Finds `count(*)` over rows that nothing bounds.
    ///
    /// ## Why is this bad
    ///
    /// A count reads every row it counts, every time. Often the question is only whether a row exists, or an estimate
    /// is enough.
    ///
    /// ## Known limits
    ///
    /// Exact counts are sometimes needed, so the lint is off by default. Counts by group are left alone.
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// SELECT count(*) FROM events WHERE user_id = $1
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// SELECT EXISTS (SELECT 1 FROM events WHERE user_id = $1)
    /// ```
    "count_star", Pedantic, since "0.1.0",
    "`count(*)` over rows that nothing bounds",
    Check::Query(check); NeedsSchema
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    for (id, block) in query.written_blocks() {
        let Body::Select(select) = &block.body else { continue };
        if !select.group_by.is_empty() || context.keys_are_unknown(query) {
            continue;
        }
        let Some(count) = select.projection.iter().find_map(counted) else { continue };
        let read = cardinality::read(query, context.schema, id);
        if read.rows != Rows::Many || !context.are_many(query, &read.unbounded) {
            continue;
        }
        let span = count.span.map_or(0..0, |span| span.range());
        let mut finding = Finding::new(LINT.name, "`count(*)` reads every row that it counts")
            .excerpt(context.sql, span, "")
            .help("use `SELECT EXISTS (SELECT 1 FROM .. WHERE ..)` where it only matters whether there is one")
            .help("or count no further than needed: `SELECT count(*) FROM (SELECT 1 FROM .. WHERE .. LIMIT 1000) AS some`");
        let first = read.unbounded.first().map(|id| &query.relation(*id).source);
        if let (Dialect::Postgres, true, Some(Source::Table(table))) =
            (context.dialect, block.filters().is_empty(), first)
        {
            finding = finding.help(format!(
                "or take the planner's estimate: `SELECT reltuples::bigint FROM pg_class WHERE oid = '{table}'::regclass`"
            ));
        }
        findings.push(finding);
    }
}

/// The `count(*)` or `count(1)` in an expression.
fn counted(expr: &Expr) -> Option<&Call> {
    let mut found = None;
    expr.walk(&mut |e| {
        if let Expr::Call(call) = e
            && call.name == "count"
            && !call.window
            && !call.distinct
            && call.args.iter().all(|arg| matches!(arg, Expr::Literal(_) | Expr::Other { .. }))
        {
            found = found.or(Some(call));
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::{fires, silent};

    #[test]
    fn fires_where_many_are_counted() {
        fires("count_star", "SELECT count(*) FROM servers");
        fires("count_star", "SELECT count(*) > 0 FROM events WHERE user_id = $1");
    }

    #[test]
    fn silent_where_few_are_counted_or_groups_are() {
        silent("count_star", "SELECT count(*) FROM events WHERE id = ANY($1)");
        silent("count_star", "SELECT count(*) FROM (SELECT 1 FROM events ORDER BY id LIMIT 100) AS some");
        silent("count_star", "SELECT user_id, count(*) FROM events GROUP BY user_id");
        silent("count_star", "SELECT count(DISTINCT user_id) FROM events");
    }
}
