//! Loops on SQLite: where a transaction is known, a statement costs neither a round trip nor a commit.

use crate::check::Checker;
use crate::config::Config;
use crate::finding::Finding;
use crate::finding::Tier::{self, Listed, Shown};
use crate::schema::Replay;
use crate::sql::Dialect;

const DDL: &str = "CREATE TABLE objs (id INTEGER PRIMARY KEY, k INTEGER NOT NULL, v TEXT)";

const PUT: &str = "execute(\"INSERT INTO objs (k) VALUES (?1)\", params![k])";

fn findings(source: &str) -> Vec<Finding> {
    let mut replay = Replay::new(Dialect::Sqlite);
    replay.apply(DDL, "");
    let (scan, calls) = crate::rust::scan("lib.rs", source).expect("it is Rust").follow_alone();
    let config = Config::default();
    let checker = Checker::new(&config, Some(&replay.schema), Dialect::Sqlite);
    let mut found = checker.file(&scan, &calls, &|_| None).findings;
    found.retain(|it| matches!(it.lint, "querying_call_in_loop" | "query_in_loop" | "row_by_row_write"));
    found
}

/// Checks the tiers of what is found in the function `f`.
#[track_caller]
fn check(source: &str, expected: &[Tier]) {
    let found = findings(source);
    let tiers: Vec<Tier> = found.iter().filter(|it| &*it.function == "f").map(|it| it.tier).collect();
    assert_eq!(tiers, expected, "{source}\n{found:#?}");
}

/// Checks code of rusqlite, in which `PUT` writes a row.
#[track_caller]
fn check_driver(code: &str, expected: Tier) {
    check(
        &format!("use rusqlite::{{Connection, Savepoint, params}}; {}", code.replace("PUT", PUT)),
        &[expected],
    );
}

#[test]
fn a_transaction_is_known_by_its_type() {
    let each = "for k in &ks { c.PUT; }";
    for (ty, expected) in [
        ("&rusqlite::Transaction", Listed),
        ("&rusqlite::Transaction<'_>", Listed),
        ("&mut Savepoint<'_>", Listed),
        ("&Arc<Mutex<rusqlite::Transaction<'_>>>", Listed),
        ("&Connection", Shown),
        ("&mut Connection", Shown),
        ("&Pool", Shown),
    ] {
        check_driver(&format!("fn f(c: {ty}, ks: Vec<i64>) {{ {each} }}"), expected);
    }
    // A name proves nothing.
    check_driver("fn f(tx: &Connection, ks: Vec<i64>) { for k in &ks { tx.PUT; } }", Shown);
}

#[test]
fn a_transaction_is_known_by_what_began_it() {
    for (begin, on, expected) in [
        ("let w = c.transaction()?;", "w", Listed),
        ("let w = c.transaction_with_behavior(Immediate)?;", "w", Listed),
        ("let w = c.unchecked_transaction()?;", "w", Listed),
        ("let _w = c.unchecked_transaction()?;", "c", Listed),
        ("let w = Transaction::new_unchecked(c, Immediate)?;", "c", Listed),
        ("let w = c.unchecked_transaction()?; w.commit()?;", "c", Shown),
        ("{ let w = c.unchecked_transaction()?; }", "c", Shown),
        ("let w = d.unchecked_transaction()?;", "c", Shown),
        ("c.execute_batch(\"BEGIN IMMEDIATE\")?;", "c", Listed),
        ("c.execute(\"BEGIN TRANSACTION\", [])?;", "c", Listed),
        ("c.execute_batch(\"BEGIN; DELETE FROM objs; COMMIT\")?;", "c", Shown),
        ("c.execute_batch(\"BEGIN\")?; c.execute_batch(\"COMMIT\")?;", "c", Shown),
        ("let guard = c.lock();", "guard", Shown),
    ] {
        let code = format!(
            "fn f(c: &mut Connection, d: &Connection, ks: Vec<i64>) {{ {begin} for k in &ks {{ {on}.PUT; }} }}"
        );
        check_driver(&code, expected);
    }
    let field = "impl Db { fn g(&self) {} } fn f(db: &Db, ks: Vec<i64>) { let w = db.conn.unchecked_transaction()?; for k in &ks { db.conn.PUT; } w.commit()?; }";
    check_driver(field, Listed);
}

#[test]
fn a_transaction_is_followed_through_calls() {
    let put = "fn put(c: &Connection, k: i64) { c.PUT; } fn mid(c: &Connection, k: i64) { put(c, k) }";
    for (code, expected) in [
        ("fn f(c: &rusqlite::Transaction, ks: Vec<i64>) { for k in ks { put(c, k); } }", Listed),
        ("fn f(c: &rusqlite::Transaction, ks: Vec<i64>) { for k in ks { mid(c, k); } }", Listed),
        (
            "fn f(c: &mut Connection, ks: Vec<i64>) { let w = c.transaction()?; for k in ks { mid(&w, k); } }",
            Listed,
        ),
        ("fn f(c: &Connection, ks: Vec<i64>) { for k in ks { put(c, k); } }", Shown),
        ("fn f(tx: &Connection, ks: Vec<i64>) { for k in ks { mid(tx, k); } }", Shown),
        (
            "fn f(c: &Connection, ks: Vec<i64>) { for k in &ks { c.PUT; } } fn g(c: &mut Connection) { let w = c.transaction()?; f(&w, a); }",
            Listed,
        ),
        (
            "fn f(c: &Connection, ks: Vec<i64>) { for k in &ks { c.PUT; } } fn g(c: &mut Connection) { let w = c.transaction()?; f(&w, a); } fn h(c: &Connection) { f(c, a); }",
            Shown,
        ),
        (
            "fn f(c: &Connection, ks: Vec<i64>) { for k in ks { mid(c, k); } } fn h(c: &Connection) { f(c, a); } fn g(c: &mut Connection) { let w = c.transaction()?; h(&w); }",
            Listed,
        ),
        (
            "fn own(c: &mut Connection, k: i64) { let w = c.transaction()?; w.PUT; } fn f(c: &mut Connection, ks: Vec<i64>) { for k in ks { own(c, k); } }",
            Shown,
        ),
    ] {
        check_driver(&format!("{put} {code}"), expected);
    }
}

#[test]
fn a_transaction_is_known_in_what_holds_it() {
    let held = "struct Unit<'a> { inner: rusqlite::Transaction<'a> } impl Unit<'_> { fn put(&self, k: i64) { self.inner.PUT; } }
        struct Store { conn: Connection } impl Store { fn put(&self, k: i64) { self.conn.PUT; } }";
    for (code, expected) in [
        ("fn f(u: &Unit<'_>, ks: Vec<i64>) { for k in ks { u.put(k); } }", Listed),
        ("fn f(u: &Unit<'_>, ks: Vec<i64>) { for k in &ks { u.inner.PUT; } }", Listed),
        ("fn f(tx: &Store, ks: Vec<i64>) { for k in ks { tx.put(k); } }", Shown),
        ("fn f(tx: &Store, ks: Vec<i64>) { for k in &ks { tx.conn.PUT; } }", Shown),
    ] {
        check_driver(&format!("{held} {code}"), expected);
    }
}

#[test]
fn a_closure_gets_what_the_function_gives_that_it_is_passed_to() {
    let db = "struct Db { conn: Connection }
        impl Db {
            fn within<T>(&mut self, log: bool, f: impl FnOnce(&rusqlite::Transaction) -> T) -> T { let w = self.conn.transaction().unwrap(); f(&w) }
            fn generic<T, F: FnOnce(&rusqlite::Transaction<'_>) -> T>(&mut self, f: F) -> T { let w = self.conn.transaction().unwrap(); f(&w) }
            fn dynamic(&mut self, f: Box<dyn FnOnce(&rusqlite::Transaction)>) { let w = self.conn.transaction().unwrap(); f(&w) }
            fn with<T, F>(&mut self, f: F) -> T where F: FnOnce(&Connection) -> T { f(&self.conn) }
        }
        fn free<T>(c: &mut Connection, f: impl FnOnce(&rusqlite::Transaction) -> T) -> T { let w = c.transaction().unwrap(); f(&w) }
        fn put(c: &Connection, k: i64) { c.PUT; }";
    for (code, expected) in [
        ("fn f(db: &mut Db, ks: Vec<i64>) { db.within(true, |t| { for k in &ks { t.PUT; } }) }", Listed),
        ("fn f(db: &mut Db, ks: Vec<i64>) { db.generic(|t| { for k in &ks { t.PUT; } }) }", Listed),
        ("fn f(db: &mut Db, ks: Vec<i64>) { db.dynamic(Box::new(|t| { for k in &ks { t.PUT; } })) }", Listed),
        ("fn f(db: &mut Db, ks: Vec<i64>) { db.within(true, |t| { for k in ks { put(t, k); } }) }", Listed),
        ("fn f(c: &mut Connection, ks: Vec<i64>) { free(c, |t| { for k in &ks { t.PUT; } }) }", Listed),
        ("fn f(db: &mut Db, ks: Vec<i64>) { db.with(|t| { for k in &ks { t.PUT; } }) }", Shown),
    ] {
        check_driver(&format!("{db} {code}"), expected);
    }
}

#[test]
fn a_prepared_statement_runs_where_it_was_prepared() {
    let sql = "prepare(\"INSERT INTO objs (k) VALUES (?1)\")?";
    check_driver(
        &format!(
            "fn f(c: &Connection, ks: Vec<i64>) {{ let mut s = c.{sql}; for k in &ks {{ s.execute(params![k])?; }} }}"
        ),
        Shown,
    );
    check_driver(
        &format!(
            "fn f(c: &mut Connection, ks: Vec<i64>) {{ let w = c.transaction()?; let mut s = w.{sql}; for k in &ks {{ s.execute([k])?; }} }}"
        ),
        Listed,
    );
    let read = "let mut s = pool.get()?.prepare(\"SELECT v FROM objs WHERE k = ?1\")?; for k in rows { let v: String = s.query_row([k], |r| r.get(0))?; }";
    check_driver(
        &format!(
            "fn f(pool: &Pool) {{ let rows = all(pool); {read} }} fn all(pool: &Pool) -> Vec<i64> {{ pool.prepare(\"SELECT k FROM objs\").query_map([], one) }}"
        ),
        Shown,
    );
}

#[test]
fn sqlx_passes_a_transaction_as_it_passes_a_connection() {
    let put = "async fn put(e: &mut SqliteConnection, k: i64) { sqlx::query(\"INSERT INTO objs (k) VALUES (?)\").bind(k).execute(e).await; }
        async fn any<'e, E: Executor<'e, Database = Sqlite>>(e: E, k: i64) { sqlx::query(\"INSERT INTO objs (k) VALUES (?)\").bind(k).execute(e).await; }
        struct Store { pool: SqlitePool }
        impl Store { async fn log(&self, e: &mut SqliteConnection, k: i64) { sqlx::query(\"INSERT INTO objs (k) VALUES (?)\").bind(k).execute(&self.pool).await; } }";
    let run = "sqlx::query(\"INSERT INTO objs (k) VALUES (?)\").bind(k)";
    for (code, expected) in [
        (
            "async fn f(db: &SqlitePool, ks: Vec<i64>) { let mut w = db.begin().await?; for k in ks { put(&mut w, k).await; } }",
            Listed,
        ),
        (
            "async fn f(db: &SqlitePool, ks: Vec<i64>) { let mut w = db.begin_with(\"BEGIN IMMEDIATE\").await?; for k in ks { any(&mut *w, k).await; } }",
            Listed,
        ),
        ("async fn f(db: &SqlitePool, ks: Vec<i64>) { for k in ks { any(db, k).await; } }", Shown),
        (
            "async fn f(w: &mut sqlx::Transaction<'_, Sqlite>, ks: Vec<i64>) { for k in ks { RUN.execute(&mut **w).await; } }",
            Listed,
        ),
        (
            "async fn f(tx: &mut SqliteConnection, ks: Vec<i64>) { for k in ks { RUN.execute(&mut *tx).await; } }",
            Shown,
        ),
        (
            "async fn f(store: &Store, tx: &mut sqlx::SqliteTransaction<'_>, ks: Vec<i64>) { for k in ks { store.log(tx, k).await; } }",
            Shown,
        ),
    ] {
        check(&format!("{put} {}", code.replace("RUN", run)), &[expected]);
    }
}

#[test]
fn a_loop_without_a_transaction_is_told_to_begin_one() {
    let help = |source: &str| {
        let found = findings(&source.replace("PUT", PUT));
        found.iter().flat_map(|it| it.help.clone()).collect::<Vec<String>>().join(" ")
    };
    let begins = "run the loop in one transaction";
    assert!(
        help("use rusqlite::params; fn f(c: &Connection, ks: Vec<i64>) { for k in &ks { c.PUT; } }")
            .contains(begins)
    );
    assert!(help("use rusqlite::params; fn p(c: &Connection, k: i64) { c.PUT; } fn f(c: &Connection, ks: Vec<i64>) { for k in ks { p(c, k); } }").contains(begins));
    assert!(
        !help("use rusqlite::params; fn f(c: &Transaction, ks: Vec<i64>) { for k in &ks { c.PUT; } }")
            .contains(begins)
    );
}

#[test]
fn a_read_of_one_row_by_its_key_costs_little_in_a_loop_over_rows() {
    let rows = "async fn rows(p: &SqlitePool) -> Vec<i64> { sqlx::query_scalar(\"SELECT id FROM objs WHERE k > 1\").fetch_all(p).await }";
    for (sql, expected) in [
        ("SELECT v FROM objs WHERE id = ?", Listed),
        ("SELECT v FROM objs WHERE k = ?", Shown),
        ("SELECT count(*) FROM objs WHERE k = ?", Shown),
        ("SELECT v FROM objs WHERE id = ? AND EXISTS (SELECT 1 FROM objs o WHERE o.k = objs.k)", Shown),
    ] {
        let code = format!(
            "{rows} async fn f(p: &SqlitePool) {{ for id in rows(p).await {{ sqlx::query({sql:?}).bind(id).fetch_optional(p).await; }} }}"
        );
        check(&code, &[expected]);
    }
}

#[test]
fn a_transaction_is_known_by_the_pattern_that_holds_it() {
    for code in [
        "fn f(c: &mut Connection, ks: Vec<i64>) { if let Ok(tx) = c.transaction() { for k in &ks { tx.PUT; } } }",
        "fn f(c: &mut Connection, ks: Vec<i64>) { match c.transaction() { Ok(tx) => for k in &ks { tx.PUT; }, Err(_) => {} } }",
        "fn f(c: &mut Connection, ks: Vec<i64>) { let tx = c.immediate_transaction()?; for k in &ks { tx.PUT; } }",
        "fn f(c: &mut Connection, ks: Vec<i64>) { let Ok(tx) = c.transaction() else { return }; for k in &ks { tx.PUT; } }",
    ] {
        check_driver(code, Listed);
    }
    check_driver(
        "fn f(c: &Pool, ks: Vec<i64>) { if let Ok(tx) = c.get() { for k in &ks { tx.PUT; } } }",
        Shown,
    );
}

#[test]
fn what_a_transaction_does_by_its_own_methods_is_in_it() {
    let source = |begin: &str| {
        format!(
            "struct Writer {{ inner: Inner }}
             impl Writer {{ async fn put(&mut self, k: i64) {{ sqlx::query(\"INSERT INTO objs (k) VALUES (?1)\").bind(k).execute(self.inner.conn()).await; }} }}
             async fn f(db: &Db, ks: Vec<i64>) {{ let mut w: Writer = {begin}; for k in ks {{ w.put(k).await; }} }}"
        )
    };
    check(&source("db.begin().await?"), &[Listed]);
    check(&source("db.writer().await?"), &[Shown]);
}

#[test]
fn a_transaction_is_known_by_its_beginning_and_its_end() {
    let run = |before: &str, on: &str, after: &str| {
        format!(
            "impl Store {{ fn f(&self, db: &Db, ks: Vec<i64>) {{ {before} for k in &ks {{ {on}.PUT; }} {after} }} }}"
        )
    };
    for (before, on, after, expected) in [
        ("let mut unit = db.write()?;", "unit.inner", "unit.commit()?;", Listed),
        ("let mut unit = db.write()?;", "unit.inner", "unit.close()?;", Shown),
        ("let mut unit = db.write()?;", "db", "unit.commit()?;", Shown),
        ("self.begin()?;", "self.conn", "self.commit()?;", Listed),
        ("self.db.begin_write()?;", "self.db", "self.db.commit()?;", Listed),
        ("self.begin()?;", "self.pool", "self.commit()?;", Shown),
        ("", "self.conn", "self.commit()?;", Shown),
    ] {
        let code = run(before, on, after).replace("PUT", PUT);
        let found = findings(&format!("use rusqlite::params; {code}"));
        assert_eq!(found.iter().map(|it| it.tier).collect::<Vec<_>>(), [expected], "{code}");
    }
}
