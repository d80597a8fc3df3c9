//! The same read in every iteration.

use std::sync::Arc;

use super::shared::loops;
use super::shared::loops::Around;
use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::sql::expr::Expr;
use crate::sql::query::{Body, Kind, Query};
use crate::sql::{self, predicates};
use crate::touches;

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
    /// A read is assumed to be repeated on purpose in a loop without elements (`loop`, `while` with a
    /// condition), if it locks rows, if its value is random or of a sequence or of the session (`nextval`,
    /// `last_insert_id()`), and if the same iteration may write to one of its tables.
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
    if is_changed_by_loop(context, query) {
        return;
    }
    let message = format!("this query runs with the same arguments once {}", around.per_iteration());
    findings.push(
        Finding::new(LINT.name, message)
            .excerpt(context.sql, 0..0, "")
            .related(around.place().clone(), "the loop")
            .help("run it once before the loop: no value of the loop goes into it"),
    );
}

/// Whether each iteration sends the same query, and gets the same answer unless it writes.
pub(super) fn is_invariant(query: &Query, around: &Around<'_>) -> bool {
    around.is_over_elements() && !around.varies() && !is_asked_anew(query)
}

/// Whether an iteration may change what the query returns: the query itself writes, by a function, or another statement of the
/// iteration may write to a table that it reads.
fn is_changed_by_loop(context: &QueryContext<'_>, query: &Query) -> bool {
    let touches_of =
        |query: Option<&Query>, sql: &str| touches::of(query, sql, context.schema, context.dialect);
    let own = touches_of(Some(query), context.sql);
    let changes = |text: &Option<Arc<str>>| {
        let Some(text) = text else { return true };
        let other = sql::resolve(text, context.dialect, context.schema);
        let other = touches_of(other.as_ref().ok(), text);
        // Without a schema, any table may have a trigger, and be a view.
        let is_unknown = context.schema.is_some()
            && (other.writes_unknown || own.reads_unknown && !other.writes.is_empty());
        is_unknown || own.reads.iter().any(|table| other.writes.contains(table))
    };
    let others = context.site.map_or(&[][..], |site| &site.in_same_iteration);
    own.writes_unknown || !own.writes.is_empty() || others.iter().any(changes)
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

/// Whether an expression may return a different value each time: a random or next value, the state of the session.
fn may_differ(expr: &Expr) -> bool {
    let is_of_session = |e: &Expr| match e {
        Expr::Call(call) => {
            call.name.starts_with("pg_")
                || matches!(
                    call.name.as_str(),
                    "changes"
                        | "currval"
                        | "found_rows"
                        | "last_insert_id"
                        | "last_insert_rowid"
                        | "lastval"
                        | "row_count"
                        | "sleep"
                        | "total_changes"
                )
        }
        _ => false,
    };
    predicates::is_volatile(expr) || expr.any(is_of_session)
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
        for sql in ["SELECT lastval()", "SELECT last_insert_id() AS id", "SELECT changes()"] {
            let source = format!(
                "async fn run(ids: &[i64]) {{ for id in ids {{ sqlx::query({sql:?}).fetch_one(db).await; }} }}"
            );
            let found = findings_in("loop_invariant_query", &source);
            assert!(!found.iter().any(|finding| finding.lint == "loop_invariant_query"), "{sql}");
        }
        check(r#"for pool in pools { sql!("SELECT count(*) FROM events").fetch_one(pool).await; }"#, &[]);
    }

    #[test]
    fn silent_where_an_iteration_may_write_what_it_reads() {
        let read = r#"sql!("SELECT count(*) FROM servers").fetch_one(db).await;"#;
        for (write, is_silent) in [
            (r#"sql!("INSERT INTO servers (id, name) VALUES ($1, 'a')", id).execute(db).await;"#, true),
            (r#"sql!("DELETE FROM servers WHERE id = $1", id).execute(db).await;"#, true),
            (
                r#"sql!("WITH d AS (DELETE FROM servers WHERE id = $1 RETURNING 1) SELECT 1 FROM d", id).fetch_one(db).await;"#,
                true,
            ),
            (r#"sqlx::query(&text).execute(db).await;"#, true),
            (r#"sql!("INSERT INTO logs (event_id, output) VALUES ($1, 'a')", id).execute(db).await;"#, false),
            ("write(id).await;", true),
            ("log(id).await;", false),
        ] {
            let source = format!(
                r#"async fn run(db: &PgPool, ids: &[i64], text: String) {{ for id in ids {{ {read} {write} }} }}
                async fn write(id: i64) {{ sql!("UPDATE servers SET name = 'a' WHERE id = $1", id).execute(db).await; }}
                async fn log(id: i64) {{ sql!("UPDATE logs SET output = 'a' WHERE id = $1", id).execute(db).await; }}"#
            );
            let found = findings_in("loop_invariant_query", &source);
            let fires = found.iter().any(|finding| finding.lint == "loop_invariant_query");
            assert_eq!(fires, !is_silent, "{write}");
        }
    }
}
