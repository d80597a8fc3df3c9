//! The same read in every iteration.

use super::shared::loops;
use super::shared::loops::Around;
use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::sql::expr::Expr;
use crate::sql::predicates;
use crate::sql::query::{Body, Kind, Query};

declare_lint! {
    /// ## What it does
    ///
    /// Finds reads inside loops over data that use no value of the loop.
    ///
    /// ## Why is this bad
    ///
    /// Every iteration repeats a query whose result is known after the first one.
    ///
    /// ## Known limits
    ///
    /// The answer may change if the loop writes to the same tables, which is not checked. Loops without
    /// elements (`loop`, `while` with a condition), locked rows, and random or sequence values (`nextval`)
    /// are assumed to be repeated on purpose.
    ///
    /// ## Example
    ///
    /// ```rust,fires
    /// async fn notify(db: &PgPool, users: &[i64], server: i64) -> sqlx::Result<()> {
    ///     for user in users {
    ///         let name = sql!("SELECT name FROM servers WHERE id = $1", server).fetch_one(db).await?;
    ///         send(user, &name);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```rust,clean
    /// async fn notify(db: &PgPool, users: &[i64], server: i64) -> sqlx::Result<()> {
    ///     let name = sql!("SELECT name FROM servers WHERE id = $1", server).fetch_one(db).await?;
    ///     for user in users {
    ///         send(user, &name);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    "loop_invariant_query", NPlusOne, since "0.1.0",
    "a read in a loop that does not depend on the loop",
    Check::Query(check)
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let Ok(query) = context.query else { return };
    if query.kind != Kind::Select {
        return;
    }
    let Some(around) = loops::of(context, query).filter(|around| is_invariant(query, around)) else { return };
    let message = format!("this query runs with the same arguments once {}", around.per_turn());
    findings.push(
        Finding::new(LINT.name, message)
            .excerpt(context.sql, 0..0, "")
            .related(around.place().clone(), "the loop")
            .help("run it once before the loop: no value of the loop goes into it"),
    );
}

/// Whether each iteration gets the same answer.
pub(super) fn is_invariant(query: &Query, around: &Around<'_>) -> bool {
    around.is_over_elements() && !around.varies() && !is_asked_anew(query)
}

/// Whether a query may return something different each time, although no row changes.
pub(super) fn is_asked_anew(query: &Query) -> bool {
    query.blocks.iter().any(|block| {
        let select = match &block.body {
            Body::Select(select) => select.projection.as_slice(),
            _ => &[],
        };
        let order = block.order_by.iter().map(|key| &key.expr);
        block.locks || select.iter().chain(block.conditions()).chain(order).any(may_differ)
    })
}

/// Whether an expression may return a different value each time.
fn may_differ(expr: &Expr) -> bool {
    let waits =
        |e: &Expr| matches!(e, Expr::Call(call) if call.name.starts_with("pg_") || call.name == "sleep");
    predicates::is_volatile(expr) || expr.any(waits)
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::findings_in;

    #[track_caller]
    fn check(body: &str, expect: &[&str]) {
        let source = format!("async fn run(db: &PgPool, ids: &[i64], pools: &[PgPool]) {{ {body} }}");
        let found = findings_in("loop_invariant_query", &source);
        let lints: Vec<&str> = found.iter().map(|finding| finding.lint).collect();
        assert_eq!(lints, expect, "{body}");
    }

    #[test]
    fn fires_where_each_turn_asks_the_same() {
        check(
            r#"for id in ids { sql!("SELECT count(*) FROM events").fetch_one(db).await; }"#,
            &["loop_invariant_query"],
        );
    }

    #[test]
    fn silent_where_the_question_or_the_answer_changes() {
        check(
            r#"for id in ids { sql!("SELECT name FROM servers WHERE id = $1", id).fetch_one(db).await; }"#,
            &["query_in_loop"],
        );
        check(
            r#"for id in ids { sql!("SELECT nextval('events_id_seq')").fetch_one(db).await; }"#,
            &["query_in_loop"],
        );
        check(r#"for pool in pools { sql!("SELECT count(*) FROM events").fetch_one(pool).await; }"#, &[]);
    }
}
