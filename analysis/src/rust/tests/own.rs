//! Methods of the project that are called like those of libraries, functions in variables, and types by other names.

use super::bounds::check_bound;
use super::*;

const QUERY: &str = "sql!(\"SELECT 1\").fetch_one(db).await";

/// Checks the bound of `f(repo: &Repo, ids: &[i64])` with this body; `Repo` has these methods, in which `Q` stands for a query.
#[track_caller]
fn check(methods: &str, body: &str, lower: u64, upper: Option<u64>) {
    let source = format!(
        "use query_budget::*; pub struct Repo; impl Repo {{ {methods} }} struct App {{ repo: Repo }}
         async fn one(id: i64) {{ Q; }} async fn f(repo: &Repo, app: &App, ids: &[i64]) {{ {body} }}"
    );
    check_bound(&scanned(&source.replace("Q;", &format!("{QUERY};"))), "f", lower, upper);
}

#[test]
fn a_call_of_a_ubiquitous_name_is_followed_wherever_it_is_awaited() {
    let methods = "async fn get(&self, id: i64) { Q; } async fn count(&self) { Q; } async fn insert(&self, a: i64) { Q; }";
    for (body, lower, upper) in [
        ("tokio::try_join!(repo.get(1), app.repo.get(2), repo.count());", 1, Some(3)),
        ("tokio::join!(repo.get(1), app.repo.get(2), repo.count());", 3, Some(3)),
        ("join_all(ids.iter().map(|id| repo.get(*id))).await;", 0, None),
        ("let mut s = FuturesUnordered::new(); for id in ids { s.push(repo.get(*id)); }", 0, None),
        ("timeout(d, repo.get(1)).await;", 0, Some(1)),
        ("Box::pin(repo.count()).await;", 0, Some(1)),
        ("let n = repo.count(); n.await;", 0, Some(1)),
        ("repo.count().instrument(span).await;", 0, Some(1)),
        ("let map = HashMap::new(); map.insert(1, 2); map.get(&1); ids.first();", 0, Some(0)),
    ] {
        check(methods, body, lower, upper);
    }
    let scan = scanned(
        "use rusqlite::Connection; struct S(Connection);
         impl S { fn get(&self, id: i64) -> Result<i64> { self.0.query_row(\"SELECT 1\", [], |r| r.get(0)) } }
         fn f(s: &S) { s.get(1)?; s.get(2)?; } fn g(s: &S, ids: &[i64]) { for id in ids { s.get(*id)?; } }",
    );
    check_bound(&scan, "f", 1, Some(2));
    check_bound(&scan, "g", 0, None);
}

#[test]
fn what_an_own_method_gives_may_be_many() {
    for (methods, over, expected) in [
        ("fn find(&self, w: &str) -> Vec<i64> { v }", "repo.find(w)", None),
        ("fn get(&self, w: &str) -> impl Iterator<Item = i64> { v }", "repo.get(w)", None),
        ("fn last(&self, n: usize) -> Rows { v }", "repo.last(5)", None),
        ("fn find(&self, w: &str) -> Option<i64> { v }", "repo.find(w)", Some(1)),
        ("fn find(&self, w: &str) -> Vec<i64> { v }", "unknown.find(w)", None),
        ("fn find(&self, w: &str) -> Option<i64> { v }", "unknown.find(w)", Some(1)),
    ] {
        check(methods, &format!("for id in {over} {{ one(id).await; }}"), 0, expected);
    }
}

#[test]
fn an_own_method_runs_its_closure_as_often_as_it_says() {
    let each = "async fn for_each(&self, f: impl Fn(i64)) { f(1).await; }";
    check(each, "repo.for_each(|id| one(id)).await;", 0, Some(1));
    let many = "async fn or_else(&self, f: impl Fn(i64)) { for id in self.ids() { f(id).await; } }";
    check(many, "repo.or_else(|id| one(id)).await;", 0, None);
    let spawns = "async fn spawn_each(&self, f: impl Fn(i64)) { for id in 0..8 { tokio::spawn(f(id)); } }";
    check(spawns, "repo.spawn_each(|id| one(id)).await;", 0, Some(8));
    check("", "tokio::spawn(async move { one(1).await }); spawn_blocking(|| one(2));", 0, Some(2));
}

#[test]
fn a_value_that_is_given_is_no_closure() {
    let methods = "async fn any(&self, id: i64) { Q; } async fn get_with(&self, id: i64, tags: &str) { Q; } async fn pin(id: i64) { Q; }";
    check(methods, "let id = parse(s); repo.any(id).await; repo.any(id).await;", 2, Some(2));
    check(methods, "let Req { ids, .. } = req; repo.any(ids).await;", 1, Some(1));
    check(methods, "repo.get_with(id, \"tags\").await;", 1, Some(1));
    check(methods, "cache.get_with(id, async { one(id).await }).await;", 0, Some(1));
    check(methods, "Repo::pin(1).await; Box::pin(one(1)).await;", 1, Some(2));
}

#[test]
fn functions_in_variables_are_followed() {
    check("async fn all(id: i64) { Q; Q; }", "let load = one; load(1).await; load(2).await;", 2, Some(2));
    check(
        "async fn all(id: i64) { Q; Q; }",
        "let load = Repo::all; for id in ids { load(*id).await; }",
        0,
        None,
    );
    check(
        "async fn all(id: i64) { Q; Q; }",
        "let load = if c { one } else { Repo::all }; load(1).await;",
        1,
        Some(2),
    );
    check(
        "",
        "let save = |id: i64| async move { one(id).await }; let again = &save; again(1).await; save(2).await;",
        2,
        Some(2),
    );
    check("", "let mut load = one; load = two; load(1).await;", 0, Some(0));
    check("", "let mut f: F = Box::new(|id| one(id)); f = Box::new(|id| other(id)); f(1).await;", 0, Some(1));
    check("", "for run in [one, one] { run(1).await; }", 2, Some(2));
    check("", "let load = one; join_all(ids.iter().map(load)).await;", 0, None);
}

#[test]
fn types_are_found_by_their_aliases() {
    let scan = scanned(
        "use query_budget::*; struct Q; impl Q { fn new() -> Self { Q } async fn m(&self) { Q::all().await }
             async fn all() { sql!(\"SELECT 1\").fetch_one(db).await; } }
         type S = Q; async fn f() { S::all().await; S::new().m().await; type T = Q; T::all().await; }",
    );
    check_bound(&scan, "f", 3, Some(3));
}

#[test]
fn implementations_that_pass_a_call_on_are_no_recursion() {
    let of = |logged: &str| {
        scanned(&format!(
            "use query_budget::*; trait Repo {{ async fn load(&self, id: i64); }} struct Pg;
             impl Repo for Pg {{ async fn load(&self, id: i64) {{ sql!(\"SELECT 1\").fetch_one(db).await; }} }}
             struct Logged {{ inner: Arc<dyn Repo> }}
             impl Repo for Logged {{ async fn load(&self, id: i64) {{ {logged} }} }}
             impl<R: Repo> Repo for &R {{ async fn load(&self, id: i64) {{ (**self).load(id).await }} }}
             async fn f(repo: &dyn Repo) {{ repo.load(1).await; }}"
        ))
    };
    check_bound(&of("log(id); self.inner.load(id).await"), "f", 0, Some(1));
    for body in [
        "self.inner.load(id).await; self.inner.load(id).await",
        "sql!(\"SELECT 2\").fetch_one(db).await; self.inner.load(id).await",
    ] {
        assert!(function(&of(body), "f").bound.is_open(), "{body}");
    }
}

#[test]
fn macros_that_use_what_they_are_given_twice_run_it_twice() {
    let of = |rules: &str, body: &str| {
        scanned(&format!(
            "macro_rules! m {{ {rules} }} async fn one() {{ sqlx::query(\"SELECT 1\").execute(db).await; }} async fn f() {{ {body} }}"
        ))
    };
    check_bound(&of("($e:expr) => {{ $e; $e }}", "m!(one().await)"), "f", 2, Some(2));
    check_bound(
        &of("($a:expr, $b:expr) => { ($a, $b, $a) }", "m!(one().await, one().await)"),
        "f",
        3,
        Some(3),
    );
    check_bound(&of("($e:expr) => { log(stringify!($e), $e) }", "m!(one().await)"), "f", 1, Some(1));
}

#[test]
fn the_end_of_its_name_makes_no_library_of_a_type_of_the_project() {
    for name in ["DbPool", "RowStream", "SaveResult", "Value"] {
        let of = |body: &str| {
            scanned(&format!(
                "use query_budget::*; struct {name}; impl {name} {{ async fn get(&self, id: i64) {{ {QUERY}; }} }}
                 async fn f(own: &{name}, theirs: &serde_json::Value, ids: &[i64]) {{ {body} }}"
            ))
        };
        check_bound(&of("tokio::try_join!(own.get(1), own.get(2));"), "f", 1, Some(2));
        check_bound(&of("join_all(ids.iter().map(|id| own.get(*id))).await;"), "f", 0, None);
        check_bound(
            &of("for x in theirs.get(1) { sql!(\"SELECT 1\").fetch_one(db).await; }"),
            "f",
            0,
            Some(1),
        );
    }
}

#[test]
fn lists_ranges_and_iterators_have_the_methods_of_libraries() {
    let methods = "fn iter(&self) -> Iter<'_, i64> { i } fn take(self) -> Vec<i64> { v } fn map(&self, f: i64) -> i64 { 1 }
        fn values(&self) -> Vec<i64> { v } fn clone(&self) -> Repo { r } fn rev(&self) -> Repo { r } fn into_iter(self) -> Rows { r }";
    for (over, lower, upper) in [
        ("IDS.iter()", 3, Some(3)),
        ("IDS.clone()", 3, Some(3)),
        ("IDS.iter().map(|x| x + 1).rev()", 3, Some(3)),
        ("(0..3).map(|x| x + 1)", 3, Some(3)),
        ("vec![1, 2].into_iter().map(|x| x + 1)", 2, Some(2)),
        ("HashMap::from([(1, 2)]).values()", 0, Some(1)),
        ("unknown.list.iter().take(2)", 0, Some(2)),
        ("unknown.take(2)", 0, None),
        ("repo.iter()", 0, None),
    ] {
        let body = format!("const IDS: [i64; 3] = [1, 2, 3]; for id in {over} {{ one(id).await; }}");
        check(methods, &body, lower, upper);
    }
}

#[test]
fn what_calls_the_one_that_it_holds_several_times_is_no_copy_of_it() {
    let of = |body: &str| {
        scanned(&format!(
            "use query_budget::*; trait Store {{ async fn save(&self, id: i64); }}
             struct Leaf; impl Store for Leaf {{ async fn save(&self, id: i64) {{ {QUERY}; }} }}
             struct Around {{ inner: Arc<dyn Store> }} impl Store for Around {{ async fn save(&self, id: i64) {{ {body} }} }}
             async fn retry<F: Fn() -> Fut, Fut>(f: F) {{ for i in 0..3 {{ if f().await {{ return; }} }} }}
             async fn f(store: &dyn Store) {{ store.save(1).await; }}"
        ))
    };
    check_bound(&of("self.inner.save(id).await"), "f", 0, Some(1));
    assert!(function(&of("retry(|| self.inner.save(id)).await"), "f").bound.is_open());
}

#[test]
fn what_is_given_to_one_of_several_functions_is_computed_once() {
    let of = |body: &str| {
        scanned(&format!(
            "use query_budget::*; async fn one(id: i64) {{ {QUERY}; }} async fn two(id: i64) {{ {QUERY}; {QUERY}; }}
             async fn f(c: bool) {{ let h = if c {{ one }} else {{ two }}; {body} }}"
        ))
    };
    check_bound(&of("h(1).await;"), "f", 1, Some(2));
    check_bound(&of("h(h(h(1).await).await).await;"), "f", 3, Some(6));
    check_bound(&of(&format!("h({QUERY}).await;")), "f", 2, Some(3));
    assert!(!function(&of("h(|| one(1)).await;"), "f").bound.unknown.is_empty());
    assert_eq!(
        of(&format!("h({QUERY}).await;")).sites.iter().filter(|site| &*site.function == "f").count(),
        1
    );
    let deep = (0..40).fold("1".to_owned(), |inner, _| format!("h({inner}).await"));
    check_bound(&of(&format!("{deep};")), "f", 40, Some(80));
}
