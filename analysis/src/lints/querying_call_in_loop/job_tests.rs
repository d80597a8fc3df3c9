//! Calls in loops that only a job reaches, and those that a request waits for.

use crate::finding::Tier::{self, Listed, Shown};
use crate::lints::tests::findings_in;

const LOAD: &str = "async fn load(db: &PgPool, id: i64) { sqlx::query(\"SELECT name FROM servers WHERE id = $1\").bind(id).fetch_one(db).await; }
    async fn servers(db: &PgPool) -> Vec<i64> { sqlx::query_scalar(\"SELECT id FROM servers WHERE name > 'a'\").fetch_all(db).await }
    async fn refresh_all(db: &PgPool) { for id in servers(db).await { load(db, id).await; } }";

#[track_caller]
fn check(callers: &str, expected: Tier) {
    let found = findings_in("querying_call_in_loop", &format!("{LOAD}\n{callers}"));
    let found = found.iter().filter(|finding| finding.lint == "querying_call_in_loop");
    // The first is that in `refresh_all`.
    let tiers: Vec<_> = found.map(|finding| finding.tier).collect();
    assert_eq!(tiers.first(), Some(&expected), "{callers}");
}

#[test]
fn what_only_a_job_reaches_is_listed() {
    for job in [
        "loop { interval.tick().await; refresh_all(&db).await; }",
        "loop { refresh_all(&db).await; tokio::time::sleep(pause).await; }",
        "loop { tick.tick().await; if let Err(e) = refresh_all(&db).await { attempt += 1; if attempt > most { return; } } }",
        "loop { tokio::select! { _ = interval.tick() => refresh_all(&db).await, _ = stop.cancelled() => break } }",
        "loop { let block = blocks.next().await.expect(\"they never end\"); refresh_all(&db).await; }",
        "while stopper.run_until_stopped(interval.tick()).await.is_some() { refresh_all(&db).await; }",
    ] {
        check(&format!("async fn job(db: PgPool) {{ {job} }}"), Listed);
        check(&format!("fn start(db: PgPool) {{ tokio::spawn(async move {{ {job} }}); }}"), Listed);
        // Through other functions.
        let through = job.replace("refresh_all(", "round(");
        check(
            &format!(
                "async fn round(db: &PgPool) {{ refresh_all(db).await }} async fn job(db: PgPool) {{ {through} }}"
            ),
            Listed,
        );
    }
}

#[test]
fn what_a_request_waits_for_is_shown() {
    let job = "async fn job(db: PgPool) { loop { interval.tick().await; refresh_all(&db).await; } }";
    check("async fn handler(State(db): State<PgPool>) { refresh_all(&db).await }", Shown);
    check(&format!("{job} async fn handler(State(db): State<PgPool>) {{ refresh_all(&db).await }}"), Shown);
    check("", Shown);
    for code in [
        // Another attempt, and what others send.
        "loop { if refresh_all(&db).await.is_ok() { return; } tokio::time::sleep(pause).await; }",
        "for attempt in 0..3 { refresh_all(&db).await; tokio::time::sleep(pause).await; }",
        "loop { tokio::select! { x = rx.recv() => refresh_all(&db).await, _ = interval.tick() => {} } }",
        "while let Some(m) = socket.next().await { refresh_all(&db).await; tokio::time::sleep(pause).await; }",
        "loop { match socket.next().await { Some(m) => refresh_all(&db).await, None => break } }",
        // It is called at the start as well, and the loop has an end.
        "refresh_all(&db).await; loop { interval.tick().await; refresh_all(&db).await; }",
    ] {
        check(&format!("async fn f(db: PgPool) {{ {code} }}"), Shown);
    }
}

#[test]
fn writes_in_a_loop_of_a_job_are_shown() {
    let body = |run: &str| {
        let source = format!(
            "async fn job(db: PgPool) {{ loop {{ interval.tick().await; let ids = sqlx::query_scalar(\"SELECT id FROM servers\").fetch_all(&db).await; for id in ids {{ {run} }} }} }}"
        );
        let found = findings_in("query_in_loop", &source);
        let found = found.iter().filter(|it| matches!(it.lint, "query_in_loop" | "row_by_row_write"));
        found.map(|finding| finding.tier).collect::<Vec<_>>()
    };
    assert_eq!(
        body(
            "sqlx::query(\"UPDATE events SET name = 'a' WHERE server_id = $1\").bind(id).execute(&db).await;"
        ),
        [Shown]
    );
    assert_eq!(
        body("sqlx::query(\"SELECT name FROM events WHERE server_id = $1\").bind(id).fetch_all(&db).await;"),
        [Listed]
    );
}

#[test]
fn statements_of_joined_futures_do_not_wait_for_one_another_on_tokio_postgres() {
    let check = |driver: &str, run: &str, expected: Tier| {
        let load = match driver {
            "sqlx" => {
                "async fn load(db: &PgPool, id: i64) { sqlx::query(\"SELECT name FROM servers WHERE id = $1\").bind(id).fetch_one(db).await; }"
            }
            _ => {
                "use tokio_postgres::Client;\nasync fn load(db: &Client, id: i64) { db.query_one(\"SELECT name FROM servers WHERE id = $1\", &[&id]).await; }"
            }
        };
        let of = if driver == "sqlx" { "PgPool" } else { "Client" };
        let source = format!("{load}\nasync fn all(db: &{of}, ids: &[i64]) {{ {run} }}");
        let found = findings_in("querying_call_in_loop", &source);
        let found = found.iter().filter(|finding| finding.lint == "querying_call_in_loop");
        let tiers: Vec<_> = found.map(|finding| finding.tier).collect();
        assert_eq!(tiers, [expected], "{driver} {run}");
    };
    let joined = "try_join_all(ids.iter().map(|id| async move { load(db, *id).await })).await;";
    let several =
        "stream::iter(ids).for_each_concurrent(None, |id| async move { load(db, *id).await; }).await;";
    for run in [joined, several] {
        check("tokio_postgres", run, Listed);
        check("sqlx", run, Shown);
    }
    check("tokio_postgres", "for id in ids { load(db, *id).await; }", Shown);
    check(
        "tokio_postgres",
        "stream::iter(ids).for_each(|id| async move { load(db, *id).await; }).await;",
        Shown,
    );
}
