//! Loops as real code writes them: queries built in pieces, helpers that take closures, calls whose types say
//! what is called, and code that only looks like a loop over data.

use super::tests::findings;

/// Checks the findings in a source whose lines are counted from 1.
#[track_caller]
fn check(source: &str, expected: &[&str]) {
    let source = source.trim_start_matches('\n');
    assert_eq!(findings(source), expected, "{source}");
}

#[test]
fn what_is_read_for_a_map_is_kept_and_what_is_written_is_not() {
    let source = |statement: &str, made: &str| {
        format!(
            "async fn fill(db: &PgPool, known: &mut HashMap<i64, i64>, ids: &[i64]) -> sqlx::Result<()> {{
    for id in ids {{
        let n = match known.get(id) {{
            Some(n) => *n,
            None => {{
                let n = sql_scalar!({statement:?}, id).{made}(db).await?;
                known.insert(*id, n);
                n
            }}
        }};
        println!(\"{{n}}\");
    }}
    Ok(())
}}"
        )
    };
    assert_eq!(findings(&source("SELECT id FROM servers WHERE id = $1", "fetch_one")), [""; 0]);
    let write = "INSERT INTO logs (event_id) VALUES ($1) RETURNING id";
    assert_eq!(findings(&source(write, "fetch_one")), ["row_by_row_write 6"]);
}

#[test]
fn a_text_that_is_put_together_is_a_query_all_the_same() {
    for (text, lint) in [
        (r#"let sql = format!("SELECT name FROM servers {lock} WHERE id = $1");"#, "query_in_loop 4"),
        (r#"let sql = format!("SELECT name FROM {} WHERE id = $1", table);"#, "query_in_loop 4"),
        (r#"let sql = format!("SELECT name FROM servers WHERE id = {id}");"#, "query_in_loop 4"),
        (
            r#"let sql = if lock { "SELECT a FROM t FOR UPDATE" } else { "SELECT a FROM t" };"#,
            "query_in_loop 4",
        ),
        (r#"let sql = match table { "a" => "SELECT a FROM t", _ => "SELECT b FROM t" };"#, "query_in_loop 4"),
        (
            r#"let mut sql = String::from("UPDATE t SET a = 1"); if lock { sql.push_str(" WHERE b"); }"#,
            "row_by_row_write 4",
        ),
        (r#"let sql = "DELETE FROM ".to_owned() + table;"#, "row_by_row_write 4"),
        (r#"let mut sql = "INSERT INTO t (a) VALUES ($1)".to_string(); sql += table;"#, "row_by_row_write 4"),
    ] {
        check(
            &format!(
                "async fn f(db: &PgPool, table: &str, lock: bool, ids: &[i64]) {{\n    for id in ids {{\n        {text}\n        \
                 sqlx::query(&sql).bind(id).fetch_all(db).await;\n    }}\n}}"
            ),
            &[lint],
        );
    }
}

#[test]
fn a_text_for_many_elements_or_for_another_table_each_turn_is_none() {
    for text in [
        r#"let sql = format!("SELECT name FROM servers WHERE id IN ({marks})");"#,
        r#"let sql = format!("INSERT INTO servers (name) VALUES {}", marks);"#,
        r#"let sql = format!("SELECT count(*) FROM {id}");"#,
        r#"let sql = format!("TRUNCATE {id}");"#,
        r#"let mut sql = String::from("SELECT a FROM t WHERE b IN ("); for x in xs { sql.push_str("?,"); }"#,
        r#"let sql = marks.to_string();"#,
    ] {
        check(
            &format!(
                "async fn f(db: &PgPool, marks: &str, xs: &[i64], ids: &[i64]) {{\n    for id in ids {{\n        {text}\n        \
                 sqlx::query(&sql).fetch_all(db).await;\n    }}\n}}"
            ),
            &[],
        );
    }
}

#[test]
fn a_text_of_which_nothing_is_known_runs_once_per_element_where_a_value_is_of_the_element() {
    for (run, expected) in [
        ("sqlx::query(sql).bind(id).execute(db).await;", &["row_by_row_write 3"][..]),
        ("sqlx::query_scalar(sql).bind(id).fetch_one(db).await;", &["query_in_loop 3"]),
        ("sqlx::query(&map[\"a\"]).bind(id).fetch_all(db).await;", &["query_in_loop 3"]),
        ("let text = other(); sqlx::query(&text).bind(id).execute(db).await;", &["row_by_row_write 3"]),
        ("sqlx::query(sql).bind(1).execute(db).await;", &[]),
        ("sqlx::query(&map[id]).bind(id).execute(db).await;", &[]),
        ("sqlx::query(&text_of(id)).bind(id).execute(db).await;", &[]),
        ("let text = id.sql(); sqlx::query(&text).bind(id).execute(db).await;", &[]),
        ("sqlx::query_file!(\"missing.sql\", id).execute(db).await;", &[]),
    ] {
        check(
            &format!(
                "async fn f(db: &PgPool, map: &Map, sql: &str, ids: &[i64]) {{\n    for id in ids {{\n        {run}\n    }}\n}}"
            ),
            expected,
        );
    }
    let texts = "for sql in texts.split(';') { sqlx::query(sql).execute(db).await; }";
    check(&format!("async fn f(db: &PgPool, texts: &str) {{ {texts} }}"), &[]);
}

#[test]
fn a_builder_each_turn_is_a_query_each_turn() {
    let source = |pushes: &str, run: &str| {
        format!(
            "async fn f(db: &PgPool, only: bool, ids: &[i64]) {{\n    for id in ids {{\n        \
             let mut q = sqlx::QueryBuilder::new(\"SELECT id FROM logs WHERE event_id = \");\n        {pushes}\n        {run};\n    }}\n}}"
        )
    };
    let run = "q.build_query_as::<(i64,)>().fetch_all(db).await";
    check(&source("q.push_bind(id);", run), &["query_in_loop 3"]);
    check(
        &source("q.push_bind(id); if only { q.push(\" AND output IS NULL\"); }", run),
        &["query_in_loop 3"],
    );
    check(
        &source("q.push_bind(id).push(\" LIMIT 5\");", "q.build().fetch_one(db).await"),
        &["query_in_loop 3"],
    );
    check(
        &source("let mut list = q.separated(\", \"); for x in id.parts() { list.push_bind(x); }", run),
        &[],
    );
    check(&source("for x in id.parts() { q.push_bind(x); }", run), &[]);
    check(
        r#"
async fn f(db: &PgPool, ids: &[i64]) {
    for chunk in ids.chunks(500) {
        let mut q = sqlx::QueryBuilder::new("INSERT INTO t (a) ");
        q.push_values(chunk, |mut b, id| { b.push_bind(id); });
        q.build().execute(db).await;
    }
}"#,
        &[],
    );
}

#[test]
fn the_crates_own_macros_are_what_they_expand_to() {
    let rules = r#"
macro_rules! run { ($db:expr, $sql:literal $(, $arg:expr)*) => { sqlx::query($sql)$(.bind($arg))*.execute($db).await }; }
macro_rules! name { ($db:expr, $id:expr) => { sqlx::query_scalar("SELECT name FROM servers WHERE id = $1").bind($id).fetch_one($db).await }; }
macro_rules! part { ($db:expr, $t:literal, $id:expr) => { sqlx::query(concat!("UPDATE logs ", $t, " WHERE id = $1")).bind($id).execute($db).await }; }
macro_rules! make { ($sql:literal) => { sqlx::query($sql) }; }
async fn f(db: &PgPool, ids: &[i64]) {
    for id in ids { BODY; }
}"#;
    let body = |code: &str| rules.replace("BODY", code);
    check(&body(r#"run!(db, "DELETE FROM logs WHERE id = $1", id).unwrap()"#), &["row_by_row_write 6"]);
    check(&body(r#"run!(db, "INSERT INTO logs (event_id) VALUES ($1)", id)?"#), &["row_by_row_write 6"]);
    check(&body("let n: String = name!(db, id)?"), &["query_in_loop 6"]);
    check(
        &body(r#"make!("DELETE FROM logs WHERE id = $1").bind(id).execute(db).await?"#),
        &["row_by_row_write 6"],
    );
    check(&body(r#"part!(db, "SET output = ''", id)"#), &["row_by_row_write 6"]);
    check(&body(r#"let q = make!("DELETE FROM logs WHERE id = $1")"#), &[]);
}

#[test]
fn queries_that_are_collected_first_are_run_all_the_same() {
    let make = r#"sqlx::query("DELETE FROM logs WHERE id = $1").bind(id)"#;
    let f =
        |body: &str| format!("async fn f(db: &PgPool, ids: &[i64]) {{\n{}\n}}", body.replace("MAKE", make));
    for body in [
        "let mut qs = vec![]; for id in ids { qs.push(MAKE); } for q in qs { q.execute(db).await; }",
        "let mut qs = Vec::new(); for id in ids { let q = MAKE; qs.push(q); } for (n, q) in qs.into_iter().enumerate() { q.execute(db).await; }",
        "let qs: Vec<_> = ids.iter().map(|id| MAKE).collect(); for q in qs { q.execute(db).await; }",
        "let qs = ids.iter().map(|id| MAKE); join_all(qs.map(|q| q.execute(db))).await;",
        "let mut qs = VecDeque::new(); for id in ids { qs.push_back(MAKE); } while let Some(q) = qs.pop_front() { q.execute(db).await; }",
        "let mut qs = vec![]; for id in ids { qs.push(MAKE); } for q in qs.drain(..) { db.execute(q).await; }",
    ] {
        check(&f(body), &["row_by_row_write 2"]);
    }
    check(&f("let mut qs = vec![]; for id in ids { qs.push(MAKE); } drop(qs);"), &[]);
}

#[test]
fn a_query_that_a_function_is_given_is_run_by_it() {
    let f = |body: &str| {
        format!(
            "async fn f(db: &PgPool, ids: &[i64]) {{\n    for id in ids {{ {body} }}\n}}\nasync fn run(q: Query<'_>, db: &PgPool) {{ q.execute(db).await; }}"
        )
    };
    let make = r#"sqlx::query("DELETE FROM logs WHERE id = $1")"#;
    check(&f(&format!("let q = {make}.bind(id); run(q, db).await;")), &["row_by_row_write 2"]);
    check(&f(&format!("run({make}.bind(id), db).await.unwrap();")), &["row_by_row_write 2"]);
    check(&f(&format!("self.run({make}.bind(id)).await?;")), &["row_by_row_write 2"]);
    check(&f(&format!("let q = with_ids({make}, id); q.execute(db).await?;")), &["row_by_row_write 2"]);
    check(&f(&format!("let q = {make}.bind(id); show(&q);")), &[]);
}

#[test]
fn a_helper_that_calls_its_closure_in_a_loop_is_a_loop() {
    let with = |helper: &str, call: &str| {
        format!(
            "async fn close(db: &PgPool, id: i64) {{ sqlx::query(\"DELETE FROM logs WHERE id = $1\").bind(id).execute(db).await; }}\n\
             async fn all(db: &PgPool, ids: &[i64]) {{\n{call}\n}}\n{helper}"
        )
    };
    let each = "async fn each<F: AsyncFnMut(i64)>(ids: &[i64], mut f: F) { for id in ids { f(*id).await; } }";
    check(&with(each, "each(ids, async |id| { close(db, id).await; }).await;"), &["querying_call_in_loop 3"]);
    check(&with(each, "each(ids, |id| close(db, id)).await;"), &["querying_call_in_loop 3"]);
    check(&with(each, "let run = |id| close(db, id); each(ids, run).await;"), &["querying_call_in_loop 3"]);
    check(
        &with(each, "let mut run = |id| close(db, id); each(ids, &mut run).await;"),
        &["querying_call_in_loop 3"],
    );
    let joined = "async fn each<F>(ids: &[i64], f: F) where F: Fn(i64) -> Fut { join_all(ids.iter().map(|id| f(*id))).await; }";
    check(&with(joined, "each(ids, |id| close(db, id)).await;"), &["querying_call_in_loop 3"]);
    let through = "async fn each(ids: &[i64], f: impl Fn(i64)) { inner(ids, &f).await }\nasync fn inner(ids: &[i64], f: &dyn Fn(i64)) { for id in ids { f(*id).await; } }";
    check(&with(through, "each(ids, |id| close(db, id)).await;"), &["querying_call_in_loop 3"]);
    let of_type = "struct Runner;\nimpl Runner { async fn each<F: Fn(i64)>(&self, ids: &[i64], f: F) { for id in ids { f(*id).await; } } }";
    check(
        &with(of_type, "let r = Runner; r.each(ids, |id| close(db, id)).await;"),
        &["querying_call_in_loop 3"],
    );
    // Runs once, or retries until it succeeds.
    let once =
        "async fn each<F: FnOnce(i64)>(ids: &[i64], f: F) { for id in ids { check(id); } f(1).await; }";
    check(&with(once, "each(ids, |id| close(db, id)).await;"), &[]);
    let retry = "async fn each<F: Fn(i64)>(ids: &[i64], f: F) { for attempt in 0..3 { if f(1).await.is_ok() { return; } } }";
    check(&with(retry, "each(ids, |id| close(db, id)).await;"), &[]);
}

#[test]
fn types_say_who_is_called() {
    let store = r#"
use std::sync::Arc;
pub trait Store { async fn name(&self, id: i64) -> String; }
pub struct Pg { db: PgPool }
impl Store for Pg { async fn name(&self, id: i64) -> String { sqlx::query_scalar("SELECT name FROM servers WHERE id = $1").bind(id).fetch_one(&self.db).await } }
pub struct Inner { pub store: Pg }
"#;
    for code in [
        // The arms of an enum.
        "enum Any { Pg(Pg), No }\nimpl Any { async fn name(&self, id: i64) -> String { match self { Any::Pg(s) => s.name(id).await, Any::No => String::new() } } }\nasync fn f(any: &Any, ids: &[i64]) { for id in ids { any.name(*id).await; } }",
        "enum Any { Pg { store: Arc<Pg> }, No }\nimpl Any { async fn name(&self, id: i64) -> String { match self { Self::Pg { store } => store.name(id).await, _ => String::new() } } }\nasync fn f(any: &Any, ids: &[i64]) { for id in ids { any.name(*id).await; } }",
        "enum Any { Pg(Pg), No }\nstruct App { any: Any }\nasync fn f(app: &App, ids: &[i64]) { if let Any::Pg(s) = &app.any { for id in ids { s.name(*id).await; } } }",
        // What a newtype points to.
        "struct App(Arc<Inner>);\nimpl std::ops::Deref for App { type Target = Inner; fn deref(&self) -> &Inner { &self.0 } }\nasync fn f(app: App, ids: &[i64]) { for id in ids { app.store.name(*id).await; } }",
        "struct Db(Pg);\nimpl Deref for Db { type Target = Pg; fn deref(&self) -> &Pg { &self.0 } }\nasync fn f(db: &Db, ids: &[i64]) { for id in ids { db.name(*id).await; } }",
        "#[derive(derive_more::Deref)] struct Db(Pg);\nasync fn f(db: &Db, ids: &[i64]) { for id in ids { db.name(*id).await; } }",
        // Bounds on the impl or the function alone.
        "struct Service<R> { repo: R }\nimpl<R: Store> Service<R> { async fn f(&self, ids: &[i64]) { for id in ids { self.repo.name(*id).await; } } }\n",
        "struct AppState<R> { repo: Arc<R> }\nasync fn f<R: Store>(State(state): State<AppState<R>>, ids: Vec<i64>) { for id in ids { state.repo.name(id).await; } }\n",
        "struct AppState<R> { repo: Arc<R> }\nasync fn f<R>(State(state): State<Arc<AppState<R>>>, ids: Vec<i64>) where R: Store { for id in ids { state.repo.name(id).await; } }\n",
        // Elements whose type is a parameter.
        "async fn f<S: Store>(stores: &[S]) { for s in stores { s.name(1).await; } }\n\n",
        "async fn f<S>(stores: Vec<S>) where S: Store { join_all(stores.iter().map(|s| s.name(1))).await; }\n\n",
    ] {
        let source = format!("{store}{code}");
        let found = findings(&source);
        assert_eq!(found.len(), 1, "{code}: {found:?}");
        assert!(found[0].starts_with("querying_call_in_loop"), "{code}: {found:?}");
    }
    for code in [
        "async fn f(stores: &[Box<dyn Store>]) { for s in stores { s.name(1).await; } }",
        "async fn f(stores: Vec<Arc<dyn Store>>) { for s in stores.iter() { s.name(1).await; } }",
    ] {
        check(&format!("{store}{code}"), &[]);
    }
}

#[test]
fn what_traits_provide_is_followed() {
    let pg = "struct Pg;\nimpl Store for Pg { async fn put(db: &PgPool, id: i64) { sqlx::query(\"DELETE FROM logs WHERE id = $1\").bind(id).execute(db).await; } }\n";
    for code in [
        "trait Store { async fn put(db: &PgPool, id: i64); }\ntrait Ops: Store { async fn both(db: &PgPool, id: i64) { Self::put(db, id).await; } }\nimpl<T: Store> Ops for T {}\nasync fn f<C: Ops>(db: &PgPool, ids: &[i64]) { for id in ids { C::both(db, *id).await; } }",
        "trait Store { async fn put(db: &PgPool, id: i64); }\ntrait Ops: Store { async fn both(db: &PgPool, id: i64) { Self::put(db, id).await; } }\nimpl<T: Store> Ops for T {}\nasync fn f(db: &PgPool, ids: &[i64]) { for id in ids { Pg::both(db, *id).await; } }",
        "trait Store { async fn put(db: &PgPool, id: i64); }\ntrait Ops { async fn both(db: &PgPool, id: i64); }\nimpl<T: Store> Ops for T { async fn both(db: &PgPool, id: i64) { T::put(db, id).await; } }\nasync fn f(db: &PgPool, ids: &[i64]) { for id in ids { Pg::both(db, *id).await; } }",
        "trait Store { async fn put(db: &PgPool, id: i64); }\ntrait Ops where Self: Store { async fn both(db: &PgPool, id: i64) { Self::put(db, id).await; } }\nimpl Ops for Pg {}\nasync fn f(db: &PgPool, ids: &[i64]) { for id in ids { Pg::both(db, *id).await; } }",
        "trait Store { async fn put(db: &PgPool, id: i64); }\ntrait Ops: Store { async fn both(db: &PgPool, id: i64) { Self::put(db, id).await; } }\nimpl<T> Ops for T where T: Store {}\nasync fn f<S: Store>(db: &PgPool, s: S, ids: &[i64]) { for id in ids { S::both(db, *id).await; } }",
    ] {
        let found = findings(&format!("{pg}{code}"));
        assert_eq!(found, ["querying_call_in_loop 6"], "{code}");
    }
}

#[test]
fn what_gives_one_element_at_most_is_no_loop() {
    let query =
        r#"sqlx::query_scalar("SELECT name FROM servers WHERE id = $1").bind(id).fetch_one(db).await;"#;
    for (parameters, over) in [
        ("filter: &Filter", "filter.id"),
        ("filter: &Filter", "filter.id.iter()"),
        ("filter: Filter", "&filter.id"),
        ("state: State<Arc<Filter>>", "state.id"),
        ("page: Page", "page.filter.id.into_iter()"),
    ] {
        check(
            &format!(
                "struct Filter {{ id: Option<i64>, ids: Vec<i64> }}\nstruct Page {{ filter: Filter }}\nasync fn f(db: &PgPool, {parameters}) {{ for id in {over} {{ {query} }} }}"
            ),
            &[],
        );
    }
    check(&format!("async fn f(db: &PgPool, ids: &[i64]) {{ for id in &ids[..2] {{ {query} }} }}"), &[]);
    check(
        &format!(
            "struct Filter {{ ids: Vec<i64> }}\nasync fn f(db: &PgPool, filter: &Filter) {{ for id in &filter.ids {{ {query} }} }}"
        ),
        &["query_in_loop 2"],
    );
}

#[test]
fn what_is_kept_and_what_waits_is_no_query_each_turn() {
    let read = r#"sqlx::query_scalar("SELECT name FROM servers WHERE id = 1").fetch_one(&self.db).await"#;
    for kept in [
        format!("self.name.get_or_try_init(|| async {{ {read} }}).await"),
        format!("self.name.get_or_init(|| async {{ {read}.unwrap() }}).await.clone()"),
        format!("self.names.try_get_with(1, async {{ {read} }}).await"),
        format!(
            "static NAME: OnceCell<String> = OnceCell::const_new(); NAME.get_or_try_init(|| async {{ {read} }}).await"
        ),
        format!("let name = self.name.get_or_try_init(|| async {{ {read} }}).await?; Ok(name.clone())"),
    ] {
        check(
            &format!(
                "impl App {{\n    async fn name(&self) -> R {{ {kept} }}\n    async fn f(&self, ids: &[i64]) {{ for id in ids {{ self.name().await; }} }}\n}}"
            ),
            &[],
        );
    }
    let worker = r#"async fn worker(db: PgPool) { loop { let job = sqlx::query("DELETE FROM logs WHERE id = 1").execute(&db).await; tokio::time::sleep(SECOND).await; } }"#;
    for start in [
        "for _ in 0..workers { tokio::spawn(worker(db.clone())); }",
        "(0..workers).map(|_| tokio::spawn(worker(db.clone()))).collect()",
        "for n in ns { let db = db.clone(); set.spawn(async move { worker(db).await }); }",
        "for n in ns { start_one(db.clone()); }",
        "for n in ns { handles.push(tokio::spawn(worker(db.clone()))); }",
    ] {
        check(
            &format!(
                "fn start(db: &PgPool, workers: usize, ns: &[i64]) {{ {start} }}\nfn start_one(db: PgPool) {{ tokio::spawn(worker(db)); }}\n{worker}"
            ),
            &[],
        );
    }
}
