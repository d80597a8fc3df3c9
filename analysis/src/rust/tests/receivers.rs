//! The types of values that methods are called on, by how these are made.

use super::calls::check;
use super::*;

/// A type of the project with a method that has the name of a library's, and queries.
const READER: &str = "#[derive(Default)] pub struct Reader(u8); const READER: &Reader = &Reader(1);
    impl Reader { pub async fn read(&self, id: i64) { sqlx::query!(\"SELECT 1\").fetch_one(db).await; } }
    pub struct Builder; impl Builder { fn set(self) -> Self { self } fn build(self) -> Reader { todo!() } }
    pub enum Kept { Read(Arc<Reader>), No } pub struct Other; impl Other { pub async fn read(&self, id: i64) {} }";

/// Checks that the method of a value is called in a loop, or that it is not known to be.
#[track_caller]
fn check_value(value: &str, is_known: bool) {
    let expected: &[&str] = if is_known { &["r.read → sqlx::query!"] } else { &[] };
    let source = format!(
        "{READER} async fn f(given: Option<&Reader>, kept: &Kept, n: u8) {{ let r = {value}; for x in xs {{ r.read(x).await; }} }}"
    );
    check(&[("app", "", &source)], expected);
}

#[test]
fn what_a_derive_provides_makes_a_value_of_its_type() {
    check_value("Reader::default()", true);
    check_value("Reader::new(1)", true);
    check_value("crate::Reader::from(1)", true);
    check_value("Builder::default().set().build()", true);
    check_value("<Reader as Default>::default()", true);
    check_value("Reader::of(1)", false);
    check_value("Other::default()", false);
    check_value("\"3\".parse::<Reader>().expect(\"it is one\")", true);
    check_value("\"3\".parse::<Other>().unwrap()", false);
}

#[test]
fn what_a_constant_is_has_its_type() {
    check_value("READER", true);
    check_value("crate::READER", true);
}

#[test]
fn what_a_lock_holds_has_its_type() {
    check_value("{ let lock = std::sync::Mutex::new(Reader(1)); lock.lock().unwrap() }", true);
    check_value("RwLock::new(Reader(1)).into_inner()", true);
    check_value("std::cell::RefCell::new(Reader(1)).borrow()", true);
    check_value("Mutex::new(Other).lock().unwrap()", false);
    check(
        &[(
            "app",
            "",
            &format!(
                "{READER} async fn f(of: Arc<RwLock<Reader>>) {{ for x in xs {{ of.read().await.read(x).await; }} }}"
            ),
        )],
        &["of.read().await.read → sqlx::query!"],
    );
}

#[test]
fn a_branch_that_has_a_value_says_its_type() {
    for value in [
        "if let Some(r) = given { r } else { return }",
        "if n > 1 && let Some(r) = given { r.as_ref() } else { panic!() }",
        "if n > 1 { return } else { Reader(1) }",
        "if n > 1 { make() } else if n > 2 { return } else { Reader(1) }",
        "match n { 0 => return, n => Reader(n) }",
        "match given { None => return, Some(it) => it }",
        "match given { Some(given) => given, None => return }",
        "match kept { Kept::No => return, Kept::Read(it) => it.clone() }",
        "{ let other = Reader(2); other }",
        "{ let Some(it) = given else { return }; it }",
    ] {
        check_value(value, true);
    }
    for value in [
        "if let Some(given) = other() { given } else { return }",
        "{ let given = other(); given.unwrap() }",
        "match other() { Some(given) => given, None => return }",
        "match given { None => None, Some(it) => Some(it.other()) }",
        "match n { 0 => return, n => Other }",
    ] {
        check_value(value, false);
    }
}

/// Checks which calls of methods on connections of sqlx reach a query.
#[track_caller]
fn check_connection(declared: &str, parameter: &str, call: &str, is_known: bool) {
    let expected = format!("{} → sqlx::query", call.rsplit_once('(').map_or(call, |(name, _)| name));
    let expected: &[&str] = if is_known { &[&expected] } else { &[] };
    let source = format!(
        "use sqlx::{{PgConnection, PgExecutor, PgPool, Postgres, Transaction}}; {declared}
         async fn f(db: {parameter}) {{ let mut tx = db.begin().await?; for x in xs {{ {call}.await; }} }}"
    );
    check(&[("app", "", &source)], expected);
}

#[test]
fn a_trait_for_all_that_runs_queries_is_one_of_pools_and_connections() {
    let own = "trait Shut { async fn shut(self, id: i64); }
        impl<'e, E> Shut for E where E: PgExecutor<'e> { async fn shut(self, id: i64) { sqlx::query(\"DELETE FROM a\").execute(self).await; } }";
    let provided = "trait Shut<'e>: PgExecutor<'e> + Sized { async fn shut(self, id: i64) { sqlx::query(\"DELETE FROM a\").execute(self).await; } }
        impl<'e, E: sqlx::Executor<'e, Database = Postgres>> Shut<'e> for E {}";
    for declared in [own, provided] {
        for of in ["&PgPool", "&sqlx::Pool<Postgres>", "&mut PgConnection", "impl PgExecutor<'_>"] {
            check_connection(declared, of, "db.shut(x)", true);
        }
        check_connection(declared, "&PgPool", "(&mut *tx).shut(x)", true);
        check_connection(declared, "&redis::Pool", "db.shut(x)", false);
        check_connection(declared, "&Other", "db.shut(x)", false);
    }
    let of_others = "trait Shut { async fn shut(self, id: i64); } trait PgExecutor {}
        impl<E: crate::PgExecutor> Shut for E { async fn shut(self, id: i64) { sqlx::query(\"DELETE FROM a\").execute(self).await; } }";
    check_connection(of_others, "&sqlx::PgPool", "db.shut(x)", false);
}

#[test]
fn a_transaction_has_the_methods_of_its_connection() {
    let declared = "trait Shut { async fn shut(&mut self, id: i64); }
        impl Shut for sqlx::postgres::PgConnection { async fn shut(&mut self, id: i64) { sqlx::query(\"DELETE FROM a\").execute(self).await; } }";
    check_connection(declared, "&PgPool", "tx.shut(x)", true);
    check_connection(declared, "&mut Transaction<'_, Postgres>", "db.shut(x)", true);
    check_connection(declared, "&mut sqlx::pool::PoolConnection<Postgres>", "db.shut(x)", true);
    check_connection(declared, "&sqlx::SqlitePool", "tx.shut(x)", false);
    check_connection(declared, "&PgPool", "db.shut(x)", false);
}

/// Checks whether a call that no function is found for is reported as unknown.
#[track_caller]
fn check_unknown(declared: &str, call: &str, is_unknown: bool) {
    let scan = scanned(&format!(
        "use sqlx::PgPool; {declared} async fn f(db: &PgPool, given: Receiver) {{ {call}.await; }}"
    ));
    let bound = &function(&scan, "f").bound;
    assert_eq!(!bound.unknown.is_empty(), is_unknown, "{call}: {bound:#?}");
}

#[test]
fn a_harmless_name_says_nothing_where_the_project_has_a_querying_method_of_it() {
    let own = "struct Sink; impl Sink { async fn flush(&self, id: i64) { close(id).await } async fn lock(&self) {} }
        async fn close(id: i64) { sqlx::query(\"DELETE FROM a\").execute(db).await; }";
    check_unknown(own, "make().flush(1)", true);
    check_unknown(own, "make().lock()", false);
    check_unknown(own, "make().send(1)", false);
    check_unknown("", "make().flush(1)", false);
    // It is called on something outside of the project.
    let scan = scanned(&format!("{own} async fn f(out: tokio::io::BufWriter) {{ out.flush(1).await; }}"));
    assert!(function(&scan, "f").bound.unknown.is_empty());
    let scan =
        scanned(&format!("{own} async fn f(out: Arc<tokio::sync::Mutex<u8>>) {{ out.flush().await; }}"));
    assert!(function(&scan, "f").bound.unknown.is_empty());
    let scan = scanned(&format!("{own} async fn f(out: Sink) {{ out.flush(1).await; }}"));
    assert!(function(&scan, "f").bound.unknown.is_empty());
}

#[test]
fn a_harmless_name_says_nothing_of_what_gets_a_connection() {
    check_unknown("", "make().send(db)", true);
    check_unknown("", "make().send(&mut *db.begin().await?)", true);
    check_unknown("", "make().send(db.size())", false);
    check_unknown("", "make().send(given)", false);
}
