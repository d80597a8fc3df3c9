//! What PostgreSQL proves of partial indexes, and in which collation it compares; verdicts as PostgreSQL 15 plans.

use super::*;

const JOB: &str =
    "CREATE TABLE job (id bigint PRIMARY KEY, k text, n int, m numeric, ok boolean, state text, at date);";

#[test]
fn a_predicate_is_proved_from_both_ends_of_a_range() {
    let ddl = &format!(
        "{JOB} CREATE INDEX i ON job (k) WHERE n BETWEEN 1 AND 5;
         CREATE INDEX o ON job (at) WHERE m NOT BETWEEN 0 AND 100;"
    );
    for (sql, verdict) in [
        ("k = $1 AND n BETWEEN 1 AND 5", Served),
        ("k = $1 AND n BETWEEN 2 AND 4", Served),
        ("k = $1 AND n >= 1 AND n <= 5", Served),
        ("k = $1 AND n IN (2, 3)", Served),
        ("k = $1 AND n BETWEEN 1 AND 6", Unserved),
        ("k = $1 AND n > 0", Unserved),
        ("at = $1 AND m NOT BETWEEN 0 AND 100", Served),
        ("at = $1 AND m > 500", Served),
        ("at = $1 AND (m < 0 OR m > 100)", Served),
        ("at = $1 AND m > 50", Unserved),
    ] {
        check(Postgres, ddl, &format!("SELECT id FROM job WHERE {sql}"), &[verdict]);
    }
}

#[test]
fn a_cast_number_proves_nothing_about_the_number() {
    let ddl = &format!(
        "{JOB} CREATE INDEX i ON job (k) WHERE n > 10; CREATE INDEX o ON job (at) WHERE m > 1.5;
         CREATE INDEX p ON job (state) WHERE n > 10.5;"
    );
    for (sql, verdict) in [
        ("k = $1 AND n > 11", Served),
        ("k = $1 AND n > 10.5", Unserved),
        ("k = $1 AND n = 12.0", Unserved),
        ("k = $1 AND n > 1e2", Unserved),
        ("at = $1 AND m > 2", Served),
        ("at = $1 AND m > 2::float8", Unserved),
        ("state = $1 AND n > 11.5", Served),
        ("state = $1 AND n > 11", Unserved),
    ] {
        check(Postgres, ddl, &format!("SELECT id FROM job WHERE {sql}"), &[verdict]);
    }
}

#[test]
fn a_predicate_is_proved_by_other_spellings() {
    let ddl = &format!(
        "{JOB} CREATE INDEX i ON job (n) WHERE ok; CREATE INDEX o ON job (k) WHERE state <> 'done';"
    );
    for (sql, verdict) in [
        ("n = $1 AND ok = 't'", Served),
        ("n = $1 AND ok IN (true)", Served),
        ("n = $1 AND ok = 'f'", Unserved),
        ("n = $1 AND ok IN (true, false)", Unserved),
        ("n = $1 AND ok IN ('t', 'yes')", Unserved),
        ("k = $1 AND state < 'done'", Served),
        ("k = $1 AND 'done' < state", Served),
        ("k = $1 AND state <= 'done'", Unserved),
    ] {
        check(Postgres, ddl, &format!("SELECT id FROM job WHERE {sql}"), &[verdict]);
    }
}

#[test]
fn an_index_of_more_than_the_wanted_rows_is_no_search() {
    let ddl = &format!(
        "{JOB} CREATE INDEX i ON job (k) WHERE state IS NOT NULL; CREATE INDEX o ON job (at) WHERE n > 0;
         CREATE INDEX p ON job (m) WHERE state = 'open';"
    );
    for (sql, verdict) in [
        ("state = 'a'", Unserved),
        ("n = 3", Unserved),
        ("state = 'a' AND k = $1", Served),
        ("n > 0", Served),
        ("state = 'open'", Served),
    ] {
        check(Postgres, ddl, &format!("SELECT id FROM job WHERE {sql}"), &[verdict]);
    }
}

#[test]
fn a_collation_prevails_over_the_default() {
    let ddl = r#"CREATE TABLE lang (id bigint PRIMARY KEY, tag text COLLATE "C", nm text); CREATE INDEX l ON lang (tag);
        CREATE TABLE doc (id bigint PRIMARY KEY, tag text, nmc text COLLATE "C", n name);
        CREATE INDEX d ON doc (tag); CREATE INDEX e ON doc (nmc); CREATE INDEX f ON doc (n);"#;
    for (sql, verdict) in [
        ("d.tag = (SELECT tag FROM lang WHERE id = $1)", Unserved),
        ("d.tag = (SELECT nm FROM lang WHERE id = $1)", Served),
        ("d.nmc = (SELECT nm FROM lang WHERE id = $1)", Served),
        ("d.tag = (SELECT lower(tag) FROM lang WHERE id = $1)", Unserved),
    ] {
        check(Postgres, ddl, &format!("SELECT d.id FROM doc d WHERE {sql}"), &[verdict, Served]);
    }
    // The type `name` has the collation "C".
    check(Postgres, ddl, "SELECT id FROM doc WHERE n LIKE 'ab%'", &[Served]);
    check(Postgres, ddl, "SELECT id FROM doc WHERE tag LIKE 'ab%'", &[Unserved]);
}

#[test]
fn texts_that_would_be_one_boolean_are_different_texts() {
    let ddl = &format!(
        "{JOB} CREATE INDEX i ON job (n) WHERE state = 'true'; CREATE INDEX o ON job (k) WHERE ok = 't';"
    );
    for (sql, verdict) in [
        ("n = $1 AND state = 'true'", Served),
        ("n = $1 AND state = 't'", Unserved),
        ("n = $1 AND state = 'yes'", Unserved),
        ("k = $1 AND ok", Served),
        ("k = $1 AND ok = true", Served),
        ("k = $1 AND NOT ok", Unserved),
    ] {
        check(Postgres, ddl, &format!("SELECT id FROM job WHERE {sql}"), &[verdict]);
    }
}

#[test]
fn casts_that_change_nothing_are_none() {
    let ddl = r#"CREATE DOMAIN pint AS int CHECK (VALUE > 0); CREATE DOMAIN em AS text; CREATE DOMAIN em2 AS em;
        CREATE TABLE q (id bigint PRIMARY KEY, p pint, e em2, c varchar(20));
        CREATE INDEX q1 ON q (p); CREATE INDEX q2 ON q (e); CREATE INDEX q3 ON q (c COLLATE "C");"#;
    for (sql, verdict) in [
        ("p::int = $1", Served),
        ("p::bigint = $1", Unserved),
        ("e::text = $1", Served),
        ("e::em = $1", Served),
        ("e::varchar(3) = $1", Unserved),
        (r#"(c COLLATE "C")::text = $1"#, Served),
        ("c = $1", Unserved),
    ] {
        check(Postgres, ddl, &format!("SELECT id FROM q WHERE {sql}"), &[verdict]);
    }
}

#[test]
fn windows_by_name_have_the_partitions_of_their_definition() {
    let ddl =
        "CREATE TABLE s (id bigint PRIMARY KEY, dev int, kind text, at date); CREATE INDEX s1 ON s (dev);";
    for (sql, verdict) in [
        ("rank() OVER w r FROM s WINDOW w AS (PARTITION BY dev, kind)", Served),
        ("rank() OVER (w ORDER BY at) r FROM s WINDOW w AS (PARTITION BY dev)", Served),
        ("rank() OVER w r FROM s WINDOW w AS (PARTITION BY kind)", Full),
        ("rank() OVER w r FROM s WINDOW w AS (ORDER BY dev)", Full),
    ] {
        check(Postgres, ddl, &format!("SELECT * FROM (SELECT id, dev, {sql}) q WHERE dev = $1"), &[verdict]);
    }
}

#[test]
fn what_is_not_read_is_not_judged() {
    let ddl = "CREATE TABLE a (id bigint PRIMARY KEY, k int); CREATE INDEX a1 ON a (k);
        CREATE TABLE b (id bigint PRIMARY KEY, k int); CREATE VIEW live AS SELECT id, k FROM b WHERE k > 0;
        CREATE VIEW un AS SELECT id, k, 'a' AS src FROM a UNION ALL SELECT id, k, 'b' AS src FROM b;";
    check(Postgres, ddl, "INSERT INTO live (id, k) VALUES ($1, $2)", &[]);
    check(Postgres, ddl, "UPDATE live SET k = $1 WHERE id = $2", &[Served]);
    check(Postgres, ddl, "SELECT id FROM un WHERE src = 'a' AND k = $1", &[Served]);
    check(Postgres, ddl, "SELECT id FROM un WHERE src = $2 AND k = $1", &[Served, Unserved]);
    check(Postgres, ddl, "SELECT id FROM a TABLESAMPLE SYSTEM (5) WHERE id = $1", &[Full]);
}

#[test]
fn other_keys_that_serve_what_is_written_otherwise() {
    let ddl = "CREATE EXTENSION pg_trgm; CREATE TABLE q (id bigint PRIMARY KEY, t text, u text, done boolean, d jsonb);
        CREATE INDEX q1 ON q USING gin (u gin_trgm_ops); CREATE INDEX q2 ON q (substring(t from 1 for 3));
        CREATE INDEX q3 ON q ((NOT done)); CREATE INDEX q4 ON q ((d #>> '{a,b}'));";
    for (sql, verdict) in [
        ("u ^@ $1", Unserved),
        ("starts_with(u, 'abc')", Unserved),
        ("u LIKE 'abc%'", Served),
        ("substring(t for 3) = $1", Served),
        ("substring(t from 3) = $1", Unserved),
        ("NOT done", Served),
        ("done = false", Served),
        ("(NOT done) = true", Served),
        ("d #>> '{a, b}' = $1", Served),
        ("d #>> '{a, c}' = $1", Unserved),
    ] {
        check(Postgres, ddl, &format!("SELECT id FROM q WHERE {sql}"), &[verdict]);
    }
}
