//! A call in a loop that reaches a query.

use super::shared::loops;
use super::{CallContext, Check, declare_lint};
use crate::finding::Finding;
use crate::rust::Link;
use crate::sql::query::Kind;
use crate::sql::{Query, batch, resolve};

declare_lint! {
    /// ## What it does
    ///
    /// Finds calls inside loops over data whose function runs a query, directly or through the functions it calls, in
    /// any file or crate of the workspace.
    ///
    /// ## Why is this bad
    ///
    /// It is the N+1 problem where it is hard to see: the loop is here and the query three calls away. A hundred
    /// elements are a hundred round trips.
    ///
    /// ## Known limits
    ///
    /// Calls are followed by Rust's rules for paths and imports, and by the types in signatures, fields and
    /// constructors. A call whose function is not found is not reported; a call that may mean several functions says
    /// so. Loops that `query_in_loop` leaves alone are left alone here, and so are functions whose query takes many
    /// elements at once, caches, and what begins a transaction. What each turn does in a transaction of its own is listed
    /// with `--all`: it stands or falls alone, and one statement for all would change that.
    ///
    /// Of 77 findings drawn from 17 public projects, 77 were true and 24 worth a change: [how that was
    /// judged](../measured.md#findings-worth-a-change).
    ///
    /// ## Example
    ///
    /// ```rust,fires
    /// async fn names(db: &PgPool, servers: &[i64]) -> sqlx::Result<()> {
    ///     for server in servers {
    ///         name(db, *server).await?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// async fn name(db: &PgPool, server: i64) -> sqlx::Result<String> {
    ///     sql_scalar!("SELECT name FROM servers WHERE id = $1", server).fetch_one(db).await
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```rust,clean
    /// async fn names(db: &PgPool, servers: &[i64]) -> sqlx::Result<Vec<String>> {
    ///     sql_scalar!("SELECT name FROM servers WHERE id = ANY($1)", servers).fetch_all(db).await
    /// }
    /// ```
    "querying_call_in_loop", NPlusOne, since "0.1.0",
    "a call in a loop whose function runs a query",
    Check::Call(check); OnLoop
}

fn check(context: &CallContext<'_>, findings: &mut Vec<Finding>) {
    let call = context.call;
    let query = context.sql().and_then(|sql| resolve(sql, context.dialect, context.schema).ok());
    if query.as_ref().is_some_and(|query| batch::is_batched(query) || query.kind == Kind::Transaction) {
        return;
    }
    let [first, .., last] = call.chain.as_slice() else { return };
    let turn = match call.around.over.as_str() {
        "" => "per turn of a loop".to_owned(),
        over => format!("per element of `{over}`"),
    };
    let mut finding = Finding::new(LINT.name, format!("`{}` runs a query once {turn}", first.what))
        .related(call.around.place.clone(), "the loop");
    for link in call.chain.iter().skip(1).take(call.chain.len().saturating_sub(2)) {
        finding = finding.related(link.place.clone(), format!("`{}` calls `{}`", link.function, link.what));
    }
    finding = finding.related(last.place.clone(), format!("`{}` runs the query", last.function));
    for help in help(context, query.as_ref(), &function(call.chain.as_slice())) {
        finding = finding.help(help);
    }
    if call.candidates > 1 {
        finding = finding.note(format!("the call can be any of {} functions", call.candidates));
    }
    if call.is_unit {
        finding = finding.note("each turn does it in a transaction of its own").listed();
    }
    finding.place = call.call.place.clone();
    finding.sql = context.sql().map(Into::into);
    findings.push(finding);
}

/// The function that the first call of a chain resolves to.
fn function(chain: &[Link]) -> String {
    chain.get(1).map(|link| link.function.clone()).unwrap_or_default()
}

fn help(context: &CallContext<'_>, query: Option<&Query>, function: &str) -> Vec<String> {
    // With several values, it is unknown here which of them vary.
    let rewrite = query
        .filter(|query| query.parameters == 1)
        .and_then(|query| batch::rewrite(context.sql()?, query, context.dialect, context.schema, &|_| true));
    let (keys, rows) = (loops::keys(context.dialect), loops::rows(context.dialect));
    match (query.map_or(Kind::Other, |query| query.kind), rewrite) {
        (Kind::Select | Kind::Other, Some(rewrite)) => vec![
            format!(
                "read for all elements before the loop: give `{function}` all keys, and run `{}`",
                rewrite.text
            ),
            "then look each element's rows up in a map by the key".to_owned(),
        ],
        (_, Some(rewrite)) => vec![format!(
            "write all elements after the loop: give `{function}` all of them, and run `{}`",
            rewrite.text
        )],
        (Kind::Insert | Kind::Merge, None) => vec![format!(
            "write all elements in one statement after the loop: give `{function}` all of them, and its query {rows}"
        )],
        (Kind::Update | Kind::Delete, None) => vec![format!(
            "write all elements in one statement after the loop: give `{function}` all of them, and its query {keys}"
        )],
        (Kind::Select | Kind::Transaction | Kind::Other, None) => vec![format!(
            "read for all elements in one query before the loop: give `{function}` all keys, and its query {keys}"
        )],
    }
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::findings_in;

    const LOAD: &str = r#"
        async fn load(db: &PgPool, id: i64) {
            sql!("SELECT name FROM servers WHERE id = $1", id).fetch_one(db).await;
        }
        async fn load_all(db: &PgPool, ids: &[i64]) {
            sql!("SELECT name FROM servers WHERE id = ANY($1)", ids).fetch_all(db).await;
        }"#;

    #[track_caller]
    fn check(body: &str, expect: &[&str]) {
        let source = format!("async fn run(db: &PgPool, ids: &[i64]) {{ {body} }} {LOAD}");
        let found = findings_in("querying_call_in_loop", &source);
        let messages: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages, expect, "{body}");
    }

    #[test]
    fn fires_where_a_call_queries_per_element() {
        check("for id in ids { load(db, *id).await; }", &["`load` runs a query once per element of `ids`"]);
        check(
            "join_all(ids.iter().map(|id| load(db, *id))).await;",
            &["`load` runs a query once per element of `ids.iter()`"],
        );
    }

    #[test]
    fn silent_where_it_queries_for_many_or_a_fixed_number_of_times() {
        check("for page in ids.chunks(100) { load_all(db, page).await; }", &[]);
        check("for _ in 0..3 { load(db, 1).await; }", &[]);
        check("for id in ids { load_all(db, &[*id]).await; }", &[]);
    }

    #[test]
    fn a_unit_of_its_own_is_listed() {
        use crate::finding::Tier;
        for (body, expected) in [
            (
                "for id in ids { let mut tx = db.begin().await?; load(&mut tx, *id).await; tx.commit().await?; }",
                Tier::Listed,
            ),
            ("for id in ids { let tx = &mut 1; load(tx, *id).await; }", Tier::Shown),
            ("let mut tx = db.begin().await?; for id in ids { load(&mut tx, *id).await; }", Tier::Shown),
            (
                "for id in ids { let mut tx = db.begin().await?; for n in id.all() { load(&mut tx, n).await; } }",
                Tier::Shown,
            ),
            ("for id in ids { let mut tx = db.begin().await?; load(db, *id).await; }", Tier::Shown),
        ] {
            let found = findings_in(
                "querying_call_in_loop",
                &format!("async fn run(db: &PgPool, ids: &[i64]) {{ {body} }} {LOAD}"),
            );
            assert_eq!(found.iter().map(|finding| finding.tier).collect::<Vec<_>>(), [expected], "{body}");
        }
    }

    #[test]
    fn what_is_done_for_some_elements_of_an_inner_loop_is_not_done_for_those_of_the_outer() {
        check(
            "for id in ids { for act in id.acts() { match act { A(x) => load(db, x).await, B(x) => a(x).await, C(x) => b(x).await, D(x) => c(x).await, E(x) => d(x).await, _ => {} } } }",
            &[],
        );
    }

    #[test]
    fn an_allow_above_the_call_silences_it() {
        check(
            "for id in ids {\n // query-budget: allow(querying_call_in_loop): three at most\n load(db, *id).await; }",
            &[],
        );
    }
}
