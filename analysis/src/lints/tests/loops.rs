//! Which calls and queries in loops are shown, and which are listed.

use super::findings_in;
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
    // A command that does not serve opens the same, and what a command alone does is its work.
    for (commands, expected) in [
        (
            "async fn list(db: &PgPool) { open(db).await; print(db); } async fn run(db: &PgPool) { open(db).await; serve_all().await; }",
            Listed,
        ),
        (
            "async fn list(db: &PgPool) { open(db).await; print(db); } async fn run(db: &PgPool) { serve_all().await; }",
            Shown,
        ),
        (
            "async fn list(db: &PgPool) { print(db); } async fn run(db: &PgPool) { serve_all().await; open(db).await; }",
            Shown,
        ),
    ] {
        let code = format!(
            "async fn main() {{ match command {{ List => list(db).await, Serve => run(db).await }} }} {commands}
             async fn open(db: &PgPool) {{ let ids = all(db).await; {each} }}
             async fn serve_all() {{ axum::serve(listener, app()).await; }}
             #[cfg(test)] mod tests {{ async fn it_opens() {{ super::open(db).await; }} }}"
        );
        let found = tiers(&code);
        assert!(!found.is_empty() && found.iter().all(|tier| *tier == expected), "{commands}: {found:?}");
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

#[test]
fn what_a_part_of_something_lacks_is_little() {
    for (body, expected) in [
        (
            "for id in ids { if !user.groups.contains(id) && let Err(e) = save(db, *id).await { warn(e); } }",
            Listed,
        ),
        ("for id in ids { if !user.groups().contains(id) { save(db, *id).await; } }", Listed),
        ("for id in ids { if user.groups.contains(id) { continue; } save(db, *id).await; }", Listed),
        (
            "for id in ids { if !user.groups.iter().any(|group| group == id) { save(db, *id).await; } }",
            Listed,
        ),
        (
            "for id in ids { let id = id + 1; if !user.groups.contains_key(&id) { save(db, id).await; } }",
            Listed,
        ),
        // What is read at once may be all rows, of which an import adds many.
        ("for id in ids { if !existing.contains(id) { save(db, *id).await; } }", Shown),
        ("for id in ids { if user.groups.contains(id) { save(db, *id).await; } }", Shown),
        ("for id in ids { if !user.groups.contains(id) { log(); } save(db, *id).await; }", Shown),
        ("for id in ids { if !user.groups.contains(id) { log(); } else { save(db, *id).await; } }", Shown),
    ] {
        check(body, expected);
    }
}

#[test]
fn the_segments_of_a_path_are_few() {
    let each = |over: &str| format!("for part in {over} {{ load(db, part.len()).await; }}");
    for (over, expected) in [
        ("path.split('/')", Listed),
        ("path.split(\"/\").filter(|it| !it.is_empty())", Listed),
        ("path.rsplit('/').skip(1)", Listed),
        ("path.split(',')", Shown),
        ("text.lines()", Shown),
    ] {
        check(&each(over), expected);
    }
    let collected = "let parts: Vec<&str> = path.split('/').collect();";
    check(&format!("{collected} {}", each("&parts")), Listed);
    check(&format!("{collected} {}", each("parts.iter().rev()")), Listed);
    check(
        &format!(
            "let mut parts: Vec<&str> = path.split('/').collect(); parts.extend(ids); {}",
            each("&parts")
        ),
        Shown,
    );
}

#[test]
fn a_list_that_its_loop_fills_is_read_by_level() {
    let help = |body: &str| {
        let code = format!("async fn run(db: &PgPool, ids: &[i64]) {{ {body} }} {FUNCTIONS}");
        let found = findings_in("querying_call_in_loop", &code);
        found.iter().flat_map(|finding| finding.help.clone()).collect::<Vec<_>>().join(" ")
    };
    for (body, expected) in [
        ("while let Some(id) = rest.pop() { for next in load(db, id).await { rest.push(next); } }", true),
        ("while let Some(id) = rest.pop_front() { rest.extend(load(db, id).await); }", true),
        (
            "while let Some(id) = rest.pop() { let all = sqlx::query(\"SELECT name FROM servers WHERE id = $1\").bind(id).fetch_all(db).await; rest.extend(all); }",
            true,
        ),
        ("while let Some(id) = rest.pop() { load(db, id).await; }", false),
        ("for id in ids { load(db, *id).await; }", false),
    ] {
        let help = help(body);
        assert_eq!(
            help.contains("a level at a time") && help.contains("WITH RECURSIVE"),
            expected,
            "{body}: {help}"
        );
    }
}

#[test]
fn an_array_for_each_element_is_listed_where_it_is_raw() {
    for (body, expected) in [
        (
            "for group in groups { sqlx::query(\"UPDATE servers SET name = 'a' WHERE id = ANY($1)\").bind(&group.ids).execute(db).await; }",
            [Listed].as_slice(),
        ),
        (
            "for group in groups { sqlx::query(\"SELECT name FROM servers WHERE id = ANY($1)\").bind(&group.ids).fetch_all(db).await; }",
            &[Listed],
        ),
        ("for group in groups { all(db, &group.ids).await; }", &[Listed]),
        ("for part in ids.chunks(100) { all(db, part).await; }", &[]),
        (
            "for group in groups { sql!(\"SELECT name FROM servers WHERE id = ANY($1)\", &group.ids).fetch_all(db).await; }",
            &[],
        ),
    ] {
        let all = "async fn all(db: &PgPool, ids: &[i64]) { sqlx::query(\"SELECT name FROM servers WHERE id = ANY($1)\").bind(ids).fetch_all(db).await; }";
        let code = format!("async fn run(db: &PgPool, ids: &[i64], groups: Vec<Group>) {{ {body} }} {all}");
        assert_eq!(tiers(&code), expected, "{body}");
    }
}

#[test]
fn a_request_by_the_type_of_its_client_takes_longer() {
    for (body, expected) in [
        ("reqwest::get(url).await?; load(db, id).await;", Listed),
        ("c.get(url).send().await?; load(db, id).await;", Listed),
        ("c.execute(request).await?; load(db, id).await;", Listed),
        ("load(db, id).await; other.execute(reqwest::Request::new(Method::GET, url)).await?;", Listed),
        ("b.get(url).send()?; load(db, id).await;", Listed),
        ("ureq::get(url).call()?; load(db, id).await;", Listed),
        ("reqwest::blocking::get(url)?; load(db, id).await;", Listed),
        ("push(url).await?; load(db, id).await;", Listed),
        ("if url.is_empty() { save(db, id).await; continue; } push(url).await?;", Listed),
        ("let request = b.get(url); load(db, id).await;", Shown),
        ("load(db, id).await;", Shown),
    ] {
        let code = format!(
            "async fn run(db: &PgPool, c: &reqwest::Client, b: &reqwest::blocking::Client, rows: Vec<Row>) {{ for (id, url) in rows {{ {body} }} }}
             async fn push(url: &str) {{ let made = reqwest::ClientBuilder::new().build()?; let request = reqwest::Request::new(POST, url); made.execute(request).await?; }}
             {FUNCTIONS}"
        );
        assert_eq!(tiers(&code), [expected], "{body}");
    }
}

#[test]
fn what_the_source_lists_has_a_known_number() {
    let types = "pub struct Pair { pub both: [i64; 2], pub all: Vec<i64> } fn listed() -> Vec<i64> { vec![1, 2] } fn made() -> Vec<i64> { let mut all = vec![1]; all.push(2); all }";
    for (body, expected) in [
        ("for id in &pair.both { load(db, *id).await; }", [].as_slice()),
        ("for id in pair.both.iter() { load(db, *id).await; }", &[]),
        ("for id in listed() { load(db, id).await; }", &[]),
        ("for id in &pair.all { load(db, *id).await; }", &[Shown]),
        ("for id in made() { load(db, id).await; }", &[Shown]),
        ("each(db, listed()).await;", &[Listed]),
        ("each(db, listed()).await; each(db, made()).await;", &[Shown]),
        ("let mut all = listed(); all.extend(ids); each(db, all).await;", &[Shown]),
    ] {
        let code = format!(
            "{types} async fn run(db: &PgPool, pair: &Pair, ids: &[i64]) {{ {body} }}
             {} {FUNCTIONS}",
            if body.contains("each") {
                "async fn each(db: &PgPool, ids: Vec<i64>) { for id in ids { load(db, id).await; } }"
            } else {
                ""
            }
        );
        assert_eq!(tiers(&code), expected, "{body}");
    }
}

#[test]
fn a_closure_in_a_loop_elsewhere_has_the_pace_of_that_loop() {
    for (helper, expected) in [
        (
            "while start <= stop { if let Some(it) = page.pop_front() { send(it); continue; } page = read(start)?; start += 1; }",
            Listed,
        ),
        ("for at in start..=stop { read(at)?; }", Listed),
        ("for at in all(stop) { read(at)?; }", Shown),
    ] {
        let code = format!(
            "async fn run(db: &PgPool) {{ pages(1, 9, |at| async move {{ load(db, at).await }}).await; }}
             async fn pages(mut start: i64, stop: i64, read: impl Fn(i64) -> Result<VecDeque<i64>>) {{ let mut page = VecDeque::new(); {helper} }}
             {FUNCTIONS}"
        );
        assert_eq!(tiers(&code), [expected], "{helper}");
    }
}

#[test]
fn the_help_says_which_key_is_asked_by() {
    let help = |call: &str| {
        let code = format!(
            "async fn run(db: &PgPool, ids: &[i64], user: i64) {{ for id in ids {{ {call} }} }}
             async fn via(db: &PgPool, id: i64, user: i64) {{ audit(id).await; load(db, id).await }}
             async fn by_user(db: &PgPool, id: i64, user: i64) {{ audit(id).await; load(db, user).await }}
             async fn by_both(db: &PgPool, id: i64, user: i64) {{ let key = current(user).await; load(db, key).await }}
             {FUNCTIONS}"
        );
        let found = findings_in("querying_call_in_loop", &code);
        found.iter().flat_map(|finding| finding.help.clone()).collect::<Vec<_>>().join(" ")
    };
    let own = help("via(db, *id, user).await;");
    assert!(own.starts_with("read for all elements before the loop"), "{own}");
    let same = help("by_user(db, *id, user).await;");
    assert!(same.contains("the key is the same for all elements") && !same.contains("otherwise"), "{same}");
    let either = help("by_both(db, *id, user).await;");
    assert!(either.contains("once if the key is the same for all elements, otherwise"), "{either}");
    let none = help("save(db, 1).await; load(db, user).await;");
    assert!(none.contains("if nothing else changes what it reads"), "{none}");
}
