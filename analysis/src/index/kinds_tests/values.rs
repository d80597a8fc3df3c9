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
    check(Postgres, ddl, "SELECT id FROM i WHERE t IS NOT DISTINCT FROM NULL", &[Served]);
    check(Postgres, ddl, "SELECT id FROM i WHERE t IS DISTINCT FROM NULL AND v = $1", &[Served]);
    check(Postgres, ddl, "SELECT id FROM i WHERE t IS NOT DISTINCT FROM $1", &[Unserved]);
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

#[test]
fn a_value_between_columns_is_two_ranges() {
    let ddl = "CREATE TABLE p (id bigint PRIMARY KEY, s timestamptz NOT NULL, e timestamptz NOT NULL, n int);
               CREATE INDEX p_s ON p (s); CREATE TABLE q (id bigint PRIMARY KEY, at timestamptz);";
    check(Postgres, ddl, "SELECT id FROM p WHERE now() BETWEEN s AND e", &[Served]);
    check(Postgres, ddl, "SELECT id FROM p WHERE $1 BETWEEN e AND s", &[Served]);
    check(Postgres, ddl, "SELECT id FROM p WHERE $1 BETWEEN e AND n", &[Unserved]);
    check(Postgres, ddl, "SELECT id FROM p WHERE $1 NOT BETWEEN s AND e", &[Unserved]);
    check(Postgres, ddl, "SELECT id FROM p WHERE e BETWEEN s AND now()", &[Unserved]);
    let ddl = "CREATE TABLE p (id int PRIMARY KEY, lo int, hi int, KEY (hi));";
    check(MySql, ddl, "SELECT id FROM p WHERE ? BETWEEN lo AND hi", &[Served]);
    let ddl = "CREATE TABLE p (id INTEGER PRIMARY KEY, lo INT, hi INT); CREATE INDEX p_hi ON p (hi);";
    check(Sqlite, ddl, "SELECT id FROM p WHERE ? BETWEEN lo AND hi", &[Served]);
}

#[test]
fn casts_of_columns_to_their_own_types() {
    let ddl = "CREATE TYPE st AS ENUM ('a', 'b');
               CREATE TABLE c (id bigint PRIMARY KEY, n int UNIQUE, d numeric(10,2) UNIQUE, c char(3) UNIQUE, e st UNIQUE,
               t timestamp UNIQUE);";
    for own in ["n::int", "n::int4", "d::numeric(10, 2)", "d::numeric", "c::char(3)", "c::bpchar", "e::st"] {
        check(Postgres, ddl, &format!("SELECT id FROM c WHERE {own} = $1"), &[Served]);
    }
    for other in ["n::bigint", "c::char", "t::timestamptz", "t::date", "d::numeric(10,1)"] {
        check(Postgres, ddl, &format!("SELECT id FROM c WHERE {other} = $1"), &[Unserved]);
    }
}

#[test]
fn what_mysql_reads_by_other_words() {
    let ddl = "CREATE TABLE i (id int PRIMARY KEY, n int, v varchar(20), KEY i_number (n), KEY i_v (v), KEY i_w (v, n));";
    check(MySql, ddl, "SELECT id FROM i WHERE ISNULL(n)", &[Served]);
    check(MySql, ddl, "SELECT id FROM i WHERE ISNULL(n) = 1", &[Unserved]);
    check(MySql, ddl, "SELECT id FROM i WHERE v SOUNDS LIKE 'x'", &[Unserved]);
    // The beginning of a name is enough, if it is that of one index.
    check(MySql, ddl, "SELECT id FROM i IGNORE INDEX (i_num) WHERE n = ?", &[Unserved]);
    check(MySql, ddl, "SELECT id FROM i IGNORE INDEX (i_) WHERE n = ?", &[Served]);
}

#[test]
fn rows_are_looked_up_in_those_of_one_select() {
    let ddl = "CREATE TABLE r (id INTEGER PRIMARY KEY, b INT, c INT); CREATE INDEX r_bc ON r (b, c);
               CREATE TABLE u (x INT, y INT);";
    check(Sqlite, ddl, "SELECT id FROM r WHERE (b, c) IN (SELECT x, y FROM u)", &[Served, Full]);
    let union = "(SELECT x, y FROM u UNION SELECT y, x FROM u)";
    check(Sqlite, ddl, &format!("SELECT id FROM r WHERE (b, c) IN {union}"), &[Unserved, Full, Full]);
}

#[test]
fn predicates_in_other_words() {
    let ddl = "CREATE TABLE a (id bigint PRIMARY KEY, z int, n int, state text);
               CREATE INDEX a_or ON a (z) WHERE state = 'new' OR state = 'run'; CREATE INDEX a_z ON a (n) WHERE n IS NOT NULL;";
    check(Postgres, ddl, "SELECT id FROM a WHERE z = $1 AND state IN ('new', 'run')", &[Served]);
    check(Postgres, ddl, "SELECT id FROM a WHERE z = $1 AND state = 'run'", &[Served]);
    check(Postgres, ddl, "SELECT id FROM a WHERE z = $1 AND state IN ('new', 'old')", &[Unserved]);
    let own = "CREATE TABLE b (id bigint PRIMARY KEY, z int, act boolean); CREATE INDEX b_z ON b (z) WHERE coalesce(act, false);
               CREATE INDEX b_i ON b (id) WHERE act;";
    check(Postgres, own, "SELECT id FROM b WHERE z = $1 AND coalesce(act, false) = true", &[Served]);
    check(Postgres, own, "SELECT id FROM b WHERE z = $1 AND coalesce(act, false) = false", &[Unserved]);
    check(Postgres, own, "SELECT id FROM b WHERE z = (2^3)", &[Unserved]);
    // What the predicate says anyway is dropped, and searches nothing.
    check(Postgres, ddl, "SELECT id FROM a WHERE n IS NOT NULL AND z = $1", &[Unserved]);
    check(Postgres, ddl, "SELECT id FROM a WHERE n IS NOT NULL", &[Served]);
    check(Postgres, ddl, "SELECT id FROM a WHERE n > $1", &[Served]);
}

#[test]
fn a_unique_key_is_looked_up_for_the_rows_of_a_table_that_is_read_in_full_anyway() {
    let ddl =
        "CREATE TABLE setting (owner bigint, name text, value jsonb, at date, PRIMARY KEY (owner, name));
               CREATE TABLE pending (id bigint PRIMARY KEY, owner bigint, kind text);";
    let join = "SELECT p.id FROM pending p JOIN setting s ON s.owner = p.owner AND s.name = 'mail'";
    check(Postgres, ddl, &format!("{join} WHERE s.value = $1"), &[Full, Served]);
    // An index would lead to few rows of it, or to those of the other table.
    check(Postgres, ddl, &format!("{join} WHERE s.at = $1"), &[Full, Unserved]);
    check(Postgres, ddl, &format!("{join} WHERE p.kind = $1 AND s.value = $2"), &[Unserved, Served]);
}

#[test]
fn an_index_that_begins_with_what_is_compared_is_named_with_what_it_lacks() {
    let ddl = "CREATE TABLE t (id bigint PRIMARY KEY, owner bigint, is_on boolean, code text, gone date);
               CREATE TABLE s (code text PRIMARY KEY, slot bigint UNIQUE);
               CREATE INDEX t_owner ON t (owner) WHERE is_on; CREATE UNIQUE INDEX t_code ON t (code);";
    let schema = schema(Postgres, ddl);
    for (sql, expected) in [
        (
            "SELECT id FROM t WHERE owner = $1",
            "index `t_owner` holds only rows with `is_on`, which the query does not ask for",
        ),
        ("SELECT id FROM t WHERE gone = $1", "no index of `t` begins with what the query compares"),
        (
            "SELECT count(*) FROM t JOIN s ON t.code = s.code WHERE s.slot >= $1 AND t.gone IS NULL",
            "index `t_code` would be searched once for each row that is joined, which costs more than reading all",
        ),
    ] {
        let query = resolve(sql, Postgres, Some(&schema)).expect("it parses");
        let accesses = accesses(&query, &schema);
        let unserved = accesses.iter().find(|access| access.verdict == Unserved);
        assert_eq!(unserved.map(|access| access.why.as_str()), Some(expected), "{sql}");
    }
}

#[test]
fn a_name_is_compared_by_its_own_collation() {
    let ddl = "CREATE EXTENSION citext;
               CREATE TABLE d (id bigint PRIMARY KEY, o text, v varchar(40), n name, c text COLLATE \"C\", i citext, b text);
               CREATE INDEX ON d (o); CREATE INDEX ON d (v); CREATE INDEX ON d (n); CREATE INDEX ON d (c);
               CREATE INDEX ON d (i); CREATE INDEX ON d (b COLLATE \"C\");";
    for (condition, expect) in [
        ("o = current_user", Unserved),
        ("o = current_user::text", Unserved),
        ("o = lower(session_user)", Unserved),
        ("o = current_schema() || 'x'", Unserved),
        ("o = (SELECT current_database())", Unserved),
        ("o IN (current_user, 'x')", Unserved),
        ("o = ANY (ARRAY[current_user, session_user])", Unserved),
        ("v = current_user", Unserved),
        ("i = current_user", Unserved),
        ("n = current_user", Served),
        ("c = current_user", Served),
        ("b = current_user", Served),
        ("o = current_user::text COLLATE \"default\"", Served),
        ("o = to_jsonb(current_user)->>0", Served),
        ("o = current_setting('app.user')", Served),
    ] {
        check(Postgres, ddl, &format!("SELECT id FROM d WHERE {condition}"), &[expect]);
    }
}

/// As PostgreSQL 15 plans them.
#[test]
fn an_operator_class_has_operators_for_some_types() {
    let ddl = "CREATE EXTENSION btree_gin; CREATE EXTENSION btree_gist; CREATE EXTENSION pg_trgm;
               CREATE TABLE m (id bigint PRIMARY KEY, n int, k bigint, s smallint, t text, u text, d date, ts timestamp, p point);
               CREATE INDEX ON m USING gin (n int4_ops, t gin_trgm_ops); CREATE INDEX ON m USING gist (k, s);
               CREATE INDEX ON m USING brin (u text_bloom_ops); CREATE INDEX ON m USING hash (d);
               CREATE INDEX ON m USING gist (ts); CREATE INDEX ON m USING spgist (p);";
    for (condition, expect) in [
        ("n = $1", Served),
        ("n <> 5", Unserved),
        ("k <> $1", Served),
        ("k = $1", Served),
        ("k = 5", Unserved),
        ("k = 5::bigint", Served),
        ("k = ANY ($1::bigint[])", Served),
        ("k = ANY ($1::int[])", Unserved),
        ("s = 5", Unserved),
        ("t <% $1", Unserved),
        ("$1 <% t", Served),
        ("t LIKE '%x%'", Served),
        ("u = $1", Served),
        ("u > $1", Unserved),
        ("d = $1", Served),
        ("d = current_date - 7", Served),
        ("d = current_date - interval '1 day'", Unserved),
        ("ts > now()", Unserved),
        ("ts > localtimestamp - interval '1 day'", Served),
        ("ts BETWEEN $1 AND $2", Served),
        ("p <@ $1::box", Served),
        ("p <@ $1::circle", Unserved),
    ] {
        check(Postgres, ddl, &format!("SELECT id FROM m WHERE {condition}"), &[expect]);
    }
}

/// As MariaDB plans them.
#[test]
fn a_column_is_turned_into_a_time_or_compared_by_a_stricter_collation() {
    let ddl = "CREATE TABLE f (id int PRIMARY KEY, day date);
               CREATE TABLE t (id int PRIMARY KEY, v varchar(30), n int, d date, KEY (v), KEY (n), KEY (d)) COLLATE utf8mb4_general_ci;";
    for (condition, expect) in [
        ("v = CURDATE()", Unserved),
        ("v > NOW() - INTERVAL 1 DAY", Unserved),
        ("v = '2020-01-01' + INTERVAL 1 DAY", Served),
        ("v = DATE_FORMAT(NOW(), '%Y')", Served),
        ("v IN ('2020', CURRENT_DATE)", Unserved),
        ("n = NOW()", Unserved),
        ("n > UNIX_TIMESTAMP()", Served),
        ("n BETWEEN 1 AND COALESCE(NULL, NOW())", Unserved),
        ("d = CURDATE()", Served),
        ("d > 20200101", Served),
        ("v = (SELECT day FROM f WHERE id = 3)", Unserved),
        ("v = 'a' COLLATE utf8mb4_bin", Served),
        ("v IN ('a' COLLATE utf8mb4_bin, 'b')", Served),
        ("v > 'a' COLLATE utf8mb4_bin", Unserved),
        ("v LIKE 'a%' COLLATE utf8mb4_bin", Unserved),
        ("v LIKE 'a%' COLLATE utf8mb4_general_ci", Served),
        ("v = 'a' COLLATE utf8mb4_unicode_ci", Unserved),
        ("v COLLATE utf8mb4_bin = 'a'", Unserved),
    ] {
        let query = resolve(&format!("SELECT * FROM t WHERE {condition}"), MySql, Some(&schema(MySql, ddl)));
        let found = accesses(&query.expect("it parses"), &schema(MySql, ddl));
        let of_t = found.iter().find(|access| access.table.name == "t").expect("an access");
        assert_eq!(of_t.verdict, expect, "{condition}");
    }
}

#[test]
fn mysql_tests_rows_against_subqueries() {
    let ddl = "CREATE TABLE f (id int PRIMARY KEY, p int, KEY (p)); CREATE TABLE t (id int PRIMARY KEY, n int, KEY (n));";
    for (condition, expect) in [
        ("n IN (SELECT id FROM f WHERE p = 5)", Served),
        ("n IN (SELECT id FROM f WHERE p = 5 UNION SELECT 7)", Unserved),
        ("n IN (SELECT id FROM f WHERE p = 5) OR id = 8", Unserved),
        ("n = (SELECT p FROM f WHERE id = 5) OR id = 8", Served),
        ("n >= (SELECT FLOOR(RAND() * 100))", Unserved),
        ("n >= (SELECT FLOOR(100))", Served),
    ] {
        let schema = schema(MySql, ddl);
        let query = resolve(&format!("SELECT * FROM t WHERE {condition}"), MySql, Some(&schema));
        let found = accesses(&query.expect("it parses"), &schema);
        let of_t = found.iter().find(|access| access.table.name == "t").expect("an access");
        assert_eq!(of_t.verdict, expect, "{condition}");
    }
}
