//! Calls in loops that query, and how they are reported.

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
fn a_callback_that_is_kept_does_not_run_in_the_loop_that_makes_it() {
    check("for id in ids { fields.push(Field::new(id, move |request| async { load(db, 1).await })); }", &[]);
    check(
        "for id in ids { retry(|| load(db, *id)).await; }",
        &["`load` runs a query once per element of `ids`"],
    );
}

#[test]
fn a_function_that_makes_a_query_of_any_text_does_not_run_it() {
    let source = r#"async fn run(db: &PgPool, tables: &[String]) {
            for table in tables { db.execute(query(&format!("DELETE FROM {table}"))).await; }
        }
        fn query(text: &str) -> Query<'_> { sqlx::query(text) }"#;
    assert_eq!(findings_in("querying_call_in_loop", source), []);
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
            "for id in ids { let mut tx = db.begin().await?; save(&mut tx, *id).await; tx.commit().await?; }",
            Tier::Listed,
        ),
        (
            "for id in ids { let mut tx = db.begin().await?; let mut on: Either = (&mut tx).into(); save(&mut on, *id).await; }",
            Tier::Listed,
        ),
        // A transaction that only reads does not have to stay together.
        (
            "for id in ids { let mut tx = db.begin().await?; load(&mut tx, *id).await; tx.commit().await?; }",
            Tier::Shown,
        ),
        ("for id in ids { let tx = &mut 1; load(tx, *id).await; }", Tier::Shown),
        ("let mut tx = db.begin().await?; for id in ids { load(&mut tx, *id).await; }", Tier::Shown),
        (
            "for id in ids { let mut tx = db.begin().await?; for n in id.all() { load(&mut tx, n).await; } }",
            Tier::Shown,
        ),
        ("for id in ids { let mut tx = db.begin().await?; load(db, *id).await; }", Tier::Shown),
    ] {
        check_tier(body, expected);
    }
}

/// Functions that write, one of them in a transaction of its own, and one as a whole operation.
const SAVE: &str = r#"
        async fn save(db: &PgPool, id: i64) -> Result<()> {
            sql!("UPDATE servers SET name = 'a' WHERE id = $1", id).execute(db).await
        }
        async fn save_both(db: &PgPool, id: i64) -> Result<()> {
            save(db, id).await?;
            sql!("DELETE FROM events WHERE id = $1", id).execute(db).await
        }
        async fn save_alone(db: &PgPool, id: i64) -> Result<()> {
            let mut tx = db.begin().await?;
            save(&mut tx, id).await?;
            tx.commit().await
        }
        async fn finish(db: &PgPool, id: i64) -> Result<()> {
            load(db, id).await;
            load_all(db, &[id]).await;
            save(db, id).await?;
            sql!("DELETE FROM events WHERE id = $1", id).execute(db).await?;
            sql!("DELETE FROM users WHERE id = $1", id).execute(db).await
        }
        async fn with_relations(db: &PgPool, id: i64) -> Result<Server> {
            let name = sql!("SELECT name FROM servers WHERE id = $1", id).fetch_one(db).await?;
            let events = sql!("SELECT name FROM events WHERE server_id = $1 LIMIT 9", id).fetch_all(db).await?;
            let users = sql!("SELECT id FROM users WHERE id = $1", id).fetch_one(db).await?;
            let logs = sql!("SELECT id FROM logs WHERE id = $1", id).fetch_one(db).await?;
            let more = sql!("SELECT output FROM logs WHERE id = $1", id).fetch_one(db).await?;
            Ok(Server { name, events, users, logs, more })
        }
        async fn status(of: &Node, id: i64) -> Result<i64> {}
        async fn undo(db: &PgPool, id: i64) {
            if let Err(error) = send(id) { save(db, id).await; }
        }"#;

#[track_caller]
fn check_tier(body: &str, expected: crate::finding::Tier) {
    let source =
        format!("async fn run(db: &PgPool, ids: &[i64], first: i64, last: i64) {{ {body} }} {LOAD} {SAVE}");
    let found = findings_in("querying_call_in_loop", &source);
    let found = found.iter().filter(|finding| finding.lint == "querying_call_in_loop");
    assert_eq!(found.map(|finding| finding.tier).collect::<Vec<_>>(), [expected], "{body}");
}

#[test]
fn what_one_query_for_all_would_not_replace_is_listed() {
    use crate::finding::Tier::{Listed, Shown};
    for (body, expected) in [
        ("for id in ids { save(db, *id).await?; }", Shown),
        ("for id in ids { save_alone(db, *id).await?; }", Listed),
        // On a transaction, `begin` makes a savepoint.
        ("let mut tx = db.begin().await?; for id in ids { save_alone(&mut *tx, *id).await?; }", Shown),
        ("for id in ids { let mut tx = db.begin().await?; save_alone(&mut *tx, *id).await?; }", Listed),
        // A counter that goes from one value to another; one from a literal on counts.
        ("let mut at = first; while at <= last { save(db, at).await?; at += 1; }", Listed),
        ("let mut at = 0; while at < last { save(db, at).await?; at += 1; }", Shown),
        ("let mut at = first; while at < ids.len() { save(db, at).await?; at += 1; }", Shown),
        // Nothing is read of a function that reaches no query.
        ("for id in ids { status(&self.rpc, *id).await?; save(db, *id).await?; }", Listed),
        ("for id in ids { status(&self.names, *id).await?; save(db, *id).await?; }", Shown),
        // An operation of several statements, but not a read with all its relations.
        ("for id in ids { finish(db, *id).await?; }", Listed),
        ("for id in ids { found.push(with_relations(db, *id).await?); }", Shown),
        // Each iteration waits for something else. What is only looked up can be read before the loop.
        ("for id in ids { save(db, *id).await?; mailer.deliver(id).await?; }", Listed),
        ("for id in ids { save(db, *id).instrument(span()).await; }", Shown),
        ("for id in ids { save(db, *id).await; mail_client.deliver(id).await?; }", Listed),
        ("for id in ids { save(db, *id).await; names.get(id).await; }", Shown),
        ("for id in ids { save(db, *id).await; names.get(id).get().await; }", Listed),
        // A service takes longer than the query, where each iteration calls it.
        ("for id in ids { let name = load(db, *id).await; mailer.deliver(name).await?; }", Listed),
        (
            "for id in ids { let name = load(db, *id).await; if name.is_new() { mailer.deliver(name).await?; } }",
            Shown,
        ),
        (
            "for id in ids { let Some(it) = load(db, *id).await else { continue }; mailer.deliver(it).await?; }",
            Shown,
        ),
        (
            "for id in ids { if id.is_old() { continue; } load(db, *id).await; mailer.deliver(id).await?; }",
            Listed,
        ),
        // The condition of a guard exits only the `match`; an arm may exit the iteration.
        (
            "for id in ids { load(db, *id).await; match id { 1 if check(id) => { note(id); } _ => {} } mailer.deliver(id).await?; }",
            Listed,
        ),
        (
            "for id in ids { load(db, *id).await; match id { 1 if check(id) => continue, _ => {} } mailer.deliver(id).await?; }",
            Shown,
        ),
        (
            "for id in ids { match id { 1 if check(id) => { load(db, *id).await; } _ => { mailer.deliver(id).await?; } } }",
            Shown,
        ),
        (
            "for id in ids { match id { 1 if check(id) => {} _ => { load(db, *id).await; } } mailer.deliver(id).await?; }",
            Listed,
        ),
        (
            "for id in ids { 'a: { load(db, *id).await; if id.is_old() { break 'a; } note(id); } mailer.deliver(id).await?; }",
            Listed,
        ),
        (
            "for id in ids { 'a: { load(db, *id).await; if id.is_old() { break 'a; } mailer.deliver(id).await?; } }",
            Shown,
        ),
        ("for id in ids { save(db, *id).await; mailer.deliver(id); }", Shown),
        ("for id in ids { save(db, *id).await; tx.send(id).await?; }", Shown),
        ("for id in ids { save(db, *id).await; names.lock().await.push(id); }", Shown),
        ("for id in ids { let user = User::by_id(db, *id).await?; save(db, user.server).await; }", Shown),
        ("for id in ids { mailer.deliver(id).await?; } for id in ids { save(db, *id).await; }", Shown),
    ] {
        check_tier(body, expected);
    }
}

/// What the help says of a body and some items.
fn help(body: &str, items: &str) -> String {
    let source = format!(
            "async fn run(db: &PgPool, ids: &[i64], server: i64) {{ {body} }} {items} {LOAD} {SAVE}
             fn send<T>(id: &i64, it: T) {{}}
             async fn count(db: &PgPool) -> i64 {{ sql!(\"SELECT count(*) FROM servers\").fetch_one(db).await }}"
        );
    let found = findings_in("querying_call_in_loop", &source);
    let found = found.into_iter().filter(|finding| finding.lint == "querying_call_in_loop");
    found.flat_map(|finding| finding.help).collect::<Vec<_>>().join("; ")
}

const BEFORE: &str = "move the call before the loop: no value of the loop goes into it";

#[test]
fn what_does_not_depend_on_the_loop_is_moved_before_it() {
    for body in [
        "for id in ids { send(id, load(db, server).await); }",
        "let mut tx = begin(); for id in ids { send(id, load(&mut *tx, server).await); }",
        "for id in ids { send(id, count(db).await); }",
    ] {
        assert_eq!(help(body, ""), BEFORE, "{body}");
    }
    let advance = "struct Cursor; impl Cursor { async fn step(&mut self) { load(db, self.at).await; } }";
    let stepped = format!("{advance} let cursor = Cursor; for id in ids {{ cursor.step().await; }}");
    for body in [
        stepped.as_str(),
        "for id in ids { load(db, *id).await; }",
        "for id in ids { let it = id.server; load(db, it).await; }",
        "for id in ids { load(db, next()).await; }",
        "let mut at = 0; for id in ids { at += 1; load(db, at).await; }",
    ] {
        assert_ne!(help(body, ""), BEFORE, "{body}");
    }
}

#[test]
fn a_function_that_asks_something_of_its_own_is_not_moved_before_the_loop() {
    let read =
        |rest: &str| format!(r#"sql!("SELECT name FROM servers WHERE id = {rest}).fetch_one(db).await"#);
    for (body, is_same) in [
        (format!("{{ {} }}", read("$1\", id")), true),
        (format!("{{ {} }}", read("$1\", LIMIT")), true),
        (format!("{{ let id: i64 = rand::random(); {} }}", read("$1\", id")), false),
        (format!("{{ let at = code(); {} }}", read("$1\", at")), false),
        (format!("{{ {} }}", read("$1\", Utc::now()")), false),
        (format!("{{ let at = AT.fetch_add(1, Relaxed); {} }}", read("$1\", at")), false),
        (format!("{{ {}; rand::random() }}", read("$1\", id")), false),
        (format!("{{ id = code(); {} }}", read("$1\", id")), false),
    ] {
        let items = format!("async fn pick(db: &PgPool, id: i64) -> String {body} fn code() -> i64 {{ 1 }}");
        let given = help("for _ in ids { pick(db, server).await; }", &items);
        assert_eq!(given == BEFORE, is_same, "{body}: {given}");
        assert_ne!(given, "", "{body}");
    }
}

#[test]
fn what_is_changed_in_the_turn_is_not_moved_before_the_loop() {
    let items = |walk: &str| {
        format!(
            r#"struct Store {{ db: PgPool, at: i64 }} struct Walk {{ at: i64 }}
                impl Store {{
                    async fn current(&self) {{ sql!("SELECT name FROM servers WHERE id = $1", self.at).fetch_one(&self.db).await; }}
                    fn seek(&mut self, id: i64) {{ self.at = id; }}
                    fn at(&self) -> i64 {{ self.at }}
                }}
                async fn go(db: &PgPool, walk: {walk}) {{ sql!("SELECT name FROM servers WHERE id = $1", walk.at).fetch_one(db).await; }}
                async fn add(db: &PgPool, id: i64) {{ sql!("INSERT INTO servers (id) VALUES ($1)", id).execute(db).await; }}
                async fn allocate(db: &PgPool, id: i64) {{ count(db).await; add(db, id).await; }}"#
        )
    };
    for (body, walk, is_same) in [
        ("let store: Store = it(); for id in ids { store.current().await; store.at(); }", "&Walk", true),
        ("let store: Store = it(); for id in ids { store.current().await; }", "&Walk", true),
        (
            "let mut store: Store = it(); for id in ids { store.seek(*id); store.current().await; }",
            "&Walk",
            false,
        ),
        ("let walk = it(); for id in ids { go(db, walk).await; }", "&Walk", true),
        ("let walk = it(); for id in ids { go(db, walk).await; }", "&mut Walk", false),
        ("for id in ids { allocate(db, server).await; }", "&Walk", false),
        ("for id in ids { count(db).await; add(db, *id).await; }", "&Walk", false),
        ("for id in ids { count(db).await; sink.put(*id).await; }", "&Walk", false),
        ("for id in ids { count(db).await; put(*id); }", "&Walk", false),
        (
            "async fn each(db: &PgPool, ids: &[i64], then: impl Fn(i64)) { for id in ids { count(db).await; then(*id); } }",
            "&Walk",
            false,
        ),
    ] {
        let given = help(body, &items(walk));
        assert_eq!(given.contains(BEFORE), is_same, "{body}: {given}");
        assert_ne!(given, "", "{body}");
    }
}

#[test]
fn a_value_of_the_loop_is_no_connection_by_its_name() {
    let check = |parameters: &str, body: &str, expect: &[&str]| {
        let source = format!(
            "struct Pair {{ id: i64, note: i64 }} struct Connection {{ id: i64 }}
                 struct Tenant {{ pool: PgPool }}
                 struct App {{ db: PgPool }}
                 impl App {{ async fn load(&self, pair: &Pair) {{ load(&self.db, pair.id).await; }}
                     async fn run(&self, db: &PgPool, {parameters}) {{ {body} }} }} {LOAD}"
        );
        let found = findings_in("querying_call_in_loop", &source);
        let messages: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages, expect, "{body}");
    };
    for (parameters, body, over) in [
        ("tx_ids: &[i64]", "for &tx_id in tx_ids { load(db, tx_id).await; }", "tx_ids"),
        ("store_ids: &[i64]", "for store_id in store_ids { load(db, *store_id).await; }", "store_ids"),
        ("repos: &[Pair]", "for repo in repos { load(db, repo.id).await; }", "repos"),
        ("all: &[Pair]", "for transaction in all { load(db, transaction.note).await; }", "all"),
        ("all: &[Pair]", "for it in all { let tx_id = it.id; load(db, tx_id).await; }", "all"),
        ("pools: &[Pair]", "for pool in pools { load(db, pool).await; }", "pools"),
        ("all: &[Connection]", "for connection in all { load(db, connection).await; }", "all"),
    ] {
        check(parameters, body, &[&format!("`load` runs a query once per element of `{over}`")]);
    }
    check(
        "pools: &[Pair]",
        "for pool in pools { self.load(pool).await; }",
        &["`self.load` runs a query once per element of `pools`"],
    );
    check("pools: &[PgPool]", "for pool in pools { load(pool, 1).await; }", &[]);
    check("all: &[PgPool]", "for it in all { load(it, 1).await; }", &[]);
    check("shards: &[Tenant]", "for shard in shards { load(shard, 1).await; }", &[]);
    check("shards: Shards", "for (id, shard) in shards { load(shard, id).await; }", &[]);
}

#[test]
fn turns_that_wait_are_sorted_or_configured_are_listed() {
    use crate::finding::Tier::{Listed, Shown};
    for (body, expected) in [
        ("for id in ids { load(db, *id).await; tokio::time::sleep(PAUSE).await; }", Listed),
        ("for id in ids { if load(db, *id).await.is_err() { tokio::time::sleep(PAUSE).await; } }", Shown),
        ("for id in &self.config.servers { load(db, *id).await; }", Listed),
        ("for id in &self.servers { load(db, *id).await; }", Shown),
        ("for id in ids { if let Some(it) = load(db, *id).await? { return it; } }", Listed),
        ("for id in ids { if let Some(it) = load(db, *id).await? { found.push(it); } }", Shown),
        ("for id in ids { match id { A(x) => save(db, x).await?, B(x) => write(x)? } }", Listed),
        (
            "for id in ids { match id { A(x) => save(db, x).await?, B(x) => all.lock().await.push(x) } }",
            Listed,
        ),
        ("for id in ids { match id { A(x) => load(db, x).await, B(x) => all.lock().await.push(x) } }", Shown),
        (
            "for id in ids { match id { Some(x) => save(db, x).await?, None => all.lock().await.clear() } }",
            Shown,
        ),
    ] {
        check_tier(body, expected);
    }
    check("for shard in shards { load(shard, 1).await; }", &[]);
}

#[test]
fn what_runs_while_a_service_starts_is_listed() {
    use crate::finding::Tier;
    for (serve, expected) in [
        ("axum::serve(listener, app).await;", Tier::Listed),
        ("HttpServer::new(|| App::new()).bind(address)?.run().await?;", Tier::Listed),
        ("Runner::new(app).run().await?;", Tier::Shown),
        ("", Tier::Shown),
    ] {
        let source = format!(
                "async fn main() {{ set_up(db, &ids).await; {serve} }}
                 async fn set_up(db: &PgPool, ids: &[i64]) {{ for id in ids {{ load(db, *id).await; }} }} {LOAD}"
            );
        let found = findings_in("querying_call_in_loop", &source);
        let found = found.iter().filter(|finding| finding.lint == "querying_call_in_loop");
        assert_eq!(found.map(|finding| finding.tier).collect::<Vec<_>>(), [expected], "{serve}");
    }
}

#[test]
fn writes_that_may_fail_alone_are_listed() {
    use crate::finding::Tier::{Listed, Shown};
    for (body, expected) in [
        ("for id in ids { if let Err(error) = save_both(db, *id).await { warn!(error); } }", Listed),
        ("for id in ids { match save_both(db, *id).await { Ok(_) => n += 1, Err(_) => continue } }", Listed),
        (
            "for id in ids { if let Err(error) = save_both(db, *id).await { return Err(error.into()); } }",
            Shown,
        ),
        ("for id in ids { match save_both(db, *id).await { Ok(_) => {} Err(e) => Err(e)? } }", Shown),
        ("for id in ids { if let Ok(name) = load(db, *id).await { names.push(name); } }", Shown),
        // One row each: they can be written together.
        ("for id in ids { if let Err(error) = save(db, *id).await { warn!(error); } }", Shown),
        // What is done after an error is rare.
        ("for id in ids { if let Err(_) = send(id) { load(db, *id).await; } }", Listed),
        ("for id in ids { let Err(_) = send(id) else { continue }; load(db, *id).await; }", Listed),
        ("for id in ids { let Ok(it) = send(id) else { continue }; load(db, *id).await; }", Shown),
        ("for id in ids { match send(id) { Ok(_) => load(db, *id).await, Err(_) => {} } }", Shown),
    ] {
        check_tier(body, expected);
    }
    check("for id in ids { undo(db, *id).await; }", &[]);
}

#[test]
fn steps_of_a_range_and_what_arrives_are_listed() {
    use crate::finding::Tier::{Listed, Shown};
    for (body, expected) in [
        ("for block in first..=last { load(db, block).await; }", Listed),
        ("for block in (first..last).map(Block) { load(db, block.0).await; }", Listed),
        ("for (from, to) in iter_days(first, last) { load(db, from).await; }", Listed),
        ("for at in 0..ids.len() { load(db, ids[at]).await; }", Shown),
        ("for at in first..last { load(db, ids[at]).await; }", Shown),
        ("for id in days(ids) { load(db, id).await; }", Shown),
        (
            "let mut file = open(id); while let Some(it) = file.next().await { load(db, it.id).await; }",
            Listed,
        ),
        (
            "let mut all = stream::iter(ids); while let Some(id) = all.next().await { load(db, id).await; }",
            Shown,
        ),
        ("while let Some(id) = rest.pop() { load(db, id).await; }", Shown),
        ("while let Some(id) = rest.pop() { rest.push(load(db, id).await); }", Listed),
        ("while let Some(id) = rest.pop() { for n in load(db, id).await { rest.push(n); } }", Shown),
        ("while let Some(id) = rest.pop() { rest.extend(load(db, id).await); }", Shown),
        ("while let Some(id) = rest.pop() { if load(db, id).await.is_err() { rest.push(id); } }", Shown),
    ] {
        check_tier(body, expected);
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
