//! Orders that an index gives or does not give, each as the databases plan it.

use super::tests::schema;
use super::{Verdict, accesses, unindexed_sorts};
use crate::schema::Schema;
use crate::sql::{Dialect, resolve};

use Dialect::{MySql, Postgres, Sqlite};
use Verdict::{Served, Unserved};

/// The index that each sort of a query asks for; empty if it asks for none.
fn sorts(schema: &Schema, sql: &str) -> Vec<String> {
    let query = resolve(sql, schema.dialect, Some(schema)).expect("it parses");
    let wanted = unindexed_sorts(&query, schema).into_iter().map(|sort| sort.wanted);
    wanted
        .map(|wanted| {
            wanted.and_then(|it| it.index(schema)).map_or_else(String::new, |it| it.ddl(schema.dialect))
        })
        .collect()
}

/// Checks which orders of the first rows of `t` indexes give.
#[track_caller]
fn check_orders(schema: &Schema, given: &[&str], sorted: &[&str]) {
    for (orders, is_sorted) in [(given, false), (sorted, true)] {
        for order in orders {
            let found = sorts(schema, &format!("SELECT id FROM t ORDER BY {order} LIMIT 5"));
            assert_eq!(!found.is_empty(), is_sorted, "{order}: {found:?}");
        }
    }
}

/// Checks the verdict on the first table of each condition on `t`, and that no advice is the index that is there.
#[track_caller]
fn check_conditions(schema: &Schema, conditions: &[(&str, Verdict)]) {
    for (condition, verdict) in conditions {
        let query = resolve(&format!("SELECT * FROM t WHERE {condition}"), schema.dialect, Some(schema));
        let query = query.expect("it parses");
        let found = accesses(&query, schema);
        assert_eq!(found.first().map(|access| access.verdict), Some(*verdict), "{condition}");
        if *verdict == Unserved {
            let wanted = found.iter().flat_map(|access| &access.wanted);
            let advice: Vec<_> = wanted.filter_map(|wanted| wanted.index(schema)).collect();
            assert_eq!(advice, [], "{condition}");
        }
    }
}

#[test]
fn a_cast_that_relabels_a_column_is_the_column() {
    let ddl = "CREATE DOMAIN code AS text; CREATE DOMAIN short AS varchar(20); CREATE DOMAIN amount AS int;
               CREATE DOMAIN filled AS text CHECK (VALUE <> '');
               CREATE TABLE t (id int PRIMARY KEY, n text, v varchar(20), c char(10), i int, m numeric(10,2),
                   s short, a amount, ip cidr, at timestamptz(3));
               CREATE INDEX ON t (n); CREATE INDEX ON t (v); CREATE INDEX ON t (c); CREATE INDEX ON t (i);
               CREATE INDEX ON t (m); CREATE INDEX ON t (s); CREATE INDEX ON t (a); CREATE INDEX ON t (ip);
               CREATE INDEX ON t (at); CREATE INDEX ON t (lower(n));";
    let given = [
        "n::text",
        "v::text",
        "n::varchar",
        "v::varchar",
        "v::varchar(30)",
        "v::text, id",
        "n::text::varchar",
        "n::code",
        "c::char(10)",
        "i::int",
        "m::numeric(10,2)",
        "s::varchar",
        "a::int",
        "ip::inet",
        "at::timestamptz(3)",
        "lower(n::varchar)",
    ];
    let sorted = [
        "v::varchar(10)",
        "n::varchar(20)",
        "n::filled",
        "c::text",
        "i::bigint",
        "m::numeric",
        "s::varchar(20)",
        "at::timestamptz",
        "(n::text) COLLATE \"C\"",
    ];
    check_orders(&schema(Postgres, ddl), &given, &sorted);
}

#[test]
fn hints_of_sqlite_are_their_argument_and_a_rowid_has_no_collation() {
    let ddl = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, n INT, b TEXT COLLATE NOCASE);
               CREATE INDEX t_a ON t (a); CREATE INDEX t_n ON t (n); CREATE INDEX t_b ON t (b);";
    let given = [
        "likely(a)",
        "unlikely(n)",
        "likelihood(n, 0.5)",
        "likely(id)",
        "likely(likely(a))",
        "id COLLATE NOCASE",
        "id COLLATE NOCASE DESC",
        "a, id COLLATE NOCASE",
        "likely(b) COLLATE NOCASE",
    ];
    let sorted = ["likely(b)", "n COLLATE NOCASE", "a COLLATE NOCASE", "likely(a) COLLATE NOCASE"];
    check_orders(&schema(Sqlite, ddl), &given, &sorted);
}

#[test]
fn a_cast_to_text_is_another_expression_but_on_postgres() {
    let ddl = "CREATE TABLE t (a text); CREATE INDEX t_a ON t (lower(a));";
    for (dialect, verdict) in [(Sqlite, Unserved), (Postgres, Served)] {
        let schema = schema(dialect, ddl);
        let value = if dialect == Sqlite { "?" } else { "$1" };
        let query = format!("SELECT a FROM t WHERE lower(CAST(a AS text)) = {value}");
        let query = resolve(&query, dialect, Some(&schema)).expect("it parses");
        assert_eq!(accesses(&query, &schema)[0].verdict, verdict, "{dialect:?}");
    }
    let schema = schema(Sqlite, ddl);
    assert_eq!(sorts(&schema, "SELECT a FROM t ORDER BY lower(CAST(a AS text)) LIMIT 5").len(), 1);
    assert_eq!(sorts(&schema, "SELECT a FROM t ORDER BY lower(a) LIMIT 5").len(), 0);
}

#[test]
fn only_the_nearest_rows_come_from_an_index() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, p point, q point, c char(10), n text);
               CREATE INDEX ON t USING gist (p);";
    let schema = schema(Postgres, ddl);
    let given = ["p <-> $1", "p <-> $1 NULLS LAST"];
    check_orders(&schema, &given, &["p <-> $1 DESC", "p <-> $1 NULLS FIRST", "q <-> $1"]);
    for (order, index) in [
        ("q <-> $1", "CREATE INDEX ON t USING gist (q)"),
        ("n <-> $1", "CREATE INDEX ON t USING gist (n gist_trgm_ops)"),
        ("q <-> $1 DESC", ""),
        ("q <-> $1 NULLS FIRST", ""),
        ("c <-> $1", ""),
    ] {
        let found = sorts(&schema, &format!("SELECT id FROM t ORDER BY {order} LIMIT 5"));
        assert_eq!(found, [index], "{order}");
    }
}

#[test]
fn values_that_are_no_texts_are_not_searched_by_a_pattern() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, v varchar(20), d date, n int, y year, e enum('a', 'b'), b varbinary(9),
                   KEY (v), KEY (d), KEY (n), KEY (y), KEY (e), KEY (b))";
    let conditions = [
        ("v LIKE '5%'", Served),
        ("b LIKE '5%'", Served),
        ("d LIKE '2020%'", Unserved),
        ("n LIKE '5%'", Unserved),
        ("y LIKE '19%'", Unserved),
        ("e LIKE 'a%'", Unserved),
    ];
    let schema_of_mysql = schema(MySql, ddl);
    check_conditions(&schema_of_mysql, &conditions);
    for (condition, instead) in [("d LIKE '2020%'", true), ("d LIKE '%20'", false), ("n LIKE '5%'", false)] {
        let query = resolve(&format!("SELECT * FROM t WHERE {condition}"), MySql, Some(&schema_of_mysql));
        let found = accesses(&query.expect("it parses"), &schema_of_mysql);
        assert!(found.iter().all(|access| access.wanted.is_empty()), "{condition}");
        let hindrance = found.iter().find_map(|access| access.hindrance.as_ref());
        let says_range = hindrance.is_some_and(|it| it.instead.contains("a range"));
        assert_eq!(says_range, instead, "{condition}");
    }
    let ddl = "CREATE TABLE t (n INT, a TEXT); CREATE INDEX t_n ON t (n COLLATE NOCASE);
               CREATE INDEX t_a ON t (a COLLATE NOCASE);";
    check_conditions(&schema(Sqlite, ddl), &[("a LIKE '5%'", Served), ("n LIKE '5%'", Unserved)]);
}

#[test]
fn a_relevance_that_every_row_reaches_is_not_searched() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, v text, FULLTEXT KEY (v))";
    let conditions = [
        ("MATCH (v) AGAINST ('x')", Served),
        ("MATCH (v) AGAINST ('x') > 0", Served),
        ("MATCH (v) AGAINST ('x') > 0.5", Served),
        ("MATCH (v) AGAINST ('x') >= 0.5", Served),
        ("0.5 <= MATCH (v) AGAINST ('x')", Served),
        ("MATCH (v) AGAINST ('x') > ?", Served),
        ("MATCH (v) AGAINST ('x') >= 0", Unserved),
        ("MATCH (v) AGAINST ('x') >= 0.0", Unserved),
        ("MATCH (v) AGAINST ('x') > -1", Unserved),
        ("0 <= MATCH (v) AGAINST ('x')", Unserved),
        ("MATCH (v) AGAINST ('x') = 0", Unserved),
        ("MATCH (v) AGAINST ('x') < 1", Unserved),
        ("MATCH (v) AGAINST ('x') <> 0", Unserved),
        ("NOT MATCH (v) AGAINST ('x')", Unserved),
    ];
    check_conditions(&schema(MySql, ddl), &conditions);
}

#[test]
fn a_name_is_compared_in_the_collation_of_a_column_in_byte_order() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, x text COLLATE \"C\" UNIQUE, n text UNIQUE);";
    let conditions = [
        ("x = $1::name", Served),
        ("x > $1::name", Served),
        ("n = $1::text", Served),
        ("n = $1::name", Unserved),
        ("n = ($1::name) COLLATE \"default\"", Served),
    ];
    check_conditions(&schema(Postgres, ddl), &conditions);
}

#[test]
fn a_filter_on_few_values_may_keep_few_rows() {
    let ddl = "CREATE TYPE lane AS ENUM ('slow', 'fast');
               CREATE TABLE t (id int PRIMARY KEY, flag boolean, lane lane, state text CHECK (state IN ('a', 'b')),
                   n int, o int, at timestamptz);";
    let schema = schema(Postgres, ddl);
    for (filter, keeps_most) in [
        ("n <> 5", true),
        ("n <> $1 AND o NOT IN (1, 2)", true),
        ("flag <> true", false),
        ("lane <> 'slow'", false),
        ("state NOT IN ('a')", false),
        ("n <> 5 AND flag <> true", false),
        ("n <> NULL", false),
    ] {
        let sql = format!("SELECT id FROM t WHERE {filter} ORDER BY at LIMIT 5");
        let query = resolve(&sql, Postgres, Some(&schema)).expect("it parses");
        let found: Vec<bool> = unindexed_sorts(&query, &schema).iter().map(|sort| sort.keeps_most).collect();
        assert!(found.iter().all(|found| *found == keeps_most), "{filter}");
        assert!(!keeps_most || !found.is_empty(), "{filter}");
    }
}

#[test]
fn no_advice_is_an_index_that_exists() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, a int, n int, KEY (a), KEY (n DESC))";
    let schema = schema(MySql, ddl);
    for condition in ["a = ?", "n = ?"] {
        let sql = format!("SELECT id FROM t IGNORE INDEX (a, n) WHERE {condition}");
        let query = resolve(&sql, MySql, Some(&schema)).expect("it parses");
        let found = accesses(&query, &schema);
        assert_eq!(found[0].verdict, Unserved, "{condition}");
        assert_eq!(found[0].wanted, [], "{condition}");
    }
}

#[test]
fn a_rowid_is_in_order_and_behind_every_index() {
    let schema = schema(
        Sqlite,
        "CREATE TABLE p (a text NOT NULL, b int); CREATE INDEX p_a ON p (a); CREATE TABLE q (id integer PRIMARY KEY, a text);
         CREATE TABLE k (sku text PRIMARY KEY, oid int); CREATE TABLE w (sku text PRIMARY KEY, n int) WITHOUT ROWID;",
    );
    for sql in [
        "SELECT * FROM p ORDER BY rowid DESC LIMIT 10",
        "SELECT * FROM p ORDER BY oid LIMIT 10",
        "SELECT * FROM q ORDER BY _rowid_ LIMIT 10",
        "SELECT * FROM k ORDER BY rowid DESC LIMIT 1",
        "SELECT * FROM p WHERE a = ? ORDER BY rowid LIMIT 10",
        "SELECT * FROM p ORDER BY a, rowid LIMIT 10",
        "SELECT * FROM p ORDER BY a DESC, oid DESC LIMIT 10",
        "SELECT * FROM p WHERE a > ? OR (a = ? AND rowid > ?) ORDER BY a, rowid LIMIT 10",
    ] {
        assert_eq!(sorts(&schema, sql), [""; 0], "{sql}");
    }
    for (sql, wanted) in [
        ("SELECT * FROM p ORDER BY b LIMIT 10", "CREATE INDEX p_b_idx ON p (b)"),
        ("SELECT * FROM p ORDER BY b, rowid LIMIT 10", "CREATE INDEX p_b_idx ON p (b)"),
        ("SELECT * FROM k ORDER BY oid LIMIT 10", "CREATE INDEX k_oid_idx ON k (oid)"),
    ] {
        assert!(
            sorts(&schema, sql).iter().all(|it| it.starts_with(wanted)),
            "{sql}: {:?}",
            sorts(&schema, sql)
        );
        assert_eq!(sorts(&schema, sql).len(), 1, "{sql}");
    }
}

#[test]
fn what_identifies_a_row_is_no_key_of_an_advised_index() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, n int NOT NULL);
               CREATE TABLE two (x int, y int, a int NOT NULL, PRIMARY KEY (x, y));";
    let rowid = ddl.replace("id int", "id integer");
    for (dialect, ddl, sql, expected) in [
        (MySql, ddl, "FROM t WHERE a = ? ORDER BY id DESC", "t (a)"),
        (MySql, ddl, "FROM t WHERE a = ? ORDER BY n DESC, id DESC", "t (a, n)"),
        (MySql, ddl, "FROM t WHERE a = ? ORDER BY n DESC, id", "t (a, n, id DESC)"),
        (MySql, ddl, "FROM two WHERE a = ? ORDER BY x, y", "two (a)"),
        (MySql, ddl, "FROM two WHERE a = ? ORDER BY y, x", "two (a, y)"),
        (Sqlite, &rowid, "FROM t WHERE a = ? ORDER BY id DESC", "t (a)"),
        (Sqlite, &rowid, "FROM t WHERE a = ? ORDER BY n, id", "t (a, n)"),
        (Postgres, ddl, "FROM t WHERE a = $1 ORDER BY id DESC", "t (a, id)"),
    ] {
        let schema = schema(dialect, ddl);
        let query = resolve(&format!("SELECT a {sql} LIMIT 5"), dialect, Some(&schema)).expect("it parses");
        let found = accesses(&query, &schema);
        let wanted = found.iter().flat_map(|access| &access.wanted).filter_map(|it| it.index(&schema));
        let ddl: Vec<String> = wanted.map(|it| it.ddl(dialect)).collect();
        assert!(ddl.len() == 1 && ddl[0].ends_with(&format!(" ON {expected}")), "{dialect:?} {sql}: {ddl:?}");
    }
}
