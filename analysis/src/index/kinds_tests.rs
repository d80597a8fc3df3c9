//! Verdicts on what none of the test databases has: extensions, other servers, tables that are read with
//! others.

mod affinities;
mod expressions;
mod given;
mod hints;
mod proofs;
mod sqlite;
mod values;

use super::tests::schema;
use super::{Verdict, accesses};
use crate::schema::Replay;
use crate::sql::{Dialect, resolve};

/// Checks the verdicts of a query, in the order in which it names its tables.
#[track_caller]
fn check(dialect: Dialect, ddl: &str, sql: &str, expect: &[Verdict]) {
    let schema = schema(dialect, ddl);
    let query = resolve(sql, dialect, Some(&schema)).expect("it parses");
    let found: Vec<Verdict> = accesses(&query, &schema).iter().map(|access| access.verdict).collect();
    assert_eq!(found, expect, "{sql}");
}

use Dialect::{MySql, Postgres, Sqlite};
use Verdict::{Full, Served, Unknown, Unserved};

#[test]
fn search_functions_are_served_by_what_holds_boxes() {
    let ddl = "CREATE EXTENSION postgis; CREATE TABLE t (id bigint PRIMARY KEY, g geometry, h geometry);
               CREATE INDEX t_g ON t USING gist (g);";
    check(Postgres, ddl, "SELECT id FROM t WHERE ST_Within(g, $1)", &[Served]);
    check(Postgres, ddl, "SELECT id FROM t WHERE ST_DWithin($1::geometry, g, 5)", &[Served]);
    check(Postgres, ddl, "SELECT id FROM t WHERE ST_DWithin(h, $1, 5)", &[Unserved]);
    check(Postgres, ddl, "SELECT id FROM t WHERE ST_Distance(g, $1) < 5", &[Unserved]);
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, g geometry NOT NULL, SPATIAL KEY t_g (g))";
    check(MySql, ddl, "SELECT id FROM t WHERE MBRWithin(g, ST_GeomFromText(?))", &[Served]);
    check(MySql, ddl, "SELECT id FROM t WHERE ST_Distance(g, ST_GeomFromText(?)) < 5", &[Unserved]);
}

#[test]
fn what_an_extension_serves_is_not_known() {
    let ddl = "CREATE EXTENSION ltree; CREATE TABLE t (id bigint PRIMARY KEY, p ltree, b text, n int);
               CREATE INDEX t_p ON t USING gist (p); CREATE INDEX t_b ON t USING bm25 (b);";
    check(Postgres, ddl, "SELECT id FROM t WHERE p ~ $1::lquery", &[Unknown]);
    check(Postgres, ddl, "SELECT id FROM t WHERE p <@ $1", &[Served]);
    check(Postgres, ddl, "SELECT id FROM t WHERE b @@@ $1", &[Unknown]);
    check(Postgres, ddl, "SELECT id FROM t WHERE n = $1", &[Unserved]);
    let ddl = "CREATE TABLE t (id bigint PRIMARY KEY, a inet, d jsonb); CREATE INDEX t_a ON t (a);
               CREATE INDEX t_d ON t USING gin (d jsonb_path_ops);";
    // Only a network that is written out is a range of addresses.
    check(Postgres, ddl, "SELECT id FROM t WHERE a << '10.0.0.0/8'", &[Served]);
    check(Postgres, ddl, "SELECT id FROM t WHERE a << $1", &[Unserved]);
    check(Postgres, ddl, "SELECT id FROM t WHERE d ? 'a'", &[Unserved]);
    check(Postgres, ddl, "SELECT id FROM t WHERE d @? '$.a'", &[Served]);
}

#[test]
fn orders_by_distance_without_an_index() {
    let ddl = "CREATE EXTENSION pg_trgm; CREATE EXTENSION vector; CREATE EXTENSION btree_gist;
               CREATE TABLE t (id bigint PRIMARY KEY, p point, n text, v vector(3), a int, b int);
               CREATE INDEX t_ab ON t USING gist (a, b);";
    let schema = schema(Postgres, ddl);
    let wanted = |key: &str| {
        let sql = format!("SELECT id FROM t ORDER BY {key} LIMIT 5");
        let query = resolve(&sql, Postgres, Some(&schema)).expect("it parses");
        let sorts = super::unindexed_sorts(&query, &schema);
        sorts.first().map(|sort| {
            let index = sort.wanted.as_ref().and_then(|wanted| wanted.index(&schema));
            index.map_or_else(String::new, |index| index.ddl(Postgres))
        })
    };
    assert_eq!(wanted("p <-> $1").as_deref(), Some("CREATE INDEX ON t USING gist (p)"));
    assert_eq!(wanted("n <-> $1").as_deref(), Some("CREATE INDEX ON t USING gist (n gist_trgm_ops)"));
    assert_eq!(wanted("v <=> $1").as_deref(), Some("CREATE INDEX ON t USING hnsw (v vector_cosine_ops)"));
    assert_eq!(wanted("b <-> 5"), None, "any key of a GiST index gives its distance");
    assert_eq!(wanted("abs(a - $1)").as_deref(), Some(""), "no index can be named");
}

#[test]
fn hints_on_the_likelihood_of_a_condition() {
    let ddl = "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT); CREATE INDEX t_a ON t (a);";
    for hint in ["likely(a = ?)", "unlikely(a = ?)", "likelihood(a = ?, 0.1)"] {
        check(Sqlite, ddl, &format!("SELECT id FROM t WHERE {hint}"), &[Served]);
    }
    check(MySql, "CREATE TABLE t (id int PRIMARY KEY)", "SELECT \\N FROM t WHERE id = ?", &[Served]);
}

#[test]
fn servers_of_mysql_sort_by_an_explicit_collation() {
    let schema = schema(MySql, "CREATE TABLE t (id int PRIMARY KEY, n varchar(20) NOT NULL, KEY (n));");
    let sorts = |sql: &str| {
        super::unindexed_sorts(&resolve(sql, MySql, Some(&schema)).expect("it parses"), &schema).len()
    };
    assert_eq!(sorts("SELECT id FROM t ORDER BY n LIMIT 5"), 0);
    assert_eq!(sorts("SELECT id FROM t ORDER BY n COLLATE utf8mb4_bin LIMIT 5"), 1);
}

#[test]
fn the_order_of_a_distance_is_read_up_to_the_limit() {
    let ddl =
        "CREATE EXTENSION vector; CREATE TABLE t (id bigint PRIMARY KEY, v vector(3), gone timestamptz);
               CREATE INDEX t_v ON t USING hnsw (v vector_cosine_ops);";
    check(Postgres, ddl, "SELECT id FROM t WHERE gone IS NULL ORDER BY v <=> $1 LIMIT 5", &[Full]);
    check(Postgres, ddl, "SELECT id FROM t WHERE gone IS NULL ORDER BY v <-> $1 LIMIT 5", &[Unserved]);
    check(Postgres, ddl, "SELECT id FROM t WHERE gone IS NULL ORDER BY v <=> $1", &[Unserved]);
}

#[test]
fn a_limit_stops_soon_where_much_is_kept() {
    let ddl = "CREATE TABLE t (id bigint PRIMARY KEY, done timestamptz, kind text, n int);
               CREATE INDEX t_open ON t (n) WHERE done IS NULL;";
    check(Postgres, ddl, "SELECT id FROM t WHERE done IS NOT NULL ORDER BY id DESC LIMIT 1", &[Full]);
    check(Postgres, ddl, "SELECT id FROM t WHERE kind = $1 ORDER BY id LIMIT 1", &[Unserved]);
    check(Postgres, ddl, "SELECT id FROM t WHERE done IS NOT NULL ORDER BY kind LIMIT 1", &[Unserved]);
    check(Postgres, ddl, "SELECT id FROM t WHERE done IS NULL AND kind = $1 ORDER BY n LIMIT 1", &[Served]);
    check(Postgres, ddl, "SELECT id FROM t WHERE done IS NULL AND kind = $1", &[Unserved]);
}

#[test]
fn an_index_of_each_partition_is_as_good_as_one_of_all() {
    let ddl = "CREATE TABLE t (id bigint, d date, v int) PARTITION BY RANGE (d);
               CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
               CREATE TABLE t2 PARTITION OF t DEFAULT; CREATE INDEX t1_v ON t1 (v);";
    check(Postgres, ddl, "SELECT id FROM t WHERE v = $1", &[Unserved]);
    let ddl = format!("{ddl} CREATE INDEX t2_v ON t2 (v);");
    check(Postgres, &ddl, "SELECT id FROM t WHERE v = $1", &[Served]);
    check(Postgres, &ddl, "SELECT id FROM t WHERE id = $1", &[Unserved]);
    let ddl = format!("{ddl} CREATE INDEX t_id ON ONLY t (id); CREATE INDEX t1_id ON t1 (id);");
    check(Postgres, &ddl, "SELECT d FROM t WHERE id = $1", &[Unserved]);
    check(
        Postgres,
        &format!("{ddl} CREATE INDEX t2_id ON t2 (id);"),
        "SELECT d FROM t WHERE id = $1",
        &[Served],
    );
}

#[test]
fn a_partition_for_each_value_needs_no_index_on_it() {
    let ddl = "CREATE TABLE t (region text, id bigint) PARTITION BY LIST (region);
               CREATE TABLE t1 PARTITION OF t FOR VALUES IN ('eu'); CREATE TABLE t2 PARTITION OF t FOR VALUES IN ('us');";
    check(Postgres, ddl, "SELECT id FROM t WHERE region = $1", &[Full]);
    check(Postgres, ddl, "SELECT id FROM t WHERE region = $1 AND id = $2", &[Unserved]);
    let several = format!("{ddl} CREATE TABLE t3 PARTITION OF t FOR VALUES IN ('jp', 'kr');");
    check(Postgres, &several, "SELECT id FROM t WHERE region = $1", &[Unserved]);
    let rest = format!("{ddl} CREATE TABLE t3 PARTITION OF t DEFAULT;");
    check(Postgres, &rest, "SELECT id FROM t WHERE region = $1", &[Unserved]);
}

/// Each parent is read with the table.
#[test]
fn a_second_parent_is_read_with_its_heirs() {
    let ddl = "CREATE TABLE p (x int PRIMARY KEY); CREATE TABLE q (y int PRIMARY KEY); CREATE TABLE c () INHERITS (p, q);";
    check(Postgres, ddl, "SELECT x FROM p WHERE x = $1", &[Unserved]);
    check(Postgres, ddl, "SELECT y FROM q WHERE y = $1", &[Unserved]);
    let ddl = format!("{ddl} CREATE INDEX ON c (y);");
    check(Postgres, &ddl, "SELECT y FROM q WHERE y = $1", &[Served]);
}

#[test]
fn a_virtual_table_is_read_as_its_module_reads_it() {
    let ddl = "CREATE VIRTUAL TABLE f USING fts5(a, b, tokenize = 'porter'); CREATE VIRTUAL TABLE r USING rtree(id, x0, x1);
               CREATE TABLE t (id INTEGER PRIMARY KEY, n INT);";
    check(Sqlite, ddl, "SELECT a FROM f WHERE f MATCH ? ORDER BY rank LIMIT 5", &[Unknown]);
    check(Sqlite, ddl, "SELECT id FROM r WHERE x0 >= ? AND x1 <= ?", &[Unknown]);
    check(Sqlite, ddl, "SELECT a FROM f WHERE docid = ?", &[Unknown]);
    check(Sqlite, ddl, "SELECT t.n FROM f JOIN t ON t.id = f.rowid WHERE f.a MATCH ?", &[Unknown, Served]);
}

#[test]
fn a_disjunction_is_not_served_by_a_partial_index_of_one_side() {
    let ddl = "CREATE TABLE t (id bigint PRIMARY KEY, a text, b int, gone timestamptz);
               CREATE INDEX t_a ON t (a) WHERE gone IS NULL;";
    check(Postgres, ddl, "SELECT id FROM t WHERE (a = $1 OR b = $2) AND gone IS NULL", &[Unserved]);
    let ddl = format!("{ddl} CREATE INDEX t_b ON t (b);");
    check(Postgres, &ddl, "SELECT id FROM t WHERE (a = $1 OR b = $2) AND gone IS NULL", &[Served]);
}

#[test]
fn conditions_are_read_through_what_is_around_them() {
    let ddl = "CREATE TABLE t (id bigint PRIMARY KEY, a int, c char(4)); CREATE INDEX t_a ON t (a);
               CREATE INDEX t_c ON t ((c::text));";
    check(Postgres, ddl, "SELECT id FROM t WHERE (a = $1) = true", &[Served]);
    check(Postgres, ddl, "SELECT id FROM t WHERE (a = $1) = false", &[Unserved]);
    check(Postgres, ddl, "SELECT id FROM t WHERE c::text = $1", &[Served]);
    check(Postgres, ddl, "SELECT id FROM t WHERE c = $1", &[Unserved]);
    let ddl = "CREATE TABLE t (id INTEGER PRIMARY KEY, n INT, x, s TEXT); CREATE INDEX t_n ON t (n); CREATE INDEX t_x ON t (x);
               CREATE INDEX t_s ON t (s);";
    check(Sqlite, ddl, "SELECT s FROM t WHERE unlikely(n = ?)", &[Served]);
    check(Sqlite, ddl, "SELECT s FROM t WHERE x = CAST(? AS INTEGER)", &[Unserved]);
    check(Sqlite, ddl, "SELECT s FROM t WHERE x = CAST(? AS TEXT)", &[Served]);
    check(Sqlite, ddl, "SELECT n FROM t WHERE s = CAST(? AS DATETIME)", &[Unserved]);
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, v varchar(9), n int, KEY (v), KEY (n));";
    check(MySql, ddl, "SELECT id FROM t WHERE v = TRUE", &[Unserved]);
    check(MySql, ddl, "SELECT id FROM t WHERE n IS TRUE", &[Unserved]);
    check(MySql, ddl, "SELECT id FROM t WHERE v LIKE 5", &[Served]);
    check(MySql, ddl, "SELECT id FROM t WHERE n = 5 && v <> 'a'", &[Served]);
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, j json, KEY l ((CAST(j->'$.l' AS UNSIGNED ARRAY))));";
    check(MySql, ddl, "SELECT id FROM t WHERE ? MEMBER OF (JSON_EXTRACT(j, '$.l'))", &[Served]);
}

#[test]
fn a_table_that_inherits_has_indexes_of_its_own() {
    let ddl = "CREATE TABLE par (id bigint PRIMARY KEY, x int); CREATE TABLE chi () INHERITS (par);
               CREATE INDEX par_x ON par (x);";
    check(Postgres, ddl, "SELECT id FROM par WHERE x = $1", &[Unserved]);
    check(Postgres, ddl, "SELECT id FROM ONLY par WHERE x = $1", &[Served]);
    check(Postgres, ddl, "SELECT id FROM ONLY (par) WHERE x = $1", &[Served]);
    let ddl = format!("{ddl} CREATE INDEX chi_x ON chi (x);");
    check(Postgres, &ddl, "SELECT id FROM par WHERE x = $1", &[Served]);
}

#[test]
fn hints_take_indexes_away() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, a int, b int); CREATE INDEX ta ON t (a);";
    for (hint, expect) in [
        ("IGNORE INDEX (ta)", Unserved),
        ("IGNORE INDEX FOR ORDER BY (ta)", Served),
        ("USE INDEX ()", Unserved),
        ("USE INDEX (PRIMARY)", Unserved),
        ("FORCE INDEX (ta)", Served),
    ] {
        check(MySql, ddl, &format!("SELECT id FROM t {hint} WHERE a = ?"), &[expect]);
    }
    for (table, expect) in [
        ("t NOT INDEXED", Unserved),
        ("t AS x not indexed", Unserved),
        ("t x INDEXED BY ta", Served),
        ("\"t\" INDEXED BY \"ta\"", Served),
        ("t", Served),
    ] {
        check(Sqlite, ddl, &format!("SELECT id FROM {table} WHERE a = ?"), &[expect]);
    }
    check(Sqlite, ddl, "UPDATE t NOT INDEXED SET b = 1 WHERE a = ?", &[Unserved]);
    check(Sqlite, ddl, "SELECT b FROM t NOT INDEXED WHERE rowid = ?", &[Served]);
    check(Sqlite, ddl, "SELECT id FROM t WHERE a = ? AND NOT b", &[Served]);
}

#[test]
fn a_table_of_one_row_needs_no_index() {
    let ddl = "CREATE TABLE server (one bool PRIMARY KEY DEFAULT true, open bool, name text, CHECK (one))";
    check(Postgres, ddl, "UPDATE server SET open = true WHERE name = $1", &[Full]);
    let ddl = "CREATE TABLE server (id int, name text); CREATE UNIQUE INDEX ON server ((true));";
    check(Postgres, ddl, "UPDATE server SET id = 1 WHERE name = $1", &[Full]);
    let ddl = "CREATE TABLE server (id int PRIMARY KEY CHECK (id IN (1)), name text);";
    check(Postgres, ddl, "UPDATE server SET id = 1 WHERE name = $1", &[Full]);
}

#[test]
fn older_servers_ask_a_subquery_for_each_row_that_is_written() {
    let ddl = "CREATE TABLE par (id int PRIMARY KEY, c int, KEY (c));
               CREATE TABLE chi (id int PRIMARY KEY, pid int, d int, KEY (pid));";
    check(MySql, ddl, "DELETE FROM chi WHERE pid IN (SELECT id FROM par WHERE c = ?)", &[Unknown, Served]);
    check(MySql, ddl, "SELECT d FROM chi WHERE pid IN (SELECT id FROM par WHERE c = ?)", &[Served, Served]);
    check(MySql, ddl, "DELETE FROM chi WHERE id = ? AND pid IN (SELECT id FROM par)", &[Served, Served]);
}

#[test]
fn a_cte_that_a_write_takes_in_is_read_once() {
    let ddl = "CREATE TABLE par (id int PRIMARY KEY, k int NOT NULL); CREATE INDEX ON par (k);
               CREATE TABLE chi (id int PRIMARY KEY, pid int NOT NULL, tag int NOT NULL); CREATE INDEX ON chi (pid);";
    let sql = "WITH live AS (SELECT pid FROM chi WHERE tag + 0 <> $1), gone AS (DELETE FROM par p WHERE k = $2
               AND NOT EXISTS (SELECT 1 FROM live l WHERE l.pid = p.id) RETURNING k) SELECT count(*) FROM gone";
    check(Postgres, ddl, sql, &[Served, Served]);
}

#[test]
fn sqlite_makes_the_list_of_an_in_first() {
    let ddl = "CREATE TABLE a (id INTEGER PRIMARY KEY, gid TEXT NOT NULL); CREATE INDEX a_gid ON a (gid);
               CREATE TABLE r (gid TEXT NOT NULL UNIQUE, n INTEGER NOT NULL);";
    check(Sqlite, ddl, "SELECT a.* FROM a WHERE gid IN (SELECT gid FROM r WHERE n = ?)", &[Served, Unserved]);
}

#[test]
fn what_is_written_in_no_way_to_search_says_so() {
    let ddl = "CREATE TABLE t (id bigint PRIMARY KEY, num int, tags text[]); CREATE INDEX t_num ON t (num);";
    let schema = schema(Postgres, ddl);
    for (sql, instead) in [
        ("SELECT id FROM t WHERE num = 1.5", "cast the value to integer, the type of `num`"),
        ("SELECT id FROM t WHERE $1 = ANY (tags)", "write `tags @> ARRAY[$1]`, which a GIN index serves"),
    ] {
        let query = resolve(sql, Postgres, Some(&schema)).expect("it parses");
        let access = accesses(&query, &schema).remove(0);
        assert_eq!(access.hindrance.map(|hindrance| hindrance.instead).as_deref(), Some(instead));
    }
}

#[test]
fn texts_that_are_joined_are_no_or() {
    let schema = schema(MySql, "CREATE TABLE t (id int PRIMARY KEY, a int, b int, KEY (a), KEY (b))");
    let query = resolve("SELECT id FROM t WHERE a = ? || b = ?", MySql, Some(&schema)).expect("it parses");
    let access = accesses(&query, &schema).remove(0);
    let hindrance = access.hindrance.expect("it says what hinders");
    assert_eq!((access.verdict, hindrance.column.as_str()), (Unserved, "a"));
    assert!(hindrance.instead.starts_with("write `OR` between the conditions"), "{}", hindrance.instead);
}

#[test]
fn an_index_of_many_values_is_searched_by_what_is_among_them() {
    for (element, held) in
        [("UNSIGNED", "$.l"), ("CHAR(40)", "$.l"), ("DECIMAL(10, 2)", "$.l.m"), ("DATE", "$")]
    {
        let key = format!("CAST(j->'{held}' AS {element} ARRAY)");
        let ddl = format!("CREATE TABLE docs (id int PRIMARY KEY, j json, KEY docs_l (({key})));");
        check(MySql, &ddl, &format!("SELECT id FROM docs WHERE ? MEMBER OF (j->'{held}')"), &[Served]);
        check(
            MySql,
            &ddl,
            &format!("SELECT id FROM docs WHERE JSON_CONTAINS(j->'{held}', '[5]')"),
            &[Served],
        );
        check(MySql, &ddl, &format!("SELECT id FROM docs WHERE JSON_OVERLAPS(j->'{held}', ?)"), &[Served]);
        check(MySql, &ddl, "SELECT id FROM docs WHERE JSON_CONTAINS(j->'$.other', '[5]')", &[Unserved]);
    }
}

#[test]
fn a_value_that_the_query_names_keeps_many_rows() {
    let ddl =
        "CREATE TABLE s (chain int NOT NULL, num int NOT NULL, up timestamptz, PRIMARY KEY (chain, num));
               CREATE INDEX ON s (chain, num) WHERE up IS NULL;
               CREATE TABLE b (chain int NOT NULL, hash int NOT NULL, num int NOT NULL, status text NOT NULL,
               PRIMARY KEY (chain, hash)); CREATE INDEX ON b (chain, num);";
    let sql = "SELECT s.num FROM s JOIN b ON b.chain = s.chain AND b.num = s.num
               WHERE s.up IS NULL AND b.status = 'final' ORDER BY s.chain, s.num";
    check(Postgres, ddl, sql, &[Served, Served]);
}

#[test]
fn an_index_of_a_table_that_is_looked_up_may_serve_any() {
    for (dialect, ddl) in [
        (
            Postgres,
            "DO $$ DECLARE r record; BEGIN FOR r IN SELECT tablename FROM pg_tables LOOP
             EXECUTE format('CREATE INDEX %I ON %I (a)', r.tablename || '_a', r.tablename); END LOOP; END $$;",
        ),
        (
            MySql,
            "SELECT table_name INTO @n FROM information_schema.tables LIMIT 1;
             SET @s = CONCAT('CREATE INDEX i ON ', @n, ' (a)'); PREPARE p FROM @s; EXECUTE p;",
        ),
    ] {
        let mut replay = Replay::new(dialect);
        replay.apply(&format!("CREATE TABLE t (id int PRIMARY KEY, a int, b int); {ddl}"), "a.sql");
        let text = crate::schema::snapshot::write(&replay.schema, None);
        for schema in [replay.schema, crate::schema::snapshot::read(&text, "s.sql", None).schema] {
            let verdict = |sql| {
                let query = resolve(sql, dialect, Some(&schema)).expect("it parses");
                accesses(&query, &schema).first().map(|access| access.verdict.as_str())
            };
            assert_eq!(verdict("SELECT id FROM t WHERE a = 1"), Some("unknown"), "{ddl}");
            assert_eq!(verdict("SELECT id FROM t WHERE b = 1"), Some("unserved"), "{ddl}");
        }
    }
}

#[test]
fn the_query_may_say_which_table_is_read_first() {
    let ddl = "CREATE TABLE a (id INTEGER PRIMARY KEY, k INT UNIQUE, b_id INT);
               CREATE TABLE b (id INTEGER PRIMARY KEY, k INT UNIQUE, n INT);";
    check(Sqlite, ddl, "SELECT 1 FROM a CROSS JOIN b ON b.id = a.b_id WHERE b.k = ?", &[Full, Served]);
    check(Sqlite, ddl, "SELECT 1 FROM a JOIN b ON b.id = a.b_id WHERE a.k = ?", &[Served, Served]);
    check(Sqlite, ddl, "SELECT 1 FROM b CROSS JOIN a ON b.id = a.b_id WHERE a.k = ?", &[Full, Served]);
    let ddl = "CREATE TABLE a (id int PRIMARY KEY, k int, b_id int, KEY (b_id));
               CREATE TABLE b (id int PRIMARY KEY, k int, KEY (k));";
    check(MySql, ddl, "SELECT 1 FROM a STRAIGHT_JOIN b ON b.id = a.b_id WHERE b.k = ?", &[Full, Served]);
    check(MySql, ddl, "SELECT 1 FROM a JOIN b ON b.id = a.b_id WHERE b.k = ?", &[Served, Served]);
    // A table with one row is read before all others.
    check(MySql, ddl, "SELECT 1 FROM a STRAIGHT_JOIN b ON b.id = a.b_id WHERE b.id = ?", &[Served, Served]);
}

#[test]
fn an_index_ends_with_what_identifies_its_rows() {
    let sorts = |dialect: Dialect, ddl: &str, sql: &str| {
        let schema = schema(dialect, ddl);
        let query = resolve(sql, dialect, Some(&schema)).expect("it parses");
        super::sort::unindexed(&query, &schema).len()
    };
    let ddl = "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b INT); CREATE INDEX t_ab ON t (a, b);";
    for dialect in [MySql, Sqlite] {
        assert_eq!(sorts(dialect, ddl, "SELECT b FROM t WHERE a = ? ORDER BY b, id LIMIT 5"), 0);
        assert_eq!(sorts(dialect, ddl, "SELECT b FROM t WHERE a = ? ORDER BY b DESC, id DESC LIMIT 5"), 0);
        assert_eq!(sorts(dialect, ddl, "SELECT b FROM t WHERE a = ? ORDER BY b DESC, id LIMIT 5"), 1);
        assert_eq!(sorts(dialect, ddl, "SELECT b FROM t WHERE a = ? AND b = ? ORDER BY id LIMIT 5"), 0);
    }
    let ddl =
        "CREATE TABLE t (p INT, q INT, a INT, PRIMARY KEY (p, q)) WITHOUT ROWID; CREATE INDEX t_a ON t (a);";
    assert_eq!(sorts(Sqlite, ddl, "SELECT q FROM t WHERE a = ? ORDER BY p, q LIMIT 5"), 0);
    assert_eq!(sorts(Sqlite, ddl, "SELECT q FROM t WHERE a = ? ORDER BY q LIMIT 5"), 1);
}

#[test]
fn an_index_of_mysql_has_the_collation_of_its_column() {
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, a varchar(9) COLLATE utf8mb4_bin, b varchar(9), KEY (a), KEY (b))";
    check(MySql, ddl, "SELECT id FROM t WHERE a = ? COLLATE utf8mb4_general_ci", &[Unserved]);
    check(MySql, ddl, "SELECT id FROM t WHERE a = ? COLLATE utf8mb4_bin", &[Served]);
    check(MySql, ddl, "SELECT id FROM t WHERE a = ?", &[Served]);
    // It may be the default.
    check(MySql, ddl, "SELECT id FROM t WHERE b = ? COLLATE utf8mb4_general_ci", &[Served]);
}

/// MariaDB 10.11: EXPLAIN.
#[test]
fn a_delete_that_names_its_table_apart_is_planned_as_a_join() {
    let ddl = "CREATE TABLE crop (id int PRIMARY KEY, field int, kg int, KEY cf (field));
               CREATE TABLE fld (fid int PRIMARY KEY, farm int, KEY ff (farm));";
    let chosen = "c.field IN (SELECT fid FROM fld WHERE farm = ?)";
    check(MySql, ddl, &format!("DELETE c FROM crop c WHERE {chosen}"), &[Served, Served]);
    check(MySql, ddl, &format!("DELETE FROM c USING crop AS c WHERE {chosen}"), &[Served, Served]);
    check(
        MySql,
        ddl,
        "DELETE FROM crop WHERE field IN (SELECT fid FROM fld WHERE farm = ?)",
        &[Unknown, Served],
    );
}
