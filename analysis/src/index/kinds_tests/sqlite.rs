//! Verdicts on what SQLite plans in its own way.

use super::*;

const JOBS: &str = "CREATE TABLE job (id INTEGER PRIMARY KEY, q TEXT NOT NULL, state TEXT NOT NULL, prio INT NOT NULL,
        at INT NOT NULL, done_at INT, tenant INT NOT NULL, x INT, seen BOOLEAN NOT NULL);
    CREATE INDEX j_open ON job (prio DESC, at) WHERE done_at IS NULL; CREATE INDEX j_new ON job (at) WHERE state = 'new';
    CREATE INDEX j_of ON job (at) WHERE state IN ('a', 'b'); CREATE INDEX j_tenant ON job (tenant, at);
    CREATE INDEX j_seen ON job (seen); CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT NOT NULL);
    CREATE INDEX t_k ON t (k);";

#[test]
fn partial_indexes_are_scanned() {
    let job =
        |rest: &str, expect| check(Sqlite, JOBS, &format!("SELECT id FROM job WHERE {rest}"), &[expect]);
    job("done_at IS NULL", Served);
    job("done_at IS NULL ORDER BY prio DESC, at LIMIT 1", Served);
    job("state = 'new' ORDER BY at LIMIT 10", Served);
    job("state = 'a' OR state = 'b'", Served);
    job("state = 'b' OR state = 'a'", Unserved);
    // Another index, or the table, is read in order.
    job("state = 'new' ORDER BY tenant LIMIT 10", Unserved);
    job("state = 'new' ORDER BY id LIMIT 10", Unserved);
    // Rows are filtered, or belong to no index that is searched.
    job("done_at IS NULL AND q = ?", Unserved);
    job("state = 'new' OR tenant = 5", Unserved);
    job("x > 7", Unserved);
    check(Sqlite, JOBS, "UPDATE job SET done_at = 1 WHERE done_at IS NULL", &[Served]);
    check(Sqlite, JOBS, "SELECT count(*) FROM job WHERE done_at IS NULL", &[Served]);
    let join = "SELECT 1 FROM t LEFT JOIN job ON job.x = t.id AND job.done_at IS NULL";
    check(Sqlite, JOBS, join, &[Full, Unserved]);
    // What is joined to one row is compared with its value.
    check(Sqlite, JOBS, &format!("{join} WHERE t.id = ?"), &[Served, Unserved]);
}

#[test]
fn bare_columns_are_evaluated() {
    let job =
        |rest: &str, expect| check(Sqlite, JOBS, &format!("SELECT id FROM job WHERE {rest}"), &[expect]);
    job("seen", Unserved);
    job("NOT seen", Unserved);
    job("seen AND q = ?", Unserved);
    job("seen = 1", Served);
    job("seen = FALSE", Served);
    check(
        Postgres,
        "CREATE TABLE t (id int, f boolean); CREATE INDEX ON t (f);",
        "SELECT id FROM t WHERE f",
        &[Served],
    );
    let ddl = "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, f BOOLEAN);
               CREATE INDEX t_a ON t ((a > 5)); CREATE INDEX t_f ON t (a) WHERE NOT f;";
    check(Sqlite, ddl, "SELECT f FROM t WHERE a > 5", &[Unserved]);
    check(Sqlite, ddl, "SELECT f FROM t WHERE (a > 5) = 1", &[Served]);
    check(Sqlite, ddl, "SELECT id FROM t WHERE NOT f AND a = ?", &[Served]);
    check(Sqlite, ddl, "SELECT id FROM t WHERE NOT f", &[Served]);
}

const PAIRS: &str =
    "CREATE TABLE a (id INTEGER PRIMARY KEY, k TEXT NOT NULL, n INT NOT NULL, c TEXT COLLATE NOCASE);
    CREATE TABLE b (id INTEGER PRIMARY KEY, k TEXT NOT NULL, n INT NOT NULL);
    CREATE INDEX a_k ON a (k); CREATE INDEX b_k ON b (k); CREATE INDEX a_n ON a (n);";

#[test]
fn materialized_queries_are_read_in_full() {
    let with = |with: &str, query: &str, expect: &[Verdict]| {
        check(Sqlite, PAIRS, &format!("WITH {with} {query}"), expect);
    };
    with("x AS MATERIALIZED (SELECT * FROM a)", "SELECT id FROM x WHERE k = ?", &[Full]);
    with("x (i, k) AS materialized (SELECT id, k FROM a)", "SELECT i FROM x WHERE k = ?", &[Full]);
    with("x AS MATERIALIZED (SELECT * FROM a WHERE k = ?)", "SELECT id FROM x", &[Served]);
    with("x AS NOT MATERIALIZED (SELECT * FROM a)", "SELECT id FROM x WHERE k = ?", &[Served]);
    with("x AS (SELECT * FROM a)", "SELECT id FROM x WHERE k = ?", &[Served]);
    let grouped = "x AS (SELECT k, count(*) c FROM a GROUP BY k)";
    with(grouped, "SELECT c FROM x WHERE k = ?", &[Served]);
    with(grouped, "SELECT c FROM x WHERE k = ? AND c < (SELECT max(c) FROM x)", &[Full]);
    check(
        Sqlite,
        PAIRS,
        "SELECT CAST(k AS TEXT) FROM (WITH x AS MATERIALIZED (SELECT * FROM a) SELECT * FROM x)",
        &[Full],
    );
}

#[test]
fn each_reference_to_a_query_is_planned() {
    let ddl = "CREATE TABLE a (id int PRIMARY KEY, k varchar(9) NOT NULL, n int NOT NULL, KEY a_k (k))";
    for dialect in [MySql, Sqlite] {
        let ddl = if dialect == Sqlite { PAIRS } else { ddl };
        let both = |left: &str, right: &str, expect| {
            let sql = format!(
                "WITH x AS (SELECT * FROM a) SELECT id FROM x WHERE {left} UNION ALL SELECT id FROM x WHERE {right}"
            );
            check(dialect, ddl, &sql, &[expect]);
        };
        both("k = ?", "id = 5", Served);
        both("k = ?", "n + 1 = 5", Unserved);
        both("n + 1 = 5", "k = ?", Unserved);
    }
}

#[test]
fn the_left_side_of_right_joins_is_read_first() {
    check(Sqlite, PAIRS, "SELECT b.id FROM a RIGHT JOIN b ON a.k = b.k WHERE b.id = ?", &[Full, Served]);
    check(Sqlite, PAIRS, "SELECT b.id FROM a RIGHT JOIN b ON a.k = b.k WHERE a.id = ?", &[Served, Served]);
    check(Sqlite, PAIRS, "SELECT b.id FROM a FULL JOIN b ON a.k = b.k WHERE b.id = ?", &[Full, Served]);
    check(Sqlite, PAIRS, "SELECT b.id FROM a FULL JOIN b ON a.k = b.k WHERE a.id = ?", &[Served, Served]);
    check(
        Sqlite,
        PAIRS,
        "SELECT b.id FROM a RIGHT JOIN b ON a.k = b.k AND a.n = ? WHERE b.id = ?",
        &[Full, Served],
    );
}

#[test]
fn constants_stay_out_of_grouped_sides_of_outer_joins() {
    let join = |kind: &str, rest: &str, expect: &[Verdict]| {
        let sql = format!(
            "SELECT 1 FROM b {kind} JOIN (SELECT k, count(*) c FROM a GROUP BY k) x ON x.k = b.k {rest}"
        );
        check(Sqlite, PAIRS, &sql, expect);
    };
    join("LEFT", "WHERE b.k = ?", &[Served, Full]);
    join("LEFT", "AND x.k = ? WHERE b.k = ?", &[Served, Served]);
    join("INNER", "WHERE b.k = ?", &[Served, Served]);
}

#[test]
fn conditions_on_set_operations() {
    let from = |dialect, ddl: &str, query: &str, rest: &str, expect| {
        check(dialect, ddl, &format!("SELECT 1 FROM {query} {rest}"), &[expect, expect]);
    };
    let pushed = |arms: &str, expect| from(Sqlite, PAIRS, &format!("({arms}) x"), "WHERE x.k = ?", expect);
    pushed("SELECT k FROM a UNION SELECT k FROM b", Served);
    pushed("SELECT k, c FROM a UNION SELECT k, k FROM b", Full);
    pushed("SELECT k, c FROM a UNION ALL SELECT k, k FROM b", Served);
    let ddl = "CREATE TABLE a (id int PRIMARY KEY, k text NOT NULL, n int, v varchar(9)); CREATE INDEX ON a (k);
               CREATE TABLE b (id int PRIMARY KEY, k text NOT NULL, n bigint, v varchar(5)); CREATE INDEX ON b (k);
               CREATE INDEX ON a (n); CREATE INDEX ON b (n); CREATE INDEX ON a (v); CREATE INDEX ON b (v);";
    let pushed = |arms: &str, expect| from(Postgres, ddl, &format!("({arms}) x"), "WHERE x.k = $1", expect);
    pushed("SELECT k FROM a EXCEPT SELECT k FROM b", Full);
    pushed("SELECT k FROM a INTERSECT SELECT k FROM b", Served);
    pushed("SELECT n AS k FROM a UNION ALL SELECT n FROM b", Full);
    pushed("SELECT v AS k FROM a UNION ALL SELECT v FROM b", Served);
    for (dialect, ddl) in [(Sqlite, PAIRS), (Postgres, ddl)] {
        let joined = |arms: &str, rest: &str, expect: &[Verdict]| {
            check(dialect, ddl, &format!("SELECT t.id FROM b t JOIN ({arms}) x ON x.k = t.k {rest}"), expect);
        };
        let all = "SELECT k, id FROM a UNION ALL SELECT k, id FROM b";
        joined(all, "WHERE t.id = 5", &[Served, Served, Served]);
        joined("SELECT k FROM a UNION SELECT k FROM b", "WHERE t.id = 5", &[Served, Full, Full]);
    }
}

#[test]
fn texts_are_compared_with_the_rows_of_a_query_as_numbers() {
    let a = |rest: &str, expect: &[Verdict]| {
        check(Sqlite, PAIRS, &format!("SELECT id FROM a WHERE {rest}"), expect);
    };
    a("k = (SELECT n FROM b WHERE id = 1)", &[Unserved, Served]);
    a("k = (SELECT k FROM b WHERE id = 1)", &[Served, Served]);
    a("k = (SELECT max(n) FROM b WHERE id = 1)", &[Served, Served]);
    a("k IN (SELECT n FROM b WHERE id = 1)", &[Unserved, Served]);
    a("k IN (SELECT k FROM b WHERE id = 1)", &[Served, Served]);
    a("k IN (SELECT id FROM b WHERE id = 1 UNION SELECT k FROM b WHERE id = 2)", &[Served, Served, Served]);
    a("n IN (SELECT k FROM b WHERE id = 1)", &[Served, Served]);
}

#[test]
fn a_partial_index_whose_key_is_only_filtered_is_read_in_full() {
    let ddl = "CREATE TABLE f (id INTEGER PRIMARY KEY, lo INT, hi INT, c TEXT);
               CREATE INDEX f_lo ON f (lo) WHERE lo IS NOT NULL; CREATE INDEX f_hi ON f (hi) WHERE c = 'new';";
    for condition in ["lo = ? - hi", "lo > hi", "lo = hi", "lo <> ?", "c = 'new' AND hi > lo"] {
        check(Sqlite, ddl, &format!("SELECT id FROM f WHERE {condition}"), &[Unserved]);
    }
    for condition in ["lo = ?", "lo > ?", "c = 'new'", "c = 'new' AND hi > ?"] {
        check(Sqlite, ddl, &format!("SELECT id FROM f WHERE {condition}"), &[Served]);
    }
}

/// As SQLite 3.46 plans them.
#[test]
fn values_are_carried_to_columns_of_one_affinity() {
    let ddl = "CREATE TABLE l (id INTEGER PRIMARY KEY, n INT, mode TEXT, hi INT); CREATE INDEX l_n ON l (n);
               CREATE INDEX l_hi ON l (hi) WHERE mode = 'x';
               CREATE TABLE t (id INTEGER PRIMARY KEY, code TEXT, l_id INT); CREATE INDEX t_code ON t (code); CREATE INDEX t_l ON t (l_id);";
    for (sql, expect) in [
        ("SELECT t.id FROM l LEFT JOIN t ON t.code = l.id WHERE l.id = ?", [Served, Unserved]),
        ("SELECT t.id FROM l JOIN t ON t.code = l.id WHERE l.id = ?", [Served, Unserved]),
        ("SELECT t.id FROM l JOIN t ON t.l_id = l.id WHERE l.id = ?", [Served, Served]),
    ] {
        let schema = schema(Sqlite, ddl);
        let query = resolve(sql, Sqlite, Some(&schema)).expect("it parses");
        let found: Vec<Verdict> = accesses(&query, &schema).iter().map(|access| access.verdict).collect();
        let is_right =
            |found: &Verdict, expect: &Verdict| found == expect || *expect == Unserved && *found == Full;
        assert!(found.iter().zip(&expect).all(|(found, expect)| is_right(found, expect)), "{sql}: {found:?}");
    }
    for (condition, expect) in [
        ("(hi = ? OR n = ?) AND mode = 'x'", Unserved),
        ("mode = 'x' AND (hi = ? OR hi = ?)", Served),
        ("(hi = ? AND mode = 'x') OR n = ?", Served),
    ] {
        check(Sqlite, ddl, &format!("SELECT id FROM l WHERE {condition}"), &[expect]);
    }
    let ddl = "CREATE TABLE b (id INTEGER PRIMARY KEY, tag TEXT COLLATE NOCASE, ring TEXT);
               CREATE INDEX b_tag ON b (tag); CREATE INDEX b_ring ON b (ring);";
    check(Sqlite, ddl, "SELECT id FROM b WHERE like('ab%', tag)", &[Served]);
    check(Sqlite, ddl, "SELECT id FROM b WHERE glob('ab*', ring)", &[Served]);
    check(Sqlite, ddl, "SELECT id FROM b WHERE glob('ab*', tag)", &[Unserved]);
}

/// A row found by equality on all keys of an index is in the order of the rowid.
#[test]
fn rows_of_one_key_are_in_the_order_of_the_rowid() {
    let ddl = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT, n INTEGER); CREATE INDEX ta ON t (a);
        CREATE TABLE w (x TEXT, y INTEGER, c TEXT, d TEXT, PRIMARY KEY (x, y)) WITHOUT ROWID; CREATE INDEX wc ON w (c);";
    check(Sqlite, ddl, "SELECT n FROM t WHERE a = 'done' ORDER BY id LIMIT 5", &[Served]);
    check(Sqlite, ddl, "SELECT n FROM t WHERE a = 'done' ORDER BY id DESC LIMIT 5", &[Served]);
    check(Sqlite, ddl, "SELECT n FROM t WHERE a = 'done' ORDER BY rowid LIMIT 5", &[Served]);
    check(Sqlite, ddl, "SELECT d FROM w WHERE c = 'done' ORDER BY x, y LIMIT 5", &[Served]);
    check(Sqlite, ddl, "SELECT n FROM t WHERE b = 'done' ORDER BY id LIMIT 5", &[Unserved]);
    let mysql =
        "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(20), b VARCHAR(20), n INT, KEY ta (a), KEY tb (b(4)))";
    check(MySql, mysql, "SELECT n FROM t WHERE a = 'done' ORDER BY id LIMIT 5", &[Served]);
}

/// A unique index of MariaDB on whole values of any length keeps their hashes, which no query searches; text of another
/// character set is converted to that of the database.
#[test]
fn what_mariadb_searches_by_no_index() {
    let ddl = "CREATE TABLE t (id INT PRIMARY KEY, a TEXT UNIQUE, b VARCHAR(20) CHARACTER SET latin1, n INT, KEY tb (b));
        CREATE TABLE u (id INT PRIMARY KEY, c VARCHAR(20), d VARCHAR(20) CHARACTER SET latin1, KEY uc (c));";
    check(MySql, ddl, "SELECT n FROM t WHERE a = ?", &[Unserved]);
    check(MySql, ddl, "SELECT n FROM t WHERE b = ?", &[Served]);
    check(MySql, ddl, "SELECT u.id FROM u JOIN t ON t.b = u.c WHERE u.id = ?", &[Served, Unserved]);
    check(MySql, ddl, "SELECT u.id FROM t JOIN u ON u.c = t.b WHERE t.id = ?", &[Served, Served]);
    check(MySql, ddl, "SELECT u.id FROM u JOIN t ON t.b = u.d WHERE u.id = ?", &[Served, Served]);
}
