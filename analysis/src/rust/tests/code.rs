//! Code that is a value: in variables, elements and fields, or given by a call.

use super::bounds::check_bound;
use super::*;
use crate::rust::lex::relevant::relevant;

/// A struct that keeps code in several ways.
const APP: &str =
    "struct App { one: Option<Hook>, all: Vec<Hook>, by_name: HashMap<String, Hook>, load: Hook }";

/// A function that queries once.
const ONE: &str = "async fn one(id: i64) { sqlx::query!(\"SELECT 1\").execute(db).await; }";

/// Scans what is left of a source once what reaches no query is left out.
#[track_caller]
fn left(source: &str) -> Scan {
    scanned(&relevant(&[source]).remove(0))
}

/// Checks the unknown calls of `f`.
#[track_caller]
fn check_unknown(source: &str, expected: &[&str]) {
    let scan = left(source);
    let path = scan.functions.iter().find(|it| it.name == "f").map(|it| it.path.clone()).expect("f");
    let unknown: Vec<&str> =
        function(&scan, &path).bound.unknown.iter().map(|step| step.what.as_str()).collect();
    assert_eq!(unknown, expected, "{source}");
}

#[test]
fn code_in_variables_and_elements_is_an_unknown_call() {
    for (body, call) in [
        ("for hook in &self.all { hook(1).await; }", "hook"),
        ("for (_, hook) in self.by_name.iter() { hook(1).await; }", "hook"),
        ("if let Some(hook) = self.by_name.get(name) { hook(1).await; }", "hook"),
        ("while let Some(job) = self.all.pop() { job(1).await; }", "job"),
        ("let hook = &self.by_name[name]; hook(1).await;", "hook"),
        ("let hook = find(name)?; hook(1).await;", "hook"),
        ("let hook = { let name = name.trim(); find(name) }; hook(1).await;", "hook"),
        (
            "let Some((_, hook)) = HOOKS.iter().find(|(it, _)| it == name) else { return }; hook(1).await;",
            "hook",
        ),
        ("match task { Task::Run(run) => run(1).await, Task::Skip => {} }", "run"),
        ("match task { Task::Run { run, .. } => run(1).await, Task::Skip => {} }", "run"),
        ("self.by_name[name](1).await", "self.by_name[name]"),
        ("find(name).unwrap()(1).await", "find(name).unwrap()"),
        ("find(name)?(1).await", "find(name)?"),
        ("join_all(self.all.iter().map(|hook| hook(1))).await", "hook"),
        ("let hook = self.all.first(); let next = hook.unwrap()(1); next.await", "hook.unwrap()"),
        ("let next = self.all[0](1); next.await", "self.all[0]"),
        ("timeout(limit, self.all[0](1)).await", "self.all[0]"),
    ] {
        let source = format!(
            "use sqlx::query; {APP} impl App {{ async fn f(&self, name: &str, task: &Task) {{ {body} }} }}"
        );
        check_unknown(&source, &[call]);
    }
}

#[test]
fn who_calls_what_calls_unknown_code_calls_it_as_well() {
    let source = format!(
        "use sqlx::query; {APP} impl App {{ async fn fire(&self) {{ for hook in &self.all {{ hook(1).await; }} }} }} async fn f(app: &App) {{ app.fire().await; }}"
    );
    check_unknown(&source, &["app.fire"]);
}

#[test]
fn functions_and_closures_are_no_unknown_code() {
    for body in [
        "let name = name(1); other(name)",
        "let add = |a| a + 1; add(2); log().await;",
        "let add = Box::new(move |a| a + 1); add(2); log().await;",
        "if let Some(user) = user(1) { log(user).await; }",
        "for id in ids(1) { log(id).await; }",
        "{ let user = 1; } user(2).await;",
    ] {
        let source = format!("async fn f(xs: &[i64]) {{ {body} }}");
        let left = relevant(&[&source]).remove(0);
        assert!(!left.contains(body), "{source}");
    }
    // Without `.await`, code that is not async and gets no connection is a plain value.
    check_unknown(
        "use sqlx::query; fn f(t: &Table) -> i64 { let add = t.rules[0]; add(1) + t.rules[1](2) }",
        &[],
    );
    check_unknown("use sqlx::query; fn f(t: &Table, db: &PgPool) { t.rules[1](db) }", &["t.rules[1]"]);
}

#[test]
fn code_that_is_taken_out_of_a_field_is_that_of_the_field() {
    let of = |body: &str| {
        left(&format!(
            "use sqlx::query; {APP} {ONE} fn new() -> App {{ App {{ one: Some(Box::new(|id| one(id))), load: Box::new(move |id| Box::pin(async move {{ one(id).await; one(id).await }})) }} }}
             impl App {{ async fn f(&self, ids: &[i64]) {{ {body} }} }}"
        ))
    };
    for (body, upper) in [
        ("if let Some(hook) = &self.one { hook(1).await; }", Some(1)),
        ("let Some(hook) = self.one.as_ref() else { return }; hook(1).await", Some(1)),
        ("let load = self.load.clone(); load(1).await", Some(2)),
        ("let load = &self.load; for id in ids { load(*id).await }", None),
        ("let App { load, .. } = self; load(1).await", Some(2)),
        ("let next = (self.load)(1); next.await", Some(2)),
        ("timeout(limit, (self.load)(1)).await", Some(2)),
        ("join_all(ids.iter().map(|id| (self.load)(*id))).await", None),
    ] {
        let scan = of(body);
        check_bound(&scan, "App::f", 0, upper);
        assert!(!function(&scan, "App::f").bound.unknown.is_empty(), "{body}");
    }
    let scan = left(
        "use rusqlite::*; struct Hook { on: fn(&Connection) } fn mark(conn: &Connection) { conn.execute(\"UPDATE t SET a = 1\", []); }
         fn new() -> Hook { Hook { on: |conn| mark(conn) } } impl Hook { fn f(&self, conn: &Connection) { (self.on)(conn); } }",
    );
    check_bound(&scan, "Hook::f", 0, Some(1));
}
