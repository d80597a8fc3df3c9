//! Queries of other drivers.

use super::*;
use crate::rust::Form;

/// Checks the queries of a source: each as written, its method, and its number of arguments if all are
/// visible.
#[track_caller]
fn check(source: &str, expected: &[(&str, &str, Option<usize>)]) {
    let scan = scanned(source);
    let found: Vec<(&str, &str, Option<usize>)> = scan
        .sites
        .iter()
        .map(|site| {
            assert_eq!(site.form, Form::Driver, "{source}");
            let method = site.call.as_ref().map_or("", |call| call.method.as_str());
            (site.written.as_str(), method, site.arguments_complete.then_some(site.arguments.len()))
        })
        .collect();
    assert_eq!(found, expected, "{source}");
}

#[test]
fn a_client_of_postgres() {
    check(
        "use tokio_postgres::Client;
         async fn f(client: &Client, ids: &[i64], values: &[&(dyn ToSql + Sync)]) {
             client.query(\"SELECT id FROM t WHERE a = $1 AND b = $2\", &[&ids, &1]).await?;
             client.query_one(\"SELECT id FROM t\", &[]).await?;
             client.query_opt(QUERY, values).await?;
             client.execute(&format!(\"DELETE FROM {t}\"), &[]).await?;
             client.batch_execute(\"BEGIN; COMMIT\").await?;
             self.pool.get().await?.query(\"SELECT 1\", &[]).await?;
             map.query(\"no statement\", &[]);
         }
         const QUERY: &str = \"SELECT id FROM t WHERE a = $1\";",
        &[
            ("query", "query", Some(2)),
            ("query_one", "query_one", Some(0)),
            ("query_opt", "query_opt", None),
            ("execute", "execute", Some(0)),
            ("batch_execute", "batch_execute", None),
            ("query", "query", Some(0)),
        ],
    );
}

#[test]
fn a_statement_that_is_prepared_runs_where_it_is_given() {
    let source = "use deadpool_postgres::Pool;
         async fn f(client: &Client, ids: &[i64]) {
             let one = client.prepare(\"SELECT id FROM t WHERE a = $1\").await?;
             for id in ids {
                 client.query(&one, &[id]).await?;
             }
             let other = client.prepare_cached(\"SELECT 2\").await?;
             client.query_one(&other, &[]).await?;
         }";
    check(source, &[("prepare", "query", None), ("prepare_cached", "query_one", None)]);
    let loops: Vec<usize> = scanned(source).sites.iter().map(|site| site.loops.len()).collect();
    assert_eq!(loops, [1, 0]);
}

#[test]
fn a_connection_of_rusqlite() {
    check(
        "use rusqlite::{Connection, params};
         fn f(conn: &Connection, name: &str) {
             conn.execute(\"INSERT INTO t (a, b) VALUES (?1, ?2)\", params![name, 1])?;
             conn.execute(\"DELETE FROM t WHERE a = ?1\", (name,))?;
             conn.query_row(\"SELECT id FROM t WHERE a = :a\", &[(\":a\", name)], |row| row.get(0))?;
             conn.query_row(\"SELECT count(*) FROM t\", [], |row| row.get(0))?;
             let mut all = conn.prepare(\"SELECT id FROM t\")?;
             let rows = all.query_map([], |row| row.get(0))?;
             conn.execute_batch(\"CREATE TABLE t (a); CREATE TABLE u (b);\")?;
         }",
        &[
            ("execute", "execute", Some(2)),
            ("execute", "execute", Some(1)),
            ("query_row", "query_row", None),
            ("query_row", "query_row", Some(0)),
            ("prepare", "query_map", None),
            ("execute_batch", "execute_batch", None),
        ],
    );
}

#[test]
fn diesel_and_sea_orm_are_given_texts() {
    check(
        "use diesel::sql_query;
         fn f(conn: &mut PgConnection) {
             sql_query(\"SELECT id FROM t WHERE a = $1\").bind::<Integer, _>(1).load::<T>(conn)?;
             diesel::sql_query(\"DELETE FROM t\").execute(conn)?;
         }",
        &[("sql_query", "load", Some(1)), ("diesel::sql_query", "execute", Some(0))],
    );
    check(
        "use sea_orm::{DbBackend, Statement};
         async fn f(db: &DatabaseConnection) {
             db.query_all(Statement::from_sql_and_values(DbBackend::Postgres, \"SELECT id FROM t WHERE a = $1\", [1.into()])).await?;
             db.execute(Statement::from_string(DbBackend::Postgres, \"DELETE FROM t\".to_owned())).await?;
             db.execute_unprepared(\"DELETE FROM u\").await?;
         }",
        &[
            ("Statement::from_sql_and_values", "query_all", Some(1)),
            ("Statement::from_string", "execute", None),
            ("execute_unprepared", "execute_unprepared", None),
        ],
    );
}

#[test]
fn copies_portals_and_texts_of_variables() {
    check(
        "use tokio_postgres::Transaction;
         async fn f(tx: &Transaction<'_>, q: &str) {
             tx.copy_in(\"COPY t (a) FROM STDIN\").await?;
             tx.copy_out(\"COPY (SELECT id FROM t) TO STDOUT\").await?;
             let portal = tx.bind(\"SELECT id FROM t WHERE a = $1\", &[&1]).await?;
             while tx.query_portal(&portal, 100).await?.len() > 0 {}
             let mut sql = String::from(\"SELECT id FROM t\");
             sql.push_str(q);
             tx.query(sql.as_str(), &[]).await?;
             query(a).bind(\"SELECT of nobody\");
         }",
        &[
            ("copy_in", "copy_in", None),
            ("copy_out", "copy_out", None),
            ("bind", "query_portal", Some(1)),
            ("query", "query", Some(0)),
        ],
    );
}

#[test]
fn statements_of_sea_orm_run_where_they_are_given() {
    check(
        "use sea_orm::{raw_sql, Statement};
         async fn f(db: &DatabaseConnection, id: i64, ids: &[i64]) {
             User::find_by_statement(Statement::from_string(db.backend(), \"SELECT 1\")).one(db).await?;
             user::Entity::find().from_raw_sql(Statement::from_sql_and_values(b, \"SELECT 1\", [])).all(db).await?;
             let two = Statement::from_sql_and_values(b, \"SELECT 2\", [id.into()]);
             db.query_all_raw(two).await?;
             let three = Statement { sql: \"SELECT 3\".to_owned(), values: None, db_backend: b };
             db.query_one(three).await?;
             User::find_by_statement(raw_sql!(Postgres, \"SELECT 4\")).one(db).await?;
             db.execute_raw(raw_sql!(Sqlite, \"DELETE FROM t WHERE id = {id}\")).await?;
         }",
        &[
            ("Statement::from_string", "one", None),
            ("Statement::from_sql_and_values", "all", Some(0)),
            ("Statement::from_sql_and_values", "query_all_raw", Some(1)),
            ("Statement", "query_one", None),
            ("raw_sql!", "one", None),
            ("raw_sql!", "execute_raw", None),
        ],
    );
}

#[test]
fn names_in_braces_are_placeholders() {
    let text = |backend: &str, text: &str| {
        let scan =
            scanned(&format!("use sea_orm::raw_sql; fn f() {{ raw_sql!({backend}, r#\"{text}\"#); }}"));
        scan.sites.first().and_then(|site| match &site.sql {
            crate::rust::site::SiteSql::Literal(literal) => Some(literal.text.to_string()),
            _ => None,
        })
    };
    let named = "SELECT id FROM t WHERE a = {a} AND b = {b.c} AND id IN ({..ids})";
    assert_eq!(
        text("Postgres", named).as_deref(),
        Some("SELECT id FROM t WHERE a = $1 AND b = $2 AND id IN ($3)")
    );
    assert_eq!(text("Sqlite", "SELECT {a}").as_deref(), Some("SELECT ?"));
    // Any number of values.
    assert_eq!(text("Postgres", "INSERT INTO t (a, b) VALUES ({..row})"), None);
    assert_eq!(text("Postgres", "INSERT INTO t (a, b) VALUES {..(rows.0:2),}"), None);
    assert_eq!(text("Postgres", "SELECT {a"), None);
}

#[test]
fn what_is_appended_to_a_query_of_diesel_is_not_known() {
    let source = "use diesel::sql_query;
         fn f(conn: &mut PgConnection) {
             sql_query(\"SELECT id FROM t WHERE a = \").bind::<Integer, _>(1).sql(\" LIMIT 3\").load(conn)?;
             let mut all = sql_query(\"SELECT id FROM t\").into_boxed();
             if a { all = all.sql(\" LIMIT 3\"); }
             all.load(conn)?;
         }";
    check(source, &[("sql_query", "load", None), ("sql_query", "load", None)]);
    let scan = scanned(source);
    let known = scan.sites.iter().filter(|site| site.sql != crate::rust::site::SiteSql::Dynamic).count();
    assert_eq!(known, 0);
}

#[test]
fn without_a_driver_such_methods_are_nobodys() {
    for source in [
        "async fn f(client: &Client) { client.query(\"SELECT 1\", &[]).await?; }",
        "fn f(conn: &Connection) { conn.prepare(\"SELECT 1\")?.query_map([], g)?; }",
        "use sqlx::postgres::PgPool; fn f(index: &Index) { index.query(\"SELECT 1\", &[]); }",
    ] {
        check(source, &[]);
    }
}

#[test]
fn functions_that_give_a_driver_sql_are_left_in() {
    let text = "fn a(c: &C) { c.query_row(\"SELECT 1\", [], g) } fn b(c: &C) { a(c) } fn c() { d() } fn e(c: &C) { c.query(SQL, &[]) }
        fn h(c: &C) { c.query_opt(path, &[]) }
        fn i(c: &C) { let sql = \"SELECT 1\"; c.query_opt(sql, &[]) } fn j(c: &C) { c.bind(\"SELECT 2\", &[]) }";
    let left = crate::rust::relevant(&[text]).remove(0);
    for part in ["c.query_row(", "a(c)", "c.query(SQL", "c.query_opt(sql", "c.bind("] {
        assert!(left.contains(part), "{left}");
    }
    assert!(!left.contains("d()") && !left.contains("path"), "{left}");
}

#[test]
fn a_connection_of_mysql() {
    let code = "fn f(conn: &mut Conn, rows: Vec<(i64,)>) {
         let a: Option<i64> = conn.exec_first(\"SELECT id FROM t WHERE a = ?\", (1,)).await?;
         conn.exec_drop(r\"DELETE FROM t WHERE a = :a\", params! { \"a\" => 1 }).await?;
         let all = conn.exec_map(\"SELECT id FROM t WHERE a = ? AND b = ?\", (1, b), |id: i64| id).await?;
         let some = conn.query_iter(\"SELECT id FROM t\").await?;
         conn.query_drop(\"DELETE FROM t; DELETE FROM u\").await?;
         conn.exec_batch(\"INSERT INTO t (a) VALUES (?)\", rows).await?;
         let one = conn.prep(\"SELECT id FROM t WHERE a = ?\").await?;
         conn.exec_iter(&one, (1,)).await?;
         map.exec(\"no statement\", ());
     }";
    for import in ["use mysql_async::prelude::*;", "use mysql::{prelude::*, Conn};"] {
        let source = format!("{import} async {code}");
        check(
            &source,
            &[
                ("exec_first", "exec_first", Some(1)),
                ("exec_drop", "exec_drop", None),
                ("exec_map", "exec_map", Some(2)),
                ("query_iter", "query_iter", None),
                ("query_drop", "query_drop", None),
                ("exec_batch", "exec_batch", None),
                ("prep", "exec_iter", None),
            ],
        );
        // One statement for each row.
        let loops: Vec<usize> = scanned(&source).sites.iter().map(|site| site.loops.len()).collect();
        assert_eq!(loops, [0, 0, 0, 0, 0, 1, 0]);
    }
    check(&format!("use sqlx::mysql::MySqlPool; async {code}"), &[]);
}

#[test]
fn what_a_driver_opens_and_begins_is_no_unknown_call() {
    let bound = |source: &str| {
        let scan = scanned(source);
        let bound = &function(&scan, "f").bound;
        let upper = matches!(bound.upper, crate::rust::Upper::Finite(_));
        (upper, bound.unknown.is_empty())
    };
    let one = "execute(\"DELETE FROM t\", &[]).await";
    for code in [
        format!("use deadpool_postgres::Pool; async fn f(pool: &Pool) {{ let c = pool.get().await; c.{one}; }}"),
        format!("use tokio_postgres::Client; async fn f(c: &mut Client) {{ let t = c.transaction().await; let s = t.savepoint(\"a\").await; s.{one}; s.commit().await; }}"),
        format!("use tokio_postgres::Client; async fn f(c: &mut Client) {{ let t = c.build_transaction().read_only(true).start().await; t.{one}; }}"),
        "use tokio_rusqlite::Connection; async fn f(c: &Connection) { c.call(|c| c.execute(\"DELETE FROM t\", [])).await; }".to_owned(),
    ] {
        assert_eq!(bound(&code), (true, true), "{code}");
    }
    // What another crate adds to a connection is not known, nor what an ORM's builder runs.
    for code in [
        "use tokio_postgres::Client; async fn f(c: &Client) { c.refresh_all().await; }",
        "use sea_orm::Select; async fn f(q: Select<User>, db: &Db) { q.count(db).await; }",
    ] {
        assert!(!bound(code).1, "{code}");
    }
    // A service may run anything.
    let other = "use tokio_rusqlite::Connection; async fn f(s: &Service) { s.call(|c| c.execute(\"DELETE FROM t\", [])).await; }";
    assert!(!bound(other).1);
}

#[test]
fn what_holds_no_connection_runs_no_query() {
    let code = |fields: &str| {
        format!(
            "use rusqlite::Connection; struct Part {{ n: Vec<i64> }}
             struct Robot {fields}
             impl Robot {{ fn execute(&self, order: &str, n: &[i64]) -> usize {{ n.len() }} }}
             fn f(robot: &Robot) {{ robot.execute(\"delete all of it\", &[1]); }}"
        )
    };
    for fields in ["{}", ";", "{ name: String, parts: Vec<Part> }"] {
        check(&code(fields), &[]);
    }
    for fields in ["{ conn: Connection }", "{ inner: Box<dyn Execute> }", "{ name: String, store: Store }"] {
        check(&code(fields), &[("execute", "execute", Some(1))]);
    }
}
