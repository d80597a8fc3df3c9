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

/// As PostgreSQL 15 plans them.
#[test]
fn predicates_domains_collations_and_windows() {
    let ddl = "CREATE DOMAIN pint AS int; CREATE DOMAIN em AS text;
        CREATE TABLE o (id bigint PRIMARY KEY, cust int, prio int, total numeric, ok boolean NOT NULL, state text, p pint, e em);
        CREATE INDEX ON o (cust) WHERE prio BETWEEN 1 AND 5; CREATE INDEX ON o (prio) WHERE total NOT BETWEEN 0 AND 100;
        CREATE INDEX ON o (total) WHERE ok; CREATE INDEX ON o (state) WHERE state <> 'done'; CREATE INDEX ON o (p); CREATE INDEX ON o (e);";
    for (condition, expect) in [
        ("cust = $1 AND prio BETWEEN 1 AND 5", Served),
        ("cust = $1 AND prio BETWEEN 2 AND 4", Served),
        ("cust = $1 AND prio >= 1 AND prio <= 5", Served),
        ("cust = $1 AND prio = 3", Served),
        ("cust = $1 AND prio BETWEEN 1 AND 6", Unserved),
        ("cust = $1 AND prio >= 1", Unserved),
        ("prio = $1 AND total NOT BETWEEN 0 AND 100", Served),
        ("prio = $1 AND total > 500", Served),
        ("prio = $1 AND (total < 0 OR total > 100)", Served),
        ("prio = $1 AND total > 50", Unserved),
        ("total = $1 AND ok = 't'", Served),
        ("total = $1 AND ok IN (true)", Served),
        ("total = $1 AND ok = 'f'", Unserved),
        ("state < 'done'", Served),
        ("state <= 'done'", Unserved),
        ("p::int = $1", Served),
        ("e::text = $1", Served),
        ("e::varchar = $1", Served),
        ("p::bigint = $1", Unserved),
    ] {
        check(Postgres, ddl, &format!("SELECT id FROM o WHERE {condition}"), &[expect]);
    }
    let ddl = "CREATE TABLE l (id bigint PRIMARY KEY, tag text COLLATE \"C\"); CREATE INDEX ON l (tag);
               CREATE TABLE d (id bigint PRIMARY KEY, tag text); CREATE INDEX ON d (tag);";
    check(
        Postgres,
        ddl,
        "SELECT d.id FROM d WHERE d.tag = (SELECT tag FROM l WHERE id = $1)",
        &[Unserved, Served],
    );
    check(
        Postgres,
        ddl,
        "SELECT l.id FROM l WHERE l.tag = (SELECT tag FROM d WHERE id = $1)",
        &[Served, Served],
    );
    let ddl = "CREATE TABLE s (id bigint PRIMARY KEY, dev int, at int); CREATE INDEX ON s (dev);";
    for (window, expect) in [("PARTITION BY dev ORDER BY at", Served), ("PARTITION BY at", Full)] {
        let sql = format!(
            "SELECT * FROM (SELECT id, dev, rank() OVER w FROM s WINDOW w AS ({window})) q WHERE dev = $1"
        );
        check(Postgres, ddl, &sql, &[expect]);
    }
    let ddl =
        "CREATE TABLE f (id bigint PRIMARY KEY, done boolean NOT NULL); CREATE INDEX ON f ((NOT done));";
    check(Postgres, ddl, "SELECT id FROM f WHERE NOT done", &[Served]);
    check(Postgres, ddl, "SELECT id FROM f WHERE done", &[Unserved]);
}

/// As PostgreSQL 15 plans: a condition of HAVING without an aggregate is one on the rows.
#[test]
fn a_condition_on_groups_is_searched_for() {
    let ddl = "CREATE TABLE t (id bigint PRIMARY KEY, x text, n int); CREATE INDEX ON t (lower(x)); CREATE INDEX ON t (n);
        CREATE AGGREGATE last_of (int) (SFUNC = int4larger, STYPE = int);";
    for (tail, verdict) in [
        ("lower(x) HAVING lower(x) = $1", Served),
        ("n, lower(x) HAVING lower(x) = $1 AND count(*) > 2", Served),
        ("id HAVING n = $1", Served),
        ("n HAVING n = $1", Served),
        ("n HAVING n = count(*)", Full),
        ("n HAVING n = last_of(n)", Full),
        ("ROLLUP (n) HAVING n = $1", Full),
        ("upper(x) HAVING upper(x) = $1", Unserved),
    ] {
        check(Postgres, ddl, &format!("SELECT count(*) FROM t GROUP BY {tail}"), &[verdict]);
    }
}
