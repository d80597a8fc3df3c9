//! Spellings of an expression, and whether the database takes them for the one that an index stores.

use super::*;

/// As PostgreSQL 15 plans.
#[test]
fn spellings_of_one_expression_in_postgres() {
    let ddl = "CREATE TABLE t (id bigint PRIMARY KEY, x text, v varchar(20), n int, m int, d date);
        CREATE INDEX i1 ON t (substr(x, 1, 3)); CREATE INDEX i2 ON t (EXTRACT(year FROM d));
        CREATE INDEX i3 ON t (coalesce(v::text, '')); CREATE INDEX i4 ON t (ltrim(x));
        CREATE INDEX i5 ON t ((CASE WHEN n > 1 AND m > 2 THEN v::text ELSE '' END)); CREATE INDEX i6 ON t ((n > 5));
        CREATE INDEX i7 ON t (lower(coalesce(v, 'q'))); CREATE INDEX i8 ON t (substring(v from 2));";
    for served in [
        "substr(x, 1, 3) = $1",
        "substr(x::text, 1, 3) = $1",
        "EXTRACT('year' FROM d) = $1",
        "coalesce(v::text, ''::text) = $1",
        "trim(leading from x) = $1",
        "CASE WHEN n > 1 AND m > 2 THEN v::text ELSE '' END = $1",
        "n > 5",
        "lower(coalesce(v, 'q')::text) = $1",
        "substring(v::text from 2) = $1",
        "substring(v, 2) = $1",
    ] {
        check(Postgres, ddl, &format!("SELECT id FROM t WHERE {served}"), &[Served]);
    }
    for unserved in [
        "substring(x from 1 for 3) = $1",
        "date_part('year', d) = $1",
        "coalesce(v, '') = $1",
        "trim(leading ' ' from x) = $1",
        "CASE WHEN m > 2 AND n > 1 THEN v::text ELSE '' END = $1",
        "CASE WHEN 1 < n AND m > 2 THEN v::text ELSE '' END = $1",
        "CASE WHEN n > 1 AND m > 2 THEN v ELSE '' END = $1",
        "5 < n",
        "lower(coalesce(v::text, 'q')) = $1",
        "substr(v, 2) = $1",
    ] {
        check(Postgres, ddl, &format!("SELECT id FROM t WHERE {unserved}"), &[Unserved]);
    }
}

/// As SQLite plans: only the conditions of a partial index may be turned.
#[test]
fn spellings_of_one_expression_in_sqlite() {
    let ddl = "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT, n INT, j TEXT); CREATE INDEX i1 ON t (substr(x, 1, 3));
        CREATE INDEX i2 ON t ((n > 5)); CREATE INDEX i3 ON t (json_extract(j, '$.a')); CREATE INDEX i4 ON t (x) WHERE n > 7";
    for served in ["SUBSTR(x, 1, 3) = ?", "(n > 5) = 1", "json_extract(j, '$.a') = ?", "x = ? AND 7 < n"] {
        check(Sqlite, ddl, &format!("SELECT id FROM t WHERE {served}"), &[Served]);
    }
    for unserved in ["substring(x, 1, 3) = ?", "(5 < n) = 1", "j -> '$.a' = ?", "x = ? AND 6 < n"] {
        check(Sqlite, ddl, &format!("SELECT id FROM t WHERE {unserved}"), &[Unserved]);
    }
}

#[test]
fn an_interval_is_the_same_in_any_notation() {
    let ddl = "CREATE TABLE j (id int PRIMARY KEY, ts timestamp);
               CREATE INDEX ON j USING btree (((ts + '01:00:00'::interval)));";
    check(Postgres, ddl, "SELECT id FROM j WHERE ts + interval '1 hour' = $1", &[Served]);
    check(Postgres, ddl, "SELECT id FROM j WHERE ts + '60 min'::interval = $1", &[Served]);
    check(Postgres, ddl, "SELECT id FROM j WHERE ts + interval '2 hours' = $1", &[Unserved]);
}
