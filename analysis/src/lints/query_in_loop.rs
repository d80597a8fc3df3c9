//! A read that runs once per element.

use super::shared::loops;
use super::{Check, QueryContext, declare_lint, loop_invariant_query, row_by_row_write};
use crate::finding::Finding;
use crate::rust::CATALOG;
use crate::schema::Schema;
use crate::sql::expr::Expr;
use crate::sql::query::{Body, Kind};
use crate::sql::{Dialect, Query};
use crate::types;

declare_lint! {
    /// ## What it does
    ///
    /// Finds reads inside loops over data: `for`, `while let`, iterator and stream combinators, joined
    /// futures.
    ///
    /// ## Why is this bad
    ///
    /// One query becomes as many as there are elements, each with its own round trip to the database: the N+1 problem.
    /// A hundred elements at a millisecond each cost a tenth of a second that a single query would save.
    ///
    /// ## Known limits
    ///
    /// Left alone: loops with a constant number of iterations, `.chunks(n)`, polling, retries, reading page
    /// by page, queries that take many elements at once, and those that run on a separate database for each
    /// element. `loop_invariant_query` reports a query that does not depend on the loop, and
    /// `querying_call_in_loop` follows calls of functions that query.
    ///
    /// A query in an arm of a `match` for one value of the element (`match *part { "a" => .. }`) runs for that value alone.
    ///
    /// Raw queries are listed with `--all` rather than shown if they run while a service starts, in what only jobs at intervals reach,
    /// in futures that are joined on tokio-postgres, in iterations that wait for
    /// something else first or call another service each time, in iterations that run five statements and write, in loops that do
    /// not grow (over the parts of one row, a range of numbers) or are over the difference of two sets, or as reads of SQLite on
    /// an open connection, or in loops over other things than rows, which are no round trips. So are reads that only
    /// administrators ask for, those of the database's catalog, and those under a lock in a transaction of each iteration.
    ///
    /// Of 27 findings drawn from 129 public projects, 27 were true and 25 worth a change; of 13
    /// drawn last and judged more strictly, 5: [how that was judged](../measured.md#findings-worth-a-change).
    ///
    /// ## Example
    ///
    /// ```rust,fires
    /// async fn outputs(db: &PgPool, events: &[Event]) -> sqlx::Result<()> {
    ///     for event in events {
    ///         sql!("SELECT name FROM servers WHERE id = $1", event.server_id).fetch_one(db).await?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```rust,clean
    /// async fn outputs(db: &PgPool, servers: &[i64]) -> sqlx::Result<()> {
    ///     sql!("SELECT id, name FROM servers WHERE id = ANY($1)", servers).fetch_all(db).await?;
    ///     Ok(())
    /// }
    /// ```
    "query_in_loop", NPlusOne, since "0.1.0",
    "a read that runs once per element of a loop",
    Check::Query(check); OnLoop, OfMany
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    if query.kind != Kind::Select || row_by_row_write::written(query).is_some() {
        return;
    }
    let Some(around) = loops::with_batched(context, query) else { return };
    if loop_invariant_query::is_invariant(query, &around) {
        return;
    }
    let finding = Finding::new(LINT.name, format!("this query runs once {}", around.per_iteration()));
    let finding = finding.excerpt(context.sql, 0..0, "").related(around.place().clone(), "the loop");
    let finding = around.tiered(context, finding, false);
    let finding = match query.is_of_catalog() {
        true => finding.note(CATALOG).listed(),
        false => finding,
    };
    if around.is_batched() {
        return findings.push(finding);
    }
    let batch = around.batch(context, query).filter(|_| !query.relations.is_empty());
    let finding = match batch {
        Some(batch) => finding.help(format!(
            "run it once in place of the loop, and pass the key to `fetch_map` or `fetch_groups`: `{batch}`"
        )),
        None => finding,
    };
    findings.push(if query.relations.is_empty() {
        let finding =
            finding.help("call it for all elements in one statement, where their order does not matter");
        // A lock, a sequence: nothing is looked up in a table. What a function of the database's own does is unknown.
        if calls_own_function(context.schema, context.dialect, query) { finding } else { finding.listed() }
    } else if around.refills() {
        let rewrite = around.rewrite(context, query);
        let text = rewrite.as_ref().map(|it| it.text.as_str());
        loops::by_level(text, context.dialect).into_iter().fold(finding, Finding::help)
    } else if let Some(rewrite) = around.rewrite(context, query) {
        let help = format!("read all of them in one query before the loop: `{}`", rewrite.text);
        let finding = finding.help(help).help("then look each element's rows up in a map by the key");
        loops::with_rewrite(finding, rewrite)
    } else {
        let keys = loops::keys(context.dialect);
        finding.help(format!("read all of them in one query before the loop, by a join or {keys}"))
    });
}

/// Whether a query calls a function that is not the server's. What PostgreSQL does not know is the project's own, wherever
/// it is made.
pub(super) fn calls_own_function(schema: Option<&Schema>, dialect: Dialect, query: &Query) -> bool {
    let none = Schema::new(dialect);
    let schema = schema.unwrap_or(&none);
    let is_known = |name: &str| {
        schema.functions.keys().any(|known| known.name == name)
            || dialect == Dialect::Postgres && !types::has_function(name, schema)
    };
    let is_own = |e: &Expr| match e {
        Expr::Call(call) => !call.may_be_built_in() || is_known(&call.name),
        _ => false,
    };
    query.blocks.iter().any(|block| match &block.body {
        Body::Select(select) => select.projection.iter().any(|expr| expr.any(is_own)),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use crate::finding::Tier::{Listed, Shown};
    use crate::lints::tests::tiers_in;

    #[test]
    fn a_lock_is_listed_and_a_function_of_the_database_is_shown() {
        for (sql, expected) in [
            ("SELECT pg_advisory_xact_lock($1)", Listed),
            ("SELECT jobs.cancel($1)", Shown),
            ("SELECT pg_catalog.pg_notify('a', $1)", Listed),
        ] {
            let body = format!("for id in ids {{ sqlx::query({sql:?}).bind(id).execute(db).await?; }}");
            assert_eq!(tiers_in("query_in_loop", &body), [expected], "{sql}");
        }
    }
}
