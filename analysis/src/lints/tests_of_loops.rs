//! Which calls and queries in loops are shown, and which are listed.

use super::tests::findings_in;
use crate::finding::Tier::{self, Listed, Shown};

const FUNCTIONS: &str = r#"
    async fn load(db: &PgPool, id: i64) -> Result<Option<String>> {
        sql!("SELECT name FROM servers WHERE id = $1", id).fetch_optional(db).await
    }
    async fn save(db: &PgPool, id: i64) -> Result<()> {
        sql!("UPDATE servers SET name = 'a' WHERE id = $1", id).execute(db).await
    }"#;

/// The tiers of the findings in code together with functions that read and write one row.
fn tiers(code: &str) -> Vec<Tier> {
    let mut found = findings_in("querying_call_in_loop", &format!("{code} {FUNCTIONS}"));
    found.retain(|finding| {
        matches!(finding.lint, "querying_call_in_loop" | "query_in_loop" | "row_by_row_write")
    });
    found.iter().map(|finding| finding.tier).collect()
}

#[track_caller]
fn check(body: &str, expected: Tier) {
    let code = format!("async fn run(db: &PgPool, ids: &[i64]) {{ {body} }}");
    assert_eq!(tiers(&code), [expected], "{body}");
}

#[test]
fn a_search_ends_at_what_it_finds_and_gives_it() {
    for (then, expected) in [
        ("return it;", Listed),
        ("return Ok(Some(it.name));", Listed),
        ("found = Some(it); break;", Listed),
        ("return Err(Error::Exists(it));", Shown),
        ("return Err(it)?;", Shown),
        ("return ApiError::exists(it).into_response();", Shown),
        ("return Ok(false);", Shown),
        ("bail!(\"{it} is there\");", Shown),
        ("is_taken = true; break;", Shown),
    ] {
        check(&format!("for id in ids {{ if let Some(it) = load(db, *id).await? {{ {then} }} }}"), expected);
    }
}

#[test]
fn what_is_configured_is_of_the_program() {
    for (over, expected) in [
        ("&self.config.servers", Listed),
        ("self.app.settings.servers()", Shown),
        ("&SETTINGS.servers", Listed),
        ("APP.config.servers.iter()", Listed),
        ("&payload.settings.channels", Shown),
        ("&config.servers", Shown),
    ] {
        check(&format!("for id in {over} {{ load(db, *id).await; }}"), expected);
    }
}

#[test]
fn a_service_is_asked_by_its_client_and_no_cache_is_one() {
    for (body, expected) in [
        ("for id in ids { load(db, *id).await; mail_client.deliver(id).await?; }", Listed),
        ("for id in ids { load(db, *id).await; mail::deliver(&mail_client, id).await?; }", Listed),
        ("for client in clients { load(db, client.id).await; cache.insert(client.id, 1).await; }", Shown),
        ("for client in clients { load(db, client.id).await; greet(client).await; }", Shown),
        ("for client in clients { load(db, client.id).await; client.greet().await; }", Shown),
        ("for id in ids { load(db, *id).await; redis_client.set(id, 1).await; }", Shown),
        ("for id in ids { load(db, *id).await; label(&mail_client, id).await; }", Shown),
    ] {
        check(
            &format!("{body} }} async fn label(client: &Client, id: &i64) -> String {{ id.to_string()"),
            expected,
        );
    }
}

#[test]
fn tables_that_vary_with_the_loop_are_known_when_it_runs() {
    for (body, expected) in [
        ("for table in tables { clear(db, table).await; }", Listed),
        ("for id in ids { find(db, tenant, *id).await; }", Shown),
    ] {
        let code = format!(
            r#"async fn run(db: &PgPool, ids: &[i64], tables: &[String], tenant: &str) {{ {body} }}
            async fn clear(db: &PgPool, table: &str) {{
                sqlx::query(&format!("DELETE FROM {{table}} WHERE id = 1")).execute(db).await;
            }}
            async fn find(db: &PgPool, tenant: &str, id: i64) {{
                sqlx::query(&format!("SELECT body FROM {{tenant}}.notes WHERE id = $1")).bind(id).fetch_one(db).await;
            }}"#
        );
        assert_eq!(tiers(&code), [expected], "{body}");
    }
}

#[test]
fn a_program_starts_before_it_serves() {
    let each = "for id in ids { load(db, *id).await; }";
    for (main, expected) in [
        ("work(db, &ids).await; axum::serve(listener, app).await;", Listed),
        ("work(db, &ids).await; serve_all().await;", Listed),
        ("axum::serve(listener, app).await; work(db, &ids).await;", Shown),
        (
            "listener.listen(\"notes\").await; for request in server.incoming_requests() { work(db, &ids).await; }",
            Shown,
        ),
        ("tokio::spawn(metrics::serve()); work(db, &ids).await;", Shown),
        (
            "for request in listener.incoming() { work(db, &ids).await; } axum::serve(listener, app).await;",
            Shown,
        ),
        ("match command { Some(_) => work(db, &ids).await, _ => axum::serve(listener, app).await }", Shown),
        ("if command.is_some() { work(db, &ids).await; return; } axum::serve(listener, app).await;", Shown),
        ("if is_new { work(db, &ids).await; } axum::serve(listener, app).await;", Listed),
    ] {
        let code = format!(
            "async fn main() {{ {main} }} async fn work(db: &PgPool, ids: &[i64]) {{ {each} }}
             async fn serve_all() {{ axum::serve(listener, app()).await; }}"
        );
        let found = tiers(&code);
        assert!(!found.is_empty() && found.iter().all(|tier| *tier == expected), "{main}: {found:?}");
    }
    // What a router keeps runs for each request.
    let code = format!(
        "async fn main() {{ axum::serve(listener, app(db)).await; }}
         fn app(db: PgPool) -> Router {{ Router::new().route(\"/c\", get(|Json(ids): Json<Vec<i64>>| async move {{ {each} }})) }}"
    );
    assert_eq!(tiers(&code), [Shown]);
}

#[test]
fn what_follows_a_check_that_nothing_is_missing_fills_it_once() {
    let of = |body: &str| {
        let ask = "sql!(\"SELECT name FROM servers WHERE id = $1\", id).fetch_one(db).await?";
        tiers(&format!(
            "async fn run(db: &PgPool, ids: &[i64], id: i64) {{ let mut head = None; let mut map = HashMap::new(); let mut seen = HashSet::new(); for key in ids {{ {} }} }}",
            body.replace("ASK", ask)
        ))
    };
    assert_eq!(of("if head.is_some() { continue; } head = Some(ASK);"), []);
    assert_eq!(of("let None = head else { continue }; head = Some(ASK);"), []);
    assert_eq!(of("if map.contains_key(key) { continue; } map.insert(key, load(db, *key).await?);"), []);
    assert_eq!(of("if seen.contains(key) { continue; } load(db, *key).await?; seen.insert(key);"), [Shown]);
    assert_eq!(
        of("if map.contains_key(key) { continue; } map.insert(key, true); load(db, *key).await?;"),
        [Shown]
    );
    let failed = "if map.contains_key(key) { continue; } if load(db, *key).await.is_err() { map.insert(key, \"failed\".into()); }";
    assert_eq!(of(failed), [Shown]);
    assert_eq!(of("if head.is_some() { log(); } load(db, *key).await?; head = Some(1);"), [Shown]);
}

#[test]
fn what_changes_the_schema_and_what_reads_no_table_is_listed() {
    let of = |sql: &str| {
        let text = if sql.contains('{') { format!("format!({sql:?})") } else { format!("{sql:?}") };
        tiers(&format!(
            "async fn run(db: &PgPool, names: &[String]) {{ for name in names {{ put(db, name).await?; }} }}
             async fn put(db: &PgPool, name: &str) {{ sqlx::query(&{text}).execute(db).await?; }}"
        ))
    };
    assert_eq!(of("CREATE INDEX CONCURRENTLY ON {name} (id)"), [Listed]);
    assert_eq!(of("DELETE FROM events WHERE name = '{name}'"), [Shown]);
    assert_eq!(of("SELECT pg_try_advisory_lock(1)"), [Listed]);
}
