//! How many queries a function runs.

use super::*;
use crate::rust::{Limit, Upper, scan_function};

/// Checks the bound of `f`; `None` stands for no upper bound. `Q` in the code stands for a query.
#[track_caller]
pub(super) fn check(code: &str, lower: u64, upper: Option<u64>) {
    let scan = body(&code.replace('Q', "sql!(\"SELECT 1\").fetch_all(db).await"));
    check_bound(&scan, "f", lower, upper);
}

#[track_caller]
pub(super) fn check_bound(scan: &Scan, path: &str, lower: u64, upper: Option<u64>) {
    let bound = &function(scan, path).bound;
    let most = match &bound.upper {
        Upper::Finite(most) => Some(*most),
        Upper::Unbounded { .. } => None,
    };
    assert_eq!((bound.lower, most), (lower, upper), "{bound:#?}");
}

#[test]
fn statements_add() {
    check("Q; Q; let a = (Q, Q);", 4, Some(4));
}

#[test]
fn branches_take_the_least_and_the_most() {
    check("if a { Q; Q; } else { Q; }", 1, Some(2));
    check("if a { Q; }", 0, Some(1));
    check("match a { 1 => { Q; } 2 => { Q; Q; Q; } _ => {} }", 0, Some(3));
    check("let x = a && Q.is_ok();", 0, Some(1));
}

#[test]
fn a_method_named_like_one_of_iterators_is_called_where_it_is_given_a_value() {
    let of = |body: &str| {
        scanned(&format!(
            "struct R; impl R {{ async fn all(&self, ids: &[i64]) {{ sql!(\"SELECT 1\").fetch_all(db).await; }} }}
             async fn f(r: &R, ids: &[i64]) {{ {body} }}"
        ))
    };
    check_bound(&of("r.all(ids).await"), "f", 1, Some(1));
    check_bound(&of("let own = ids.to_vec(); r.all(&own).await"), "f", 1, Some(1));
    let one = "impl R { async fn find(&self, id: i64) { sql!(\"SELECT 1\").fetch_one(db).await; } }";
    let of = |ids: &str, body: &str| {
        scanned(&format!(
            "struct R; {one} type Load = fn(i64); async fn f(r: &R, ids: {ids}, load: Load) {{ {body} }}"
        ))
    };
    check_bound(&of("Vec<i64>", "for id in ids { r.find(id).await; }"), "f", 0, None);
    check_bound(&of("&Unknown", "for id in ids.all() { r.find(id).await; }"), "f", 0, None);
}

#[test]
fn what_is_in_an_option_may_be_long() {
    let with = |arguments: &str, code: &str| {
        let code = code.replace('Q', "sql!(\"SELECT 1\").fetch_all(db).await");
        scanned(&format!(
            "use query_budget::*;\nasync fn f(db: &PgPool, xs: Vec<i64>, {arguments}) -> Result<()> {{\n{code}\n}}"
        ))
    };
    let (many, one) = ("o: Option<Vec<i64>>", "a: Option<i64>, b: Option<i64>");
    check_bound(&with(many, "for x in o.into_iter().flatten() { Q; }"), "f", 0, None);
    check_bound(&with(many, "for x in o? { Q; }"), "f", 0, None);
    check_bound(&with(many, "for x in o { Q; }"), "f", 0, Some(1));
    check_bound(&with(one, "for x in [a, b].into_iter().flatten() { Q; }"), "f", 0, Some(2));
    check_bound(&with(one, "for x in a.into_iter().chain(b) { Q; }"), "f", 0, Some(2));
    check_bound(&with(one, "for x in a.into_iter().chain(xs) { Q; }"), "f", 0, None);
    check_bound(&with(one, "for x in std::iter::once(1).chain(xs) { Q; }"), "f", 0, None);
    check_bound(&with(many, "for x in std::iter::once(xs).flatten() { Q; }"), "f", 0, None);
    check_bound(&with(one, "for x in std::iter::once(a).flatten() { Q; }"), "f", 0, Some(1));
    check_bound(&with(one, "for x in page.find(Name(\"a\")) { Q; }"), "f", 0, None);
    check_bound(&with(one, "for x in xs.iter().find(|x| x.ok()) { Q; }"), "f", 0, Some(1));
    check_bound(&with(one, "for (x, y) in [1, 2].iter().zip(xs) { Q; }"), "f", 0, Some(2));
}

#[test]
fn an_error_may_end_it_early() {
    check("Q?; Q?; Q?;", 1, Some(3));
    check("check()?; Q?;", 0, Some(1));
}

#[test]
fn an_early_return_is_not_added_to_what_follows() {
    check("if a { Q; return Ok(()); } Q; Q;", 1, Some(2));
    check("let Some(x) = y else { Q; return Ok(()); }; Q; Q;", 1, Some(2));
    check("if a { bail!(\"no\"); } Q;", 0, Some(1));
}

#[test]
fn loops_multiply_or_are_unbounded() {
    check("for _ in 0..3 { Q; Q; }", 6, Some(6));
    check("for x in &xs { Q; }", 0, None);
    check("for x in &xs { go(x); } Q;", 1, Some(1));
    check("for _ in 0..3 { if a { Q; } }", 0, Some(3));
    check("for _ in 0..3 { Q.await?; }", 1, Some(3));
    check("for _ in 0..3 { Q; if a { Q; Q; break; } }", 3, Some(5));
    check("for _ in 0..1 { Q; if a { return; } }", 1, Some(1));
    check("for _ in 0..3 { for y in [a, b] { Q; } }", 6, Some(6));
}

#[test]
fn a_query_that_ends_the_loop_counts_once() {
    check("for x in &xs { if x.ok { Q; break; } }", 0, Some(1));
    check("for x in &xs { if x.ok { Q; return Ok(()); } } Q;", 1, Some(1));
    check("loop { Q; break; }", 1, Some(1));
}

#[test]
fn closures_and_async_blocks_count_once_and_keep_their_ways_out() {
    // A task does not belong to the scope that spawns it, unless it is attached.
    check("tokio::spawn(async move { Q?; return Ok(()); }); Q;", 1, Some(2));
    check("let load = async |id| Q; load(1).await; if a { load(2).await; }", 1, Some(2));
    check("db.transaction(|tx| async { Q }).await;", 1, Some(1));
    check("maybe.map(|x| async { Q });", 0, Some(1));
}

/// Checks which calls of `f` are reported as unknown.
#[track_caller]
fn check_unknown(source: &str, expected: &[&str]) {
    let scan = scanned(source);
    let unknown: Vec<&str> =
        function(&scan, "f").bound.unknown.iter().map(|step| step.what.as_str()).collect();
    assert_eq!(unknown, expected, "{source}");
}

#[test]
fn a_closure_that_nobody_is_known_to_call_once_is_no_bound() {
    let given = |code: &str| {
        format!(
            "async fn load(id: i64) {{ sql!(\"SELECT 1\"); }} async fn f(db: &Db, ids: &[i64]) {{ {code} }}"
        )
    };
    check_unknown(&given("db.visit(ids, |id| load(id));"), &["closure passed to visit"]);
    check_unknown(&given("elsewhere::visit(ids, load);"), &["closure passed to visit"]);
    check_unknown(&given("let run = |id| load(id); visit(ids, &run);"), &["closure passed to visit"]);
    check_unknown(&given("Runner { run: Box::new(|id| load(id)) };"), &["code in the field `run`"]);
    check_unknown(&given("let all = [|id| load(id)]; all"), &["closure that is kept"]);
    check_unknown(&given("let run = |id| load(id); keep(Some(run));"), &["closure passed to keep"]);
    check_unknown(&given("rows.map(|id| load(id));"), &["closure passed to map"]);
    // It contains no query, or is called at most once.
    check_unknown(&given("db.visit(ids, |id| id + 1);"), &[]);
    check_unknown(&given("span.in_scope(|| load(1)); Some(1).map(load);"), &[]);
    // A helper of the workspace that stores its argument, whatever its name.
    let named = "async fn transaction(f: impl Fn(i64)) { HOOKS.lock().push(Box::new(f)); }";
    check_unknown(
        &format!("{} {named}", given("transaction(|id| load(id)).await;")),
        &["closure passed to transaction"],
    );
    let kept = "async fn keep(f: impl Fn(i64)) { HOOKS.lock().push(Box::new(f)); }";
    check_unknown(&format!("{} {kept}", given("keep(|id| load(id)).await;")), &["closure passed to keep"]);
    let passed = "async fn keep(f: impl Fn(i64)) { other_crate::visit(|id| f(id)); }";
    check_unknown(&format!("{} {passed}", given("keep(|id| load(id)).await;")), &["closure passed to keep"]);
}

#[test]
fn a_helper_of_the_workspace_calls_its_closure_as_often_as_it_says() {
    let with = |helper: &str| {
        scanned(&format!(
            "async fn f(ids: &[i64]) {{ each(ids, |id| async move {{ sql!(\"SELECT 1\"); }}).await; }} {helper}"
        ))
    };
    check_bound(
        &with("async fn each(ids: &[i64], g: impl Fn(i64)) { for id in ids { g(*id).await; } }"),
        "f",
        0,
        None,
    );
    check_bound(
        &with("async fn each(ids: &[i64], g: impl Fn(i64)) { g(1).await; g(2).await; }"),
        "f",
        2,
        Some(2),
    );
    check_bound(
        &with(
            "async fn each(ids: &[i64], g: impl Fn(i64)) { let h = &g; for id in ids { (h)(*id).await; } }",
        ),
        "f",
        0,
        None,
    );
    check_bound(
        &with("async fn each(ids: &[i64], g: impl Fn(i64)) { join_all(ids.iter().map(g)).await; }"),
        "f",
        0,
        None,
    );
}

#[test]
fn what_a_macro_of_the_file_runs_is_what_its_rules_run() {
    check_unknown(
        "macro_rules! go { ($s:expr) => { $s.one().await }; } async fn f(s: &S) { go!(s); }",
        &["s.one"],
    );
    check_unknown(
        "macro_rules! go { (once $s:expr) => { $s.one().await }; } async fn f(s: &S) { go!(s); }",
        &["go!"],
    );
    check_unknown(
        "macro_rules! add { ($s:expr) => { $s + 1 }; } async fn f(s: &S) { add!(s); sql!(\"SELECT 1\"); }",
        &[],
    );
}

#[test]
fn calls_in_the_file_are_followed() {
    let scan = scanned(
        "async fn f() { g().await; Store::h().await; m::k().await; }
         async fn g() { sql!(\"SELECT 1\"); }
         impl Store {
             async fn h() { Self::i().await; }
             async fn i() { sql!(\"SELECT 1\"); sql!(\"SELECT 1\"); }
             async fn j(&self) { self.i().await; self.unknown().await; }
         }
         mod m { pub async fn k() { super::g().await; } }",
    );
    check_bound(&scan, "f", 4, Some(4));
    check_bound(&scan, "Store::j", 2, Some(2));
    let unknown: Vec<&str> =
        function(&scan, "Store::j").bound.unknown.iter().map(|step| step.what.as_str()).collect();
    assert_eq!(unknown, ["self.unknown"]);
}

#[test]
fn a_call_in_a_loop_over_a_function_that_queries_is_unbounded() {
    let scan = scanned(
        "async fn f(xs: &[i64]) { for x in xs { g(x).await; } } async fn g(x: &i64) { sql!(\"SELECT 1\"); }",
    );
    check_bound(&scan, "f", 0, None);
    let Upper::Unbounded { why, place } = &function(&scan, "f").bound.upper else { panic!("bounded") };
    assert_eq!((why.as_str(), place.line), ("runs a query once per element of `xs`", 1));
}

#[test]
fn a_budgeted_callee_counts_as_its_budget() {
    let scan = scanned(
        "async fn f() { g().await; }
         #[query_budget(max = 5)] async fn g(xs: &[i64]) { for x in xs { sql!(\"SELECT 1\"); } }",
    );
    check_bound(&scan, "f", 0, Some(5));
}

#[test]
fn a_function_that_calls_itself_is_unbounded() {
    let scan = scanned("async fn f(n: i64) { sql!(\"SELECT 1\"); if n > 0 { f(n - 1).await; } }");
    check_bound(&scan, "f", 1, None);
    let scan = scanned("async fn f() { g().await; } async fn g() { sql!(\"SELECT 1\"); f().await; }");
    check_bound(&scan, "f", 1, None);
    check_bound(&scan, "g", 1, None);
}

#[test]
fn the_path_is_told() {
    let scan = body(
        "sql!(\"SELECT 1\").fetch_all(db).await;\nfor event in &events {\n    if event.ok {\n        sql!(\"SELECT 1\").execute(db).await;\n    }\n}",
    );
    let bound = &function(&scan, "f").bound;
    assert_eq!(bound.path(), "1 at line 3, and 1 × each element of `&events` (loop at line 4) at line 6");
}

#[test]
fn unknown_calls_are_those_that_are_awaited() {
    let scan = body("format(x); load(db).await?; tokio::time::sleep(d).await; store.save(db).await?;");
    let unknown: Vec<&str> =
        function(&scan, "f").bound.unknown.iter().map(|step| step.what.as_str()).collect();
    assert_eq!(unknown, ["load", "store.save"]);
}

#[test]
fn budgets_are_read() {
    let scan = scanned(
        "#[query_budget(max = 3, rows = 50, time = \"50ms\")] fn a() {}
         #[query_budget::query_budget(max = 1 + ids.len())] fn b(ids: &[i64]) {}
         impl T { #[query_budget(max = 0)] fn c(&self) {} }
         trait U { #[query_budget(max = 1)] fn d(&self); }",
    );
    let budget = |path: &str| function(&scan, path).budget.clone().expect("a budget");
    assert_eq!(budget("a").max, Some(Limit::Literal(3)));
    assert_eq!((budget("a").rows, budget("a").time), (Some(Limit::Literal(50)), Some("50ms".to_owned())));
    assert_eq!(budget("b").max, Some(Limit::Expression("1 + ids.len()".to_owned())));
    assert_eq!(budget("T::c").max, Some(Limit::Literal(0)));
    assert!(!function(&scan, "U::d").has_body);
}

#[test]
fn a_function_alone_is_read_from_its_tokens() {
    let source = "pub async fn list(&self, ids: &[i64]) { query_as!(T, \"SELECT 1\").fetch_all(db).await; for id in ids { query(\"SELECT 2\"); } fn inner() { sql!(\"SELECT 3\"); } }";
    let scanned = scan_function("src/lib.rs", source.parse().expect("tokens"), false).expect("a function");
    assert_eq!(&*scanned.function.path, "list");
    assert_eq!(scanned.sites.len(), 3);
    assert!(matches!(scanned.function.bound.upper, Upper::Unbounded { .. }));
    let declared =
        scan_function("src/lib.rs", "fn list(&self);".parse().expect("tokens"), false).expect("a function");
    assert!(!declared.function.has_body);
    let error = scan_function("src/lib.rs", "struct S;".parse().expect("tokens"), false);
    assert!(error.is_err());
}

#[test]
fn a_closure_counts_as_often_as_a_helper_calls_it() {
    let helpers = "async fn each<F: Fn(i64)>(ids: &[i64], f: F) { for id in ids { f(*id).await; } }
         async fn twice(f: impl Fn()) { f().await; f().await; }
         async fn passes_on<F: Fn(i64)>(ids: &[i64], f: F) { each(ids, f).await; }
         fn keeps<F: Fn()>(f: F) { store.push(f); }";
    let check = |call: &str, lower, upper| {
        let scan = scanned(&format!("{helpers} async fn f(ids: &[i64]) {{ {call} }}"));
        check_bound(&scan, "f", lower, upper);
    };
    check("each(ids, |id| async move { sql!(\"SELECT 1\").execute(db).await }).await;", 0, None);
    check("passes_on(ids, |id| async move { sql!(\"SELECT 1\").execute(db).await }).await;", 0, None);
    check("twice(|| async { sql!(\"SELECT 1\").execute(db).await }).await;", 2, Some(2));
    check("let one = || async { sql!(\"SELECT 1\") }; twice(one).await;", 2, Some(2));
}

#[test]
fn a_number_of_turns_that_is_only_the_most_is_no_lower_bound() {
    let check = |over: &str, upper| {
        let body = format!(
            "async fn f(ids: &[i64], o: Option<i64>) {{ for id in {over} {{ sql!(\"SELECT 1\"); }} }}"
        );
        check_bound(&scanned(&body), "f", 0, upper);
    };
    check("ids.iter().take(3)", Some(3));
    check("(0..7).filter(|x| odd(x))", Some(7));
    check("o", Some(1));
}

#[test]
fn statements_of_the_session_count_as_any_other() {
    let scan = scanned(
        "async fn f(n: u8) { sqlx::query(\"SET x = 1\").execute(db).await; if n > 0 { f(n - 1).await; } }
         async fn g() { sqlx::query(\"BEGIN\").execute(db).await; } async fn h() { g().await; g().await; }",
    );
    check_bound(&scan, "f", 1, None);
    check_bound(&scan, "h", 2, Some(2));
}

#[test]
fn a_closure_behind_a_reference_or_pointer_counts_as_often_as_a_helper_calls_it() {
    let one = "async fn f(ids: &[i64]) { let run = |id| block_on(sql!(\"SELECT 1\").execute(db)); each(ids, GIVEN); }";
    for (helper, given) in [
        (
            "f: &mut dyn FnMut(i64)) { for id in ids { f(*id); }",
            "&mut |id| block_on(sql!(\"SELECT 1\").execute(db))",
        ),
        ("f: &mut dyn FnMut(i64)) { for id in ids { (*f)(*id); }", "&mut run"),
        ("f: Box<dyn Fn(i64)>) { for id in ids { f.as_ref()(*id); }", "Box::new(run)"),
        (
            "f: Callback) { for id in ids { f(*id); }",
            "Arc::new(|id| block_on(sql!(\"SELECT 1\").execute(db)))",
        ),
        (
            "f: &dyn Fn(i64)) { ids.iter().for_each(|id| (f)(*id));",
            "&|id| block_on(sql!(\"SELECT 1\").execute(db))",
        ),
        ("f: &mut dyn FnMut(&i64)) { ids.iter().for_each(&mut *f);", "&mut run"),
        ("mut f: impl FnMut(i64)) { for id in ids { FnMut::call_mut(&mut f, (*id,)); }", "run"),
        ("f: Option<Callback>) { if let Some(f) = f { for id in ids { f(*id); } }", "Some(Box::new(run))"),
    ] {
        let source = format!("fn each(ids: &[i64], {helper} }} {}", one.replace("GIVEN", given));
        check_bound(&scanned(&source), "f", 0, None);
    }
    check_bound(
        &scanned("async fn f() { (async || sql!(\"SELECT 1\").execute(db).await)().await; }"),
        "f",
        1,
        Some(1),
    );
}

#[test]
fn what_extends_a_closure_may_call_it_any_number_of_times() {
    let load = "async fn load(id: i64) { sql!(\"SELECT 1\").fetch_one(db).await }";
    for (call, unknown) in [
        ("(|| load(1)).retry(policy).await;", &["closure that is kept", "(|| load(1)).retry"][..]),
        ("load.retry(policy).sleep(wait).await;", &["function passed to retry"]),
        ("Retry::spawn(policy, || load(1)).await;", &["closure passed to spawn"]),
        ("tokio_retry::RetryIf::spawn(policy, || load(1), is_transient);", &["closure passed to spawn"]),
    ] {
        let scan = scanned(&format!("async fn f() {{ {call} }} {load}"));
        let bound = &function(&scan, "f").bound;
        let mut found: Vec<&str> = bound.unknown.iter().map(|step| step.what.as_str()).collect();
        found.sort_unstable();
        let mut unknown = unknown.to_vec();
        unknown.sort_unstable();
        assert_eq!((found, bound.lower), (unknown, 0), "{call}");
    }
}
