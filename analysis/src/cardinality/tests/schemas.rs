//! Rows on schemas of the cases' own, in every dialect.

use crate::cardinality::*;
use crate::sql::{Dialect, resolve};

/// Checks a query of tables of its own.
#[track_caller]
fn check_with(dialect: Dialect, ddl: &str, sql: &str, rows: Rows) {
    let mut replay = crate::schema::Replay::new(dialect);
    replay.apply(ddl, "schema.sql");
    let query = resolve(sql, dialect, Some(&replay.schema)).expect("it parses");
    assert_eq!(of(&query, Some(&replay.schema)).rows, rows, "{sql}");
}

#[test]
fn numbers_that_a_query_gives_to_its_rows() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, k int, n int);";
    let check = |over: &str, filter: &str, rows: Rows| {
        let sql =
            format!("SELECT id FROM (SELECT *, row_number() OVER ({over}) AS nr FROM t) x WHERE {filter}");
        check_with(Dialect::Postgres, ddl, &sql, rows);
    };
    check("ORDER BY n", "nr = 1", Rows::One);
    check("ORDER BY n", "nr <= 10", Rows::Bounded);
    check("ORDER BY n", "nr > 10", Rows::Many);
    check("PARTITION BY k ORDER BY n", "nr = 1", Rows::Many);
    check("PARTITION BY k ORDER BY n", "nr = 1 AND k = $1", Rows::One);
    check("PARTITION BY k ORDER BY n", "nr < 3 AND k = ANY ($1)", Rows::Bounded);
}

#[test]
fn functions_of_the_select_list_make_rows() {
    check_with(Dialect::Postgres, "", "SELECT unnest($1::int[])", Rows::Bounded);
    check_with(Dialect::Postgres, "", "SELECT generate_series(1, 3)", Rows::Bounded);
    check_with(Dialect::Postgres, "", "SELECT generate_series(1, $1)", Rows::Many);
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, n int);";
    check_with(Dialect::Postgres, ddl, "SELECT generate_series(1, n) FROM t WHERE id = $1", Rows::Many);
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, n int);
               CREATE FUNCTION fs(int) RETURNS SETOF int LANGUAGE sql AS 'SELECT n FROM t';
               CREATE FUNCTION f1(int) RETURNS int LANGUAGE sql AS 'SELECT 1';";
    check_with(Dialect::Postgres, ddl, "SELECT fs(n) FROM t WHERE id = $1", Rows::Many);
    check_with(Dialect::Postgres, ddl, "SELECT f1(n) FROM t WHERE id = $1", Rows::One);
}

#[test]
fn each_dialect_has_its_own_ways_to_one_row() {
    let ddl = "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE q () INHERITS (p);";
    check_with(Dialect::Postgres, ddl, "SELECT 1 FROM ONLY p WHERE id = $1", Rows::One);
    check_with(Dialect::Postgres, ddl, "SELECT 1 FROM p WHERE id = $1", Rows::Many);
    let ddl = "CREATE TABLE t (a TEXT);";
    for name in ["rowid", "_rowid_", "oid"] {
        check_with(Dialect::Sqlite, ddl, &format!("SELECT a FROM t WHERE {name} = ?"), Rows::One);
    }
    check_with(Dialect::Sqlite, ddl, "SELECT a FROM t LIMIT -1", Rows::Many);
    check_with(Dialect::MySql, ddl, "SELECT 1 FROM DUAL WHERE EXISTS (SELECT 1 FROM t)", Rows::One);
}

/// How many rows a query returns with a schema of its own.
#[track_caller]
fn rows_of(dialect: Dialect, ddl: &str, sql: &str, expect: Rows) {
    let mut replay = crate::schema::Replay::new(dialect);
    replay.apply(ddl, "schema.sql");
    assert_eq!(replay.problems, []);
    let query = resolve(sql, dialect, Some(&replay.schema)).expect("it parses");
    assert_eq!(of(&query, Some(&replay.schema)).rows, expect, "{sql}");
}

#[test]
fn a_truth_is_one_value() {
    let ddl = "CREATE TABLE f (k int, flag boolean, v int, PRIMARY KEY (k, flag)); CREATE VIEW w AS SELECT * FROM f;";
    for dialect in [Dialect::Postgres, Dialect::MySql, Dialect::Sqlite] {
        // A text that is not a number is not true either, and a column of SQLite may hold any.
        let negated = if dialect == Dialect::Sqlite { Rows::Many } else { Rows::One };
        rows_of(dialect, ddl, "SELECT v FROM f WHERE k = 1 AND NOT flag", negated);
        rows_of(dialect, ddl, "SELECT v FROM w WHERE k = 1 AND NOT flag", negated);
        rows_of(dialect, ddl, "SELECT v FROM f WHERE k = 1 AND flag = TRUE", Rows::One);
    }
    rows_of(Dialect::Postgres, ddl, "SELECT v FROM f WHERE k = 1 AND flag IS TRUE", Rows::One);
    rows_of(Dialect::Postgres, ddl, "SELECT v FROM f WHERE k = 1 AND flag IS NOT TRUE", Rows::Many);
    // Any number but zero is true.
    rows_of(Dialect::MySql, ddl, "SELECT v FROM f WHERE k = 1 AND flag", Rows::Many);
}

#[test]
fn negations_and_equal_columns() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, a int); CREATE TABLE u (t_id int, n int);";
    for (sql, expect) in [
        ("SELECT a FROM t WHERE NOT (id <> $1)", Rows::One),
        ("SELECT a FROM t WHERE NOT (id <> $1 OR a > 3)", Rows::One),
        ("SELECT a FROM t WHERE NOT (id NOT IN (1, 2))", Rows::Bounded),
        ("SELECT a FROM t WHERE NOT (id = $1)", Rows::Many),
        ("SELECT a FROM t WHERE id = a AND a = $1", Rows::One),
        ("SELECT a FROM t JOIN u ON u.t_id = t.id WHERE u.t_id = $1", Rows::Many),
        ("SELECT t.a FROM t, (SELECT 1 AS x) s WHERE t.id = t.a AND t.a = s.x", Rows::One),
    ] {
        rows_of(Dialect::Postgres, ddl, sql, expect);
    }
}

#[test]
fn ties_are_no_bound() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, a int);";
    let rows = |order: &str, expect| {
        let sql = format!("SELECT id FROM t ORDER BY {order} FETCH FIRST 3 ROWS WITH TIES");
        rows_of(Dialect::Postgres, ddl, &sql, expect);
    };
    rows("a", Rows::Many);
    rows("a, id", Rows::Bounded);
    // NULL ties with NULL.
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE, v int NOT NULL UNIQUE, a int[]);
        CREATE TABLE o (id int PRIMARY KEY, t_id int);";
    for (rest, expect) in [
        ("t.id FROM t ORDER BY u", Rows::Many),
        ("t.id FROM t WHERE u > 0 ORDER BY u", Rows::Many),
        ("t.id FROM t ORDER BY v", Rows::Bounded),
        ("t.id, unnest(a) FROM t ORDER BY v", Rows::Many),
        ("t.id FROM t RIGHT JOIN o ON o.t_id = t.id ORDER BY t.id", Rows::Many),
        ("o.id FROM o LEFT JOIN t ON o.t_id = t.id ORDER BY o.id", Rows::Bounded),
        ("o.id FROM o LEFT JOIN t ON o.t_id = t.id ORDER BY t.id, o.id", Rows::Bounded),
        ("o.id FROM o FULL JOIN t ON o.t_id = t.id ORDER BY o.id, t.id", Rows::Many),
    ] {
        let sql = format!("SELECT {rest} FETCH FIRST 3 ROWS WITH TIES");
        rows_of(Dialect::Postgres, ddl, &sql, expect);
    }
}

#[test]
fn equal_columns_of_other_types_and_collations_may_have_several_values() {
    for (dialect, key, other, value, expect) in [
        (Dialect::Sqlite, "TEXT", "INT", "5", Rows::Many),
        (Dialect::Sqlite, "TEXT", "TEXT COLLATE NOCASE", "'x'", Rows::Many),
        (Dialect::Sqlite, "TEXT", "TEXT", "'x'", Rows::One),
        (Dialect::Postgres, "text", "citext", "'x'", Rows::Many),
        (Dialect::Postgres, "numeric", "double precision", "0.1", Rows::Many),
        (Dialect::Postgres, "varchar(5)", "char(5)", "'x'", Rows::Many),
        (Dialect::Postgres, "bigint", "int", "1", Rows::One),
        (Dialect::Postgres, "uuid", "uuid", "$1", Rows::One),
        (Dialect::MySql, "varchar(9)", "int", "5", Rows::Many),
        (
            Dialect::MySql,
            "varchar(9) COLLATE utf8mb4_bin",
            "varchar(9) COLLATE utf8mb4_general_ci",
            "'x'",
            Rows::Many,
        ),
        (Dialect::MySql, "varchar(9)", "varchar(9)", "'x'", Rows::One),
    ] {
        let ddl = format!("CREATE TABLE t (k {key} NOT NULL, a {other} NOT NULL, PRIMARY KEY (k));");
        rows_of(dialect, &ddl, &format!("SELECT k FROM t WHERE k = a AND a = {value}"), expect);
    }
}

#[test]
fn a_negated_flag_has_one_value_where_it_holds_no_text() {
    for (dialect, ty, expect) in [
        (Dialect::Postgres, "boolean", Rows::One),
        (Dialect::MySql, "boolean", Rows::One),
        (Dialect::MySql, "tinyint(1) unsigned", Rows::One),
        (Dialect::MySql, "time(2)", Rows::Many),
        (Dialect::MySql, "varchar(9)", Rows::Many),
        (Dialect::Sqlite, "BOOLEAN", Rows::Many),
        (Dialect::Sqlite, "INTEGER", Rows::Many),
    ] {
        let ddl = format!("CREATE TABLE t (k int, flag {ty}, PRIMARY KEY (k, flag));");
        rows_of(dialect, &ddl, "SELECT k FROM t WHERE k = 1 AND NOT flag", expect);
    }
}

#[test]
fn nested_alternatives_of_equal_columns_are_followed_from_the_outside() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, a int, b int, c int);";
    let mut condition = "(a = 1)".to_owned();
    for _ in 0..12 {
        condition = format!("(id = a AND a = b AND b = c AND ({condition} OR c = b AND c = 5))");
    }
    rows_of(Dialect::Postgres, ddl, &format!("SELECT id FROM t WHERE {condition}"), Rows::Many);
    rows_of(Dialect::Postgres, ddl, "SELECT id FROM t WHERE id = a AND (a = 1 OR a = 2)", Rows::Bounded);
}

#[test]
fn rows_without_duplicates_are_one_where_every_column_is_given() {
    let ddl = "CREATE TABLE a (id int PRIMARY KEY, k int, j int); CREATE TABLE b (k int, j int);
               CREATE VIEW v AS SELECT DISTINCT k FROM a; CREATE VIEW u AS SELECT k, j FROM a UNION SELECT k, j FROM b;
               CREATE VIEW w AS SELECT k, j FROM a UNION ALL SELECT k, j FROM b;
               CREATE VIEW s AS SELECT DISTINCT * FROM b;";
    for (sql, rows) in [
        ("SELECT k FROM v WHERE k = 1", Rows::One),
        ("SELECT k FROM v WHERE k IN (1, 2)", Rows::Bounded),
        ("SELECT k FROM v", Rows::Many),
        ("SELECT k FROM u WHERE k = 1 AND j = 2", Rows::One),
        ("SELECT k FROM u WHERE k = 1", Rows::Many),
        ("SELECT k FROM w WHERE k = 1 AND j = 2", Rows::Many),
        ("SELECT k FROM s WHERE k = 1 AND j = 2", Rows::One),
        ("SELECT x.k FROM (SELECT DISTINCT k, j FROM a) x WHERE x.k = 1 AND x.j = 2", Rows::One),
        ("SELECT x.k FROM (SELECT DISTINCT k, j FROM a) x WHERE x.k = 1", Rows::Many),
        ("WITH x AS (SELECT k FROM a EXCEPT SELECT k FROM b) SELECT k FROM x WHERE k = 1", Rows::One),
        ("SELECT v.k FROM a JOIN v ON v.k = a.k WHERE a.id = 1", Rows::One),
    ] {
        for dialect in Dialect::ALL {
            check_with(dialect, ddl, sql, rows);
        }
    }
}

#[test]
fn a_key_that_is_a_generated_constant_has_one_row() {
    let key = |of: &str| format!("CREATE TABLE c (one int GENERATED ALWAYS AS ({of}) STORED UNIQUE, v int);");
    for dialect in Dialect::ALL {
        check_with(dialect, &key("1"), "SELECT v FROM c", Rows::One);
        check_with(dialect, &key("NULL"), "SELECT v FROM c", Rows::Many);
        check_with(dialect, &key("v % 2"), "SELECT v FROM c", Rows::Many);
    }
}

#[test]
fn a_collation_that_ignores_case_finds_several_rows_of_a_key() {
    let ddl = "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
               CREATE COLLATION de (provider = icu, locale = 'de');
               CREATE TABLE u (id int PRIMARY KEY, mail text UNIQUE, nick text COLLATE ci UNIQUE);";
    let check = |filter: &str, rows: Rows| {
        check_with(Dialect::Postgres, ddl, &format!("SELECT id FROM u WHERE {filter}"), rows);
    };
    check("mail = $1 COLLATE ci", Rows::Many);
    check("mail = $1 COLLATE de", Rows::One);
    check("mail = $1", Rows::One);
    check("nick = $1 COLLATE ci", Rows::One);
}

#[test]
fn values_that_many_keys_are_equal_to() {
    let ddl = "CREATE TABLE a (id int PRIMARY KEY, mail varchar(90) NOT NULL UNIQUE); CREATE TABLE p (id int PRIMARY KEY, n int);";
    for (condition, rows) in [
        ("mail = 5", Rows::Many),
        ("mail = DATE '2020-01-01'", Rows::Many),
        ("mail = '5'", Rows::One),
        ("mail = ?", Rows::One),
        ("id = '5'", Rows::One),
    ] {
        check_with(Dialect::MySql, ddl, &format!("SELECT id FROM a WHERE {condition}"), rows);
    }
    let ddl = "CREATE TABLE a (id INTEGER PRIMARY KEY, mail TEXT UNIQUE);";
    check_with(Dialect::Sqlite, ddl, "SELECT id FROM a WHERE mail = CAST(? AS INTEGER)", Rows::Many);
    check_with(Dialect::Sqlite, ddl, "SELECT id FROM a WHERE mail = 5", Rows::One);
}

#[test]
fn what_else_is_of_one_row() {
    let ddl = "CREATE TABLE a (id int PRIMARY KEY, k int); CREATE TABLE x (v int, w int, EXCLUDE (v WITH =));
               CREATE TABLE r (v int, w int, EXCLUDE (v WITH =, w WITH <>));
               CREATE TABLE p (d int) PARTITION BY LIST (d); CREATE TABLE p1 PARTITION OF p DEFAULT;";
    for (sql, rows) in [
        ("SELECT * FROM pg_try_advisory_xact_lock($1)", Rows::One),
        ("SELECT * FROM jsonb_to_record($1) AS x(a int)", Rows::One),
        ("SELECT * FROM jsonb_to_recordset($1) AS x(a int)", Rows::Bounded),
        ("SELECT id FROM a WHERE ctid = $1", Rows::One),
        ("SELECT d FROM p WHERE ctid = $1", Rows::Many),
        ("SELECT w FROM x WHERE v = $1", Rows::One),
        ("SELECT w FROM r WHERE v = $1", Rows::Many),
    ] {
        check_with(Dialect::Postgres, ddl, sql, rows);
    }
}

#[test]
fn having_chooses_groups_and_distinct_keeps_one_row_of_each_value() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, a int, b int, c text);
        CREATE AGGREGATE last_of (int) (SFUNC = int4larger, STYPE = int);";
    let grouped = |by: &str, having: &str, rows| {
        let sql = format!("SELECT count(*) FROM t GROUP BY {by} HAVING {having}");
        check_with(Dialect::Postgres, ddl, &sql, rows);
    };
    grouped("a", "a = $1", Rows::One);
    grouped("a", "a = ANY ($1)", Rows::Bounded);
    grouped("a, b", "a = $1 AND b IN (1, 2) AND count(*) > 1", Rows::Bounded);
    grouped("lower(c)", "lower(c) = $1", Rows::One);
    grouped("a, b", "a = $1", Rows::Many);
    grouped("a", "a = count(*)", Rows::Many);
    grouped("a", "a = last_of(b)", Rows::Many);
    grouped("a", "count(*) = 3", Rows::Many);
    grouped("ROLLUP (a)", "a = $1", Rows::Many);
    let distinct = |select: &str, filter: &str, rows| {
        check_with(Dialect::Postgres, ddl, &format!("SELECT DISTINCT {select} FROM t WHERE {filter}"), rows);
    };
    distinct("a", "a IN (1, 2)", Rows::Bounded);
    distinct("a, b", "a = ANY ($1) AND b = $2", Rows::Bounded);
    distinct("a, now()", "a IN (1, 2)", Rows::Bounded);
    distinct("ON (a) id", "a = ANY ($1)", Rows::Bounded);
    distinct("a, b", "a IN (1, 2)", Rows::Many);
    distinct("a, random()", "a IN (1, 2)", Rows::Many);
    distinct("ON (a, b) id", "a = ANY ($1)", Rows::Many);
    distinct("a, generate_series(1, b)", "a IN (1, 2)", Rows::Many);
}
