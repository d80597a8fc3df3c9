//! Code in fields of structs: who puts it there, and the loops that call it.

use super::bounds::check_bound;
use super::calls::check;
use super::*;
use crate::rust::Upper;

/// A struct whose field holds code, and a method that calls it once per element.
const REPO: &str = "pub struct Repo<F> { load: F, db: Db }
    impl<F> Repo<F> {
        pub async fn all(&self, ids: &[i64]) { for id in ids { (self.load)(*id).await; } }
    }";

#[track_caller]
fn built(by: &str, expected: &[&str]) {
    let text =
        format!("{REPO} async fn one(id: i64) {{ sqlx::query!(\"SELECT 1\").execute(db).await; }} {by}");
    check(&[("app", "", &text)], expected);
}

#[test]
fn what_a_literal_puts_into_a_field_is_called() {
    let query = "sqlx::query!(\"SELECT 1\").execute(&db).await";
    for code in [
        format!("|id| async move {{ {query} }}"),
        format!("move |id| {{ let db = db.clone(); async move {{ {query} }} }}"),
        format!("Box::new(|id| Box::pin(async move {{ {query} }}))"),
        format!("Arc::new(move |id: i64| async move {{ {query} }}) as Arc<dyn Fn(i64) -> Done>"),
        format!("{{ let db = db.clone(); move |id| async move {{ {query} }} }}"),
    ] {
        built(
            &format!("fn build(db: Db) -> X {{ Repo {{ load: {code}, db }} }}"),
            &["(self.load) → sqlx::query!"],
        );
    }
    built(
        &format!("fn build(db: Db) -> X {{ let load = |id| async move {{ {query} }}; Repo {{ load, db }} }}"),
        &["(self.load) → sqlx::query!"],
    );
    for code in ["one", "Box::new(one)", "self::one"] {
        built(
            &format!("fn build(db: Db) -> X {{ Repo {{ load: {code}, db }} }}"),
            &[&format!("(self.load) → {} → sqlx::query!", code.replace("Box::new(one)", "one"))],
        );
    }
}

#[test]
fn what_a_constructor_gets_for_a_field_is_called() {
    built(
        "impl<F: Fn(i64) -> Done> Repo<F> { pub fn new(load: F, db: Db) -> Self { Self { load, db } } }
         async fn main() {
            let repo = Repo::new(|id| async move { sqlx::query!(\"SELECT 1\").execute(db).await }, db);
            repo.all(&ids).await;
         }",
        &["(self.load) → sqlx::query!"],
    );
    built(
        "impl<F> Repo<F> { fn with(load: impl Fn(i64) -> Done) -> Self { Self { load: Box::new(load), db } } }
         async fn main() { let repo = Repo::with(one); repo.all(&ids).await; }",
        &["(self.load) → one → sqlx::query!"],
    );
}

#[test]
fn code_that_is_not_known_as_a_whole_or_does_not_query_is_left_out() {
    built("fn build(db: Db) -> X { Repo { load: |id| async move { id + 1 }, db } }", &[]);
    // One of two does not query, so a loop over it may not either.
    built(
        "fn a(db: Db) -> X { Repo { load: |id| async move { other(id).await }, db } }
         fn b(db: Db) -> X { Repo { load: one, db } }",
        &[],
    );
    // Another struct's field of the same name.
    built("struct Other { load: F } fn build() -> X { Other { load: one } }", &[]);
}

/// A function that queries once.
const ONE: &str = "async fn one(id: i64) { sqlx::query!(\"SELECT 1\").execute(db).await; }";

#[test]
fn a_call_of_the_code_in_a_field_runs_at_most_what_is_put_there() {
    let of = |by: &str| scanned(&format!("{REPO} {ONE} {by}"));
    let scan = of("async fn f(ids: &[i64]) { Repo { load: |id| one(id), db }.all(ids).await; }");
    check_bound(&scan, "f", 0, None);
    let scan = of("impl<F: Fn(i64) -> Fut> Repo<F> { fn new(load: F) -> Self { Self { load, db } } }
         async fn f(ids: &[i64]) { let repo = Repo::new(|id| one(id)); repo.all(ids).await; }");
    check_bound(&scan, "f", 0, None);
    let scan = of("fn make() -> Repo<F> { Repo { load: Box::new(move |id| Box::pin(async move { one(id).await; one(id).await })), db } }
         async fn f() { let repo = make(); (repo.load)(1).await; }");
    check_bound(&scan, "f", 0, Some(2));
    assert!(!function(&scan, "f").bound.unknown.is_empty(), "others may put something else there");
    // What is put there runs where it is called, and not again where it is put.
    let new = "impl<F: Fn(i64) -> Fut> Repo<F> { fn new(load: F) -> Self { Self { load, db } } }";
    let scan =
        of(&format!("{new} async fn f() {{ let repo = Repo::new(|id| one(id)); (repo.load)(1).await; }}"));
    check_bound(&scan, "f", 0, Some(1));
    // Of code that calls its own field, nothing more is known.
    let scan = of("fn make(r: &Repo<F>) -> Repo<F> { Repo { load: |id| async move { one(id).await; (r.load)(id).await }, db } }
         async fn f(r: &Repo<F>) { (r.load)(1).await; }");
    check_bound(&scan, "f", 0, Some(1));
    assert!(!function(&scan, "f").bound.unknown.is_empty());
    // A field named like a harmless method is code as well.
    let scan = scanned("struct Job { send: F } async fn f(job: &Job) { (job.send)(1).await; }");
    assert!(!function(&scan, "f").bound.unknown.is_empty());
}

#[test]
fn a_helper_that_calls_itself_may_call_its_closure_any_number_of_times() {
    let of = |helper: &str| {
        scanned(&format!("{ONE} {helper} async fn f(ids: &[i64]) {{ each(ids, &|id| one(id)).await; }}"))
    };
    let scan = of("fn each<'a, F: Fn(i64) -> Fut>(ids: &'a [i64], f: &'a F) -> BoxFuture<'a, ()> {
            Box::pin(async move {
                let Some((id, rest)) = ids.split_first() else { return };
                f(*id).await;
                each(rest, f).await
            }) }");
    check_bound(&scan, "f", 0, None);
    let Upper::Unbounded { why, .. } = &function(&scan, "f").bound.upper else { panic!("it has a bound") };
    assert_eq!(why, "`each` calls itself");
    let scan = of("fn each<F: Fn(i64) -> Fut>(ids: &[i64], f: &F) -> Fut { f(ids[0]) }");
    check_bound(&scan, "f", 0, Some(1));
}
