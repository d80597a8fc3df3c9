//! What the planner evaluates before it plans, by examples; each expectation is what PostgreSQL's plan gives.

use super::tests::check_in;
use crate::types::Planned;

const TABLES: &str = "CREATE TABLE t (id bigint PRIMARY KEY, n int NOT NULL, email text NOT NULL, tags text[] NOT NULL, \
        ts timestamptz NOT NULL);
    CREATE TABLE u (id bigint PRIMARY KEY, t_id bigint NOT NULL REFERENCES t, x int NOT NULL, y text NOT NULL);
    CREATE FUNCTION strict_of(int) RETURNS int LANGUAGE plpgsql STRICT AS $$ BEGIN RETURN 1; END $$;
    CREATE FUNCTION lenient(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;";
const JOIN: &str = "SELECT t.id, u.y FROM t LEFT JOIN u ON u.t_id = t.id WHERE";

/// What the columns of the join are with NULL for its parameters, and with any values.
#[track_caller]
fn check(condition: &str, for_nulls: &str, for_any: &str) {
    check_in(TABLES, &format!("{JOIN} {condition}"), Planned::ForNulls, for_nulls);
    check_in(TABLES, &format!("{JOIN} {condition}"), Planned::ForAny, for_any);
}

#[test]
fn a_strict_function_of_null_is_null() {
    for condition in [
        "t.email = md5($1)",
        "t.email = to_char($1::int, '99')",
        "t.email = array_to_string($1::text[], ',')",
        "t.email = trim($1)",
        "t.email = substring($1 from 2)",
        "t.email = ($1::text[])[1]",
        "t.n = strict_of($1)",
        "t.n = nullif($1, 3)",
        "t.n = CASE WHEN $1 > 3 THEN 4 END",
    ] {
        check(condition, "nn", "yn");
    }
    check("t.ts > now() - make_interval(days => $1)", "nn", "yn");
    // What is not strict stays, and what is immutable besides is evaluated.
    check("t.email = concat($1::text, 'a')", "yn", "yn");
    check("t.n = array_position($1::int[], 3)", "??", "yn");
    check("t.n = lenient($1)", "??", "yn");
    // So it stays if it reads a column.
    check("array_position(t.tags, $1) = 3", "yn", "yn");
}

#[test]
fn conditions_of_constants_are_evaluated() {
    check("$1::int IS NULL", "yn", "nn");
    check("NOT ($1::int IS NULL)", "nn", "nn");
    check("$1::int IS NULL OR t.n = $1", "yn", "yn");
    check("CASE WHEN $1::int IS NULL THEN true ELSE t.n = $1 END", "yn", "yn");
    check("t.n NOT BETWEEN $1 AND $2", "nn", "yn");
    check("t.n NOT IN ($1)", "nn", "yn");
    check("1 = 1", "yn", "yn");
    check("1 = 0", "nn", "nn");
    check("2 > 1 AND t.n = 3", "yn", "yn");
}

#[test]
fn what_is_joined_to_a_relation_that_is_not_read_may_not_be_read() {
    let sql = "SELECT t.id, u.id, v.id FROM t LEFT JOIN u ON u.t_id = t.id AND u.y > $1 LEFT JOIN u v ON v.id = u.x";
    check_in(TABLES, sql, Planned::ForNulls, "???");
}

#[test]
fn the_pattern_of_a_stable_function_counts_by_its_characters() {
    check("t.email ILIKE concat('%', $1::text, '%')", "yn", "yn");
    check("t.email ILIKE '%' || $1 || '%'", "nn", "yn");
    check("t.email ILIKE format('%%%s', $1::text)", "yn", "yn");
}

#[test]
fn rows_are_compared_field_by_field() {
    check("(t.id, t.n) = ($1, $2)", "nn", "ny");
    check("ROW(t.id, t.n) = ROW(1, 2)", "ny", "ny");
    check("(t.id, t.n) IN (($1, $2))", "nn", "ny");
    check("(t.id, t.n) IN (($1, $2), ($3, $4))", "nn", "yn");
    // As a whole they are compared by an operator of their own, which is not strict.
    check("(t.id, t.n) < ($1, $2)", "yn", "yn");
    check("(u.x, u.y) > (1, 'a')", "yn", "yn");
    let on = "SELECT t.id, u.y FROM t LEFT JOIN u ON (u.t_id, u.x) = (t.id, 1)";
    check_in(TABLES, on, Planned::ForAny, "ny");
}

#[test]
fn an_array_of_a_column_has_ten_elements() {
    let tables = "CREATE TABLE a (id bigint PRIMARY KEY, tags text[] NOT NULL, name text NOT NULL); \
        CREATE TABLE b (a bigint NOT NULL, c bigint NOT NULL, nick text NOT NULL, PRIMARY KEY (a, c));";
    let sql = "SELECT a.id, b.nick FROM a LEFT JOIN b ON b.a = a.id WHERE";
    check_in(tables, &format!("{sql} $1 = ANY(a.tags)"), Planned::ForAny, "yn");
    check_in(tables, &format!("{sql} 'x' = ANY(a.tags)"), Planned::ForAny, "yn");
    check_in(tables, &format!("{sql} $1 = ANY(a.tags)"), Planned::ForNulls, "ny");
}

#[test]
fn rows_with_numbers_are_in_their_order() {
    let tables = "CREATE TABLE d (id bigint PRIMARY KEY, code text NOT NULL, site uuid NOT NULL, UNIQUE (site, code));";
    let sql = "SELECT x.ord, d.id FROM unnest($1::text[]) WITH ORDINALITY AS x(code, ord) LEFT JOIN d ON d.code = x.code \
        ORDER BY x.ord";
    check_in(tables, sql, Planned::ForNulls, "ny");
    check_in(tables, &format!("{sql} DESC"), Planned::ForNulls, "nn");
}
