//! Verdicts that depend on what a column is compared with.

use super::*;

#[test]
fn any_key_of_a_gist_index_is_searched() {
    let ddl =
        "CREATE EXTENSION btree_gist; CREATE TABLE g (id bigint PRIMARY KEY, a int, r int4range, p point);
               CREATE INDEX g_ar ON g USING gist (a, r); CREATE INDEX g_p ON g USING spgist (p);";
    check(Postgres, ddl, "SELECT id FROM g WHERE r && $1", &[Served]);
    check(Postgres, ddl, "SELECT id FROM g WHERE a > $1", &[Served]);
    check(Postgres, ddl, "SELECT id FROM g WHERE a IS NULL", &[Served]);
    check(Postgres, ddl, "SELECT id FROM g WHERE r < $1", &[Unserved]);
    check(Postgres, ddl, "SELECT id FROM g WHERE p <@ $1::box", &[Served]);
}

#[test]
fn the_value_of_a_single_row_filters_a_table() {
    let ddl = "CREATE TABLE a (id bigint PRIMARY KEY, code text); CREATE TABLE b (id bigint PRIMARY KEY, code text, n int);";
    for (sql, expect) in [
        ("SELECT a.id FROM a JOIN b ON lower(b.code) = a.code WHERE a.id = $1", [Served, Unserved]),
        ("SELECT a.id FROM a JOIN b ON b.code = a.code WHERE a.code = $1", [Unserved, Unserved]),
        ("SELECT a.id FROM a JOIN b ON b.code = a.code", [Full, Full]),
        ("SELECT a.id FROM a JOIN b ON b.code <> a.code WHERE a.id = $1", [Served, Full]),
    ] {
        check(Postgres, ddl, sql, &expect);
    }
    for source in ["(VALUES ($1::text))", "(SELECT $1::text)"] {
        let merge =
            format!("MERGE INTO b USING {source} AS s(code) ON b.code = s.code WHEN MATCHED THEN DELETE");
        check(Postgres, ddl, &merge, &[Unserved]);
    }
    check(Postgres, ddl, "SELECT b.id FROM unnest($1::text[]) AS s(c) JOIN b ON b.code = s.c", &[Full]);
}

#[test]
fn expressions_and_their_negation() {
    let ddl = "CREATE TABLE m (id bigint PRIMARY KEY, d jsonb, c char(5));
               CREATE INDEX m_b ON m (((d->>'b')::boolean)); CREATE INDEX m_c ON m (lower(c));";
    check(Postgres, ddl, "SELECT id FROM m WHERE NOT (d->>'b')::bool", &[Served]);
    check(Postgres, ddl, "SELECT id FROM m WHERE lower(c::text) = $1", &[Served]);
    check(Postgres, ddl, "SELECT id FROM m WHERE c::text = $1", &[Unserved]);
}

#[test]
fn values_that_cast_the_column() {
    let ddl = "CREATE TABLE i (id bigint PRIMARY KEY, v varchar(20) UNIQUE, t text UNIQUE);";
    check(Postgres, ddl, "SELECT id FROM i WHERE v = $1::char(3)", &[Unserved]);
    check(Postgres, ddl, "SELECT id FROM i WHERE t = $1::char(3)", &[Served]);
    check(Postgres, ddl, "SELECT id FROM i WHERE t = $1::name", &[Unserved]);
    let ddl =
        "CREATE TABLE i (id int PRIMARY KEY, n int, v varchar(20), KEY (n), KEY (v), FULLTEXT KEY f (v));";
    check(MySql, ddl, "SELECT id FROM i WHERE n LIKE '5%'", &[Unserved]);
    check(MySql, ddl, "SELECT id FROM i WHERE v LIKE '5%'", &[Served]);
    check(MySql, ddl, "SELECT id FROM i WHERE v = 1 + 1", &[Unserved]);
    check(MySql, ddl, "SELECT id FROM i WHERE v = (SELECT 5)", &[Unserved]);
    check(MySql, ddl, "SELECT id FROM i WHERE MATCH (v) AGAINST (?) > 0.5", &[Served]);
}

#[test]
fn any_of_several_patterns() {
    let ddl = "CREATE EXTENSION ltree; CREATE TABLE m (id bigint PRIMARY KEY, p ltree, j jsonb);
               CREATE INDEX m_j ON m USING gin (j);";
    check(Postgres, ddl, "SELECT id FROM m WHERE j @> ANY ($1)", &[Served]);
    check(Postgres, ddl, "SELECT id FROM m WHERE p @> ANY ($1)", &[Unserved]);
}

#[test]
fn versions_of_rows_have_no_single_key() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, a int, KEY (a)) WITH SYSTEM VERSIONING;";
    check(MySql, ddl, "SELECT row_start FROM t FOR SYSTEM_TIME ALL WHERE id = ?", &[Served]);
    let schema = schema(MySql, ddl);
    let rows = |sql: &str| {
        let query = resolve(sql, MySql, Some(&schema)).expect("it parses");
        assert_eq!(query.problems, [], "{sql}");
        crate::cardinality::of(&query, Some(&schema)).rows.as_str()
    };
    assert_eq!(rows("SELECT a FROM t FOR SYSTEM_TIME ALL WHERE id = ?"), "many");
    assert_eq!(rows("SELECT a FROM t FOR SYSTEM_TIME BETWEEN ? AND ? x WHERE x.id = ?"), "many");
    assert_eq!(rows("SELECT a FROM t FOR SYSTEM_TIME AS OF NOW() WHERE id = ?"), "one");
}
