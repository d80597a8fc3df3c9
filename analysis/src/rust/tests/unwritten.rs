//! What runs without a call being written: operators, iterators, `Drop`.

use super::bounds::check_bound;
use super::*;

const READER: &str = "use query_budget::*; struct R(Db);
    impl std::ops::Add<i64> for R { fn add(self, id: i64) -> R { run(sql!(\"SELECT 1\")); self } }
    impl std::ops::AddAssign<i64> for R { fn add_assign(&mut self, id: i64) { run(sql!(\"SELECT 1\")); } }
    impl PartialEq for R { fn eq(&self, other: &R) -> bool { run(sql!(\"SELECT 1\")) } }
    impl std::ops::Index<i64> for R { fn index(&self, id: i64) -> &Db { run(sql!(\"SELECT 1\")); &self.0 } }
    impl Iterator for R { fn next(&mut self) -> Option<i64> { run(sql!(\"SELECT 1\")) } }";

#[track_caller]
fn check(code: &str, upper: Option<u64>) {
    let scan = scanned(&format!("{READER} fn f(mut r: R, other: R, n: i64) {{ {code} }}"));
    check_bound(&scan, "f", function(&scan, "f").bound.lower, upper);
}

#[test]
fn an_operator_runs_the_method_of_its_trait() {
    check("let _ = r + 1;", Some(1));
    check("let _ = r + 1 + 2;", Some(2));
    check("r += 1;", Some(1));
    check("if r == other { done() }", Some(1));
    check("let _ = &r[1];", Some(1));
    check("for id in 0..n { r += id; }", None);
    check("let _ = n + 1; let _ = n == 2; let _ = -n;", Some(0));
}

#[test]
fn what_draws_elements_runs_next() {
    check("r.count();", None);
    check("let all: Vec<i64> = r.map(|id| id + 1).collect();", None);
    check("all.extend(r);", None);
    check("for id in r.take(3) {}", Some(3));
    check("for id in r.by_ref().take(3) {}", Some(3));
    check("r.next();", Some(1));
    check("let all = xs.iter().map(|x| x + 1).count();", Some(0));
}

#[test]
fn a_value_that_queries_when_it_is_dropped_makes_the_rest_unknown() {
    let guard = "struct G(Db); impl Drop for G { fn drop(&mut self) { spawn(async { sql!(\"SELECT 1\").execute(db).await }); } }";
    for (make, unknown) in [
        ("let guard = G(db);", &["drop of G"][..]),
        ("let guard = lock();", &["lock"]),
        ("let guard = Other(db);", &[]),
    ] {
        let scan = scanned(&format!(
            "use query_budget::*; {guard} fn lock() -> G {{ G(db) }} async fn f(db: &Db) {{ {make} sql!(\"SELECT 1\").execute(db).await; }}"
        ));
        let bound = &function(&scan, "f").bound;
        assert_eq!(
            bound.unknown.iter().map(|step| step.what.as_str()).collect::<Vec<_>>(),
            unknown,
            "{make}"
        );
        check_bound(&scan, "f", bound.lower, Some(1));
    }
}

#[test]
fn what_a_decorator_wraps_ends_some_time() {
    let wrapper = "trait Repo { async fn get(&self); async fn two(&self) { self.get().await; self.get().await; } }
        struct Pg; impl Repo for Pg { async fn get(&self) { sql!(\"SELECT 1\").execute(db).await; } }
        struct Twice<R>(R); impl<R: Repo> Repo for Twice<R> { async fn get(&self) { self.0.get().await; self.0.get().await; } }";
    let scan = scanned(&format!("use query_budget::*; {wrapper} async fn f(pg: &Pg) {{ pg.two().await; }}"));
    let bound = &function(&scan, "f").bound;
    assert!(bound.is_open(), "{bound:#?}");
    assert!(!bound.upper.exceeds(4), "{bound:#?}");
}
