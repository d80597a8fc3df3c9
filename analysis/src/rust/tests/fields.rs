//! Code in fields of structs: who puts it there, and the loops that call it.

use super::calls::check;

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
