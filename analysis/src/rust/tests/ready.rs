//! Builders and prepared statements, which run where they are built and used.

use super::bounds::check_bound;
use super::*;

/// Checks the bound of a function with this body, and the loops around each of its sites.
#[track_caller]
fn check(import: &str, body: &str, bound: (u64, Option<u64>), loops: &[usize]) {
    let scan = scanned(&format!("use {import}; async fn f(ids: &[i64]) -> Result<()> {{ {body} }}"));
    check_bound(&scan, "f", bound.0, bound.1);
    let found: Vec<usize> = scan.sites.iter().map(|site| site.loops.len()).collect();
    assert_eq!(found, loops, "{body}");
}

#[test]
fn a_builder_counts_where_it_is_built() {
    let new = "let mut qb = QueryBuilder::<Postgres>::new(\"UPDATE t SET a = 1 WHERE id = \");";
    for (rest, bound, loops) in [
        (
            "for id in ids { qb.reset(); qb.push_bind(*id); qb.build().execute(db).await; }",
            (0, None),
            &[1][..],
        ),
        ("for _ in 0..3 { qb.build().execute(db).await; }", (3, Some(3)), &[1]),
        (
            "qb.build().execute(db).await; qb.push(\" LIMIT 5\"); qb.build().fetch_all(db).await;",
            (2, Some(2)),
            &[0, 0],
        ),
        ("if !ids.is_empty() { qb.build().execute(db).await; }", (0, Some(1)), &[0]),
        ("for id in ids { qb.push_bind(*id); } qb.build().execute(db).await;", (1, Some(1)), &[0]),
        ("run(qb).await;", (1, Some(1)), &[0]),
        (
            "if c { qb.build().execute(db).await; } else { qb.build().fetch_all(db).await; }",
            (1, Some(1)),
            &[0, 0],
        ),
        ("for id in ids { run(&mut qb).await; }", (0, None), &[1]),
        ("add_filters(&mut qb); qb.build().execute(db).await;", (1, Some(1)), &[0]),
    ] {
        check("sqlx::*", &format!("{new} {rest}"), bound, loops);
    }
}

#[test]
fn one_of_several_alternatives_runs() {
    let (a, b) =
        ("QueryBuilder::<Postgres>::new(\"SELECT a\")", "QueryBuilder::<Postgres>::new(\"SELECT b\")");
    let builds = "qb.build().fetch_all(db).await;";
    let choices = [
        format!("let mut qb = if c {{ {a} }} else {{ {b} }};"),
        format!("let mut qb = match c {{ 1 => {a}, 2 => {b}, _ => {b} }};"),
        format!("let mut qb = {a}; if c {{ qb = {b}; }}"),
        format!("let mut qb; if c {{ qb = {a}; }} else {{ qb = {b}; }}"),
    ];
    for choice in &choices {
        let of = |body: &str| scanned(&format!("use sqlx::*; async fn f() {{ {choice} {body} }}"));
        check_bound(&of(builds), "f", 1, Some(1));
        check_bound(&of(&format!("{builds}{builds}")), "f", 2, Some(2));
        check_bound(&of(&format!("for _ in 0..3 {{ {builds} }}")), "f", 3, Some(3));
        check_bound(&of("run(&mut qb).await;"), "f", 1, Some(1));
        check_bound(&of(&format!("let mut other = {a}; run(&mut qb, &mut other).await;")), "f", 2, Some(2));
    }
    let prepared = "let mut s = if c { conn.prepare(\"SELECT a FROM t\")? } else { conn.prepare(\"SELECT b FROM t\")? };";
    for (body, most) in [("s.query_map([], f)?;", 1), ("s.query_map([], f)?; s.query_map([], f)?;", 2)] {
        let source =
            format!("use rusqlite::*; fn f(conn: &Connection) -> Result<()> {{ {prepared} {body} }}");
        check_bound(&scanned(&source), "f", 0, Some(most));
    }
}

#[test]
fn a_statement_of_sqlx_counts_where_it_makes_a_query() {
    let prepare = "let one = conn.prepare(\"SELECT a FROM t WHERE id = $1\").await?;";
    for (rest, bound, loops) in [
        ("for id in ids { one.query().bind(id).fetch_one(conn).await; }", (0, None), &[1][..]),
        (
            "one.query().fetch_one(conn).await; one.query_scalar::<i64>().fetch_one(conn).await;",
            (0, Some(2)),
            &[0, 0],
        ),
        ("for id in ids { load(&one, id).await; }", (0, None), &[1]),
    ] {
        check("sqlx::*", &format!("{prepare} {rest}"), bound, loops);
    }
}

#[test]
fn a_statement_of_rusqlite_counts_where_it_runs() {
    let prepare = "let mut one = conn.prepare(\"SELECT a FROM t WHERE id = ?1\")?;";
    for (rest, bound, loops) in [
        ("for id in ids { one.query_row([id], |r| r.get(0)); }", (0, None), &[1][..]),
        ("for id in 0..3 { one.execute(params![id]); }", (0, Some(3)), &[1]),
        ("one.query_row([1], |r| r.get(0)); one.query_row([2], |r| r.get(0));", (0, Some(2)), &[0, 0]),
        ("for id in ids { self.load(&mut one, id); }", (0, None), &[1]),
    ] {
        check("rusqlite::*", &format!("{prepare} {rest}"), bound, loops);
    }
}
