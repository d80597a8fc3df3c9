//! Calls of code that a function is given: its own bound is open, and that of a caller is what it passes.

use super::*;

/// The calls of `f` beyond its bound: of functions that are unknown, and of its own parameters.
#[track_caller]
fn open(source: &str) -> Vec<String> {
    let scan = scanned(source);
    function(&scan, "f").bound.open().map(|step| step.what.clone()).collect()
}

#[test]
fn a_function_that_calls_what_it_is_given_has_an_open_bound() {
    for given in [
        "load: impl Fn(i64) -> BoxFuture<'static, ()>",
        "load: &dyn Fn(i64) -> Fut",
        "load: impl AsyncFn(i64)",
        "load: fn(i64) -> BoxFuture<'static, ()>",
        "load: Option<Load>",
    ] {
        let call = if given.contains("Option") {
            "if let Some(load) = load { load(1).await; }"
        } else {
            "load(1).await;"
        };
        let source = format!(
            "type Load = Box<dyn Fn(i64) -> BoxFuture<'static, ()>>; async fn f({given}) {{ {call} }}"
        );
        assert_eq!(open(&source), ["load"], "{given}");
    }
    assert_eq!(
        open("async fn f<F, R>(load: F) where F: Fn(i64) -> R, R: Future<Output = ()> { load(1).await; }"),
        ["load"]
    );
    // What gives a value waits for nothing.
    assert!(open("async fn f(name: impl Fn(i64) -> String, id: i64) { name(id); load(id).await; } async fn load(id: i64) {}").is_empty());
}

#[test]
fn a_caller_runs_what_it_passes() {
    let helper =
        "async fn each(load: impl Fn(i64) -> BoxFuture<'static, ()>) { load(1).await; load(2).await; }";
    let run = "|id| Box::pin(async move { sql!(\"SELECT 1\").execute(db).await; })";
    let scan = scanned(&format!("{helper} async fn f() {{ each({run}).await; }}"));
    bounds::check_bound(&scan, "f", 2, Some(2));
    assert!(!function(&scan, "f").bound.is_open());
    // What it passes may be anything.
    assert_eq!(open(&format!("{helper} async fn f(s: &S) {{ each(s.load.clone()).await; }}")), ["each"]);
    assert_eq!(
        open(&format!("{helper} async fn f(load: impl AsyncFn(i64)) {{ each(load).await; }}")),
        ["load"]
    );
    assert!(open(&format!("{helper} async fn f() {{ each(|id| ready(id)).await; }}")).is_empty());
}

#[test]
fn a_closure_that_nothing_names_never_runs() {
    bounds::check("let spare = async |id: i64| Q; Q;", 1, Some(1));
    bounds::check("let later = async |id: i64| Q; later(1).await; Q;", 2, Some(2));
    // It is passed to what is not known.
    let scan = body("let later = async |id: i64| sql!(\"SELECT 1\").execute(db).await; keep(later).await;");
    assert!(function(&scan, "f").bound.is_open());
}
