//! The meaning of statements, by examples.

use super::resolve;
use crate::schema::Replay;
use crate::sql::dialect::Dialect::{self, MySql, Postgres, Sqlite};
use crate::sql::query::From;
use crate::sql::query::{Action, Body, JoinKind, Kind, ProblemKind, Query, Source, Write};

const TABLES: &str = "CREATE TABLE p (id bigint PRIMARY KEY, name varchar(40), qty int);
    CREATE TABLE s (id bigint, qty int);";

const POSTGRES: &str = "CREATE TYPE addr AS (street text, zip text);
    CREATE TABLE h (id bigint PRIMARY KEY, ad addr, ads addr[]);
    CREATE FUNCTION full_name(p) RETURNS text LANGUAGE sql AS 'SELECT $1.name';
    CREATE MATERIALIZED VIEW m AS SELECT id, count(*) AS n FROM p GROUP BY id;
    CREATE UNIQUE INDEX m_id ON m (id);
    CREATE VIEW v AS SELECT id, qty FROM s;";

fn resolved(dialect: Dialect, sql: &str) -> Query {
    let mut replay = Replay::new(dialect);
    replay.apply(TABLES, "tables.sql");
    if dialect == Postgres {
        replay.apply(POSTGRES, "postgres.sql");
    }
    assert_eq!(replay.problems, []);
    resolve(sql, dialect, Some(&replay.schema)).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Unknown names, lists of the wrong length, and clauses that are refused.
pub(super) fn problems(dialect: Dialect, sql: &str) -> Vec<String> {
    let words = |kind: &ProblemKind| match kind {
        ProblemKind::UnknownTable { name, .. } => format!("table {name}"),
        ProblemKind::UnknownColumn { column, .. } => format!("column {column}"),
        ProblemKind::UnknownField { field, .. } => format!("field {field}"),
        ProblemKind::AmbiguousColumn { column, .. } => format!("several {column}"),
        ProblemKind::Clause { message, .. } | ProblemKind::Foreign { message, .. } => message.clone(),
        ProblemKind::ValuesCount { values, columns, .. } => format!("{values} for {}", columns.len()),
    };
    resolved(dialect, sql).problems.iter().map(|problem| words(&problem.kind)).collect()
}

#[track_caller]
fn check(dialect: Dialect, sql: &str, expect: &[&str]) {
    assert_eq!(problems(dialect, sql), expect, "{sql}");
}

fn write(query: &Query) -> &Write {
    match &query.block(query.root.expect("a root")).body {
        Body::Write(write) => write,
        other => panic!("a write, not {other:?}"),
    }
}

#[test]
fn a_cte_sees_the_rows_around_its_query_and_a_column_is_meant_before_a_row() {
    let tables = "CREATE TABLE links (id int, url text); CREATE TABLE pages (id int, links json);";
    let mut replay = Replay::new(Postgres);
    replay.apply(tables, "tables.sql");
    for (sql, expected) in [
        (
            "SELECT (SELECT url FROM links WHERE id = (WITH one AS (SELECT n FROM json_array_elements(links) AS n) \
             SELECT (n->>0)::int FROM one LIMIT 1)) FROM pages",
            0,
        ),
        ("SELECT (SELECT url FROM links l WHERE l.id = json_array_length(links)) FROM pages", 0),
        ("SELECT (WITH one AS (SELECT other FROM links) SELECT 1 FROM one) FROM pages", 1),
        ("WITH one AS (SELECT links FROM links) SELECT * FROM one", 0),
    ] {
        let query = resolve(sql, Postgres, Some(&replay.schema)).expect("it parses");
        assert_eq!(query.problems.len(), expected, "{sql}: {:?}", query.problems);
    }
}

#[test]
fn a_schema_that_nothing_is_in_is_filled_by_others() {
    check(Postgres, "SELECT 1 FROM audit.changes", &[]);
    check(Postgres, "SELECT 1 FROM public.changes", &["table changes"]);
    check(Postgres, "SELECT 1 FROM changes", &["table changes"]);
}

#[test]
fn merge_joins_its_source_with_its_target() {
    let query = resolved(
        Postgres,
        "MERGE INTO p USING s ON p.id = s.id WHEN MATCHED AND s.qty > 0 THEN UPDATE SET qty = s.qty \
         WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id, qty) VALUES (s.id, s.qty) RETURNING p.id, s.qty",
    );
    assert_eq!((query.kind, query.problems.as_slice(), query.unchecked), (Kind::Merge, &[][..], None));
    let merge = write(&query);
    assert!(
        matches!(merge.from.as_slice(), [From::Join { kind: JoinKind::Left, .. }]),
        "rows without a partner stay"
    );
    assert!(merge.inserts() && merge.deletes());
    assert!(matches!(&merge.whens[1].action, Action::Delete));
    assert_eq!(query.block(query.root.expect("a root")).outputs.as_ref().map(Vec::len), Some(2));
    let of = |sql| write(&resolved(Postgres, sql)).from.clone();
    let inner = of("MERGE INTO p USING s ON p.id = s.id WHEN MATCHED THEN DO NOTHING");
    assert!(matches!(inner.as_slice(), [From::Join { kind: JoinKind::Inner, .. }]));
}

#[test]
fn each_clause_of_a_merge_sees_the_rows_that_there_are() {
    let merge =
        |clause: &str| problems(Postgres, &format!("MERGE INTO p USING s AS x ON p.id = x.id {clause}"));
    assert_eq!(merge("WHEN MATCHED THEN UPDATE SET nmae = x.qty"), ["column nmae"]);
    assert_eq!(merge("WHEN NOT MATCHED THEN INSERT (id) VALUES (p.id)"), ["table p"]);
    assert_eq!(merge("WHEN NOT MATCHED BY SOURCE AND x.qty > 1 THEN DELETE"), ["table x"]);
    assert_eq!(merge("WHEN NOT MATCHED THEN INSERT (id, qty) VALUES (x.id)"), ["1 for 2"]);
    assert_eq!(merge("WHEN NOT MATCHED THEN INSERT DEFAULT VALUES"), [""; 0]);
    check(
        Postgres,
        "MERGE INTO nowhere n USING s ON n.id = s.id WHEN MATCHED THEN DELETE",
        &["table nowhere"],
    );
    check(
        Postgres,
        "WITH x AS (SELECT 1 AS id) MERGE INTO p USING x ON p.id = x.id WHEN MATCHED THEN DELETE",
        &[],
    );
}

#[test]
fn what_is_explained_is_resolved() {
    check(Postgres, "EXPLAIN (ANALYZE, FORMAT JSON) SELECT nmae FROM p", &["column nmae"]);
    check(Postgres, "EXPLAIN VERBOSE DELETE FROM p WHERE nmae = 1", &["column nmae"]);
    check(MySql, "ANALYZE FORMAT=JSON SELECT nmae FROM p", &["column nmae"]);
    check(Sqlite, "EXPLAIN QUERY PLAN SELECT nmae FROM p", &["column nmae"]);
    let tables = |sql| resolved(Postgres, sql).relations.len();
    assert_eq!(tables("EXPLAIN SELECT id FROM p"), 0, "it is planned alone");
    assert_eq!(tables("EXPLAIN (ANALYZE off) SELECT id FROM p"), 0);
    assert_eq!(tables("EXPLAIN (BUFFERS, ANALYZE) SELECT id FROM p"), 1, "it is run");
    assert_eq!(resolved(MySql, "DESCRIBE p").unchecked, None);
}

#[test]
fn queries_inside_of_statements_are_resolved() {
    check(Postgres, "COPY (SELECT nmae FROM p) TO STDOUT", &["column nmae"]);
    check(Postgres, "DECLARE c CURSOR FOR SELECT nmae FROM p", &["column nmae"]);
    check(Postgres, "CREATE TABLE x AS SELECT nmae FROM p", &["column nmae"]);
    check(Postgres, "PREPARE a AS SELECT nmae FROM p WHERE id = $1", &["column nmae"]);
    check(Postgres, "CALL add((SELECT nmae FROM p))", &["column nmae"]);
}

#[test]
fn what_is_not_looked_into_says_so() {
    for sql in ["CALL add($1)", "DO $$ BEGIN END $$", "EXECUTE a(1)"] {
        assert!(resolved(Postgres, sql).unchecked.is_some(), "{sql}");
    }
    for sql in ["SET search_path = a", "LISTEN a", "VACUUM p", "TRUNCATE p", "BEGIN", "SELECT id FROM p"] {
        assert_eq!(resolved(Postgres, sql).unchecked, None, "{sql}");
    }
}

/// What is emptied or loaded may be a temporary table, which no schema has.
#[test]
fn commands_may_name_temporary_tables() {
    for sql in ["TRUNCATE scratch", "COPY scratch (id) FROM STDIN", "LOCK TABLE scratch", "ANALYZE scratch"] {
        check(Postgres, sql, &[]);
    }
    check(MySql, "ANALYZE TABLE scratch", &[]);
}

#[test]
fn tables_that_the_schema_lacks_are_tables() {
    let source = |dialect, sql| resolved(dialect, sql).relations[0].source.clone();
    check(Postgres, "SELECT id FROM nowhere", &["table nowhere"]);
    assert!(matches!(source(Postgres, "SELECT id FROM nowhere"), Source::Table(_)));
    check(Sqlite, "SELECT id FROM other.p", &[]);
    assert!(matches!(source(Sqlite, "SELECT id FROM other.p"), Source::Table(name) if name.schema.is_some()));
    // It may be the current database, whose name appears in no migration, or another with a table of that name.
    check(MySql, "SELECT app.p.nmae FROM app.p", &[]);
    assert!(matches!(source(MySql, "SELECT id FROM app.p"), Source::Table(name) if name.schema.is_some()));
    check(MySql, "SELECT nmae FROM app.elsewhere", &[]);
}

#[test]
fn materialised_views_are_tables_with_their_own_indexes() {
    let query = resolved(Postgres, "SELECT n FROM m WHERE id = $1");
    assert_eq!((query.problems.as_slice(), query.relations.len()), (&[][..], 1));
    assert!(matches!(&query.relations[0].source, Source::Table(name) if name.name == "m"));
    check(Postgres, "SELECT nmae FROM m", &["column nmae"]);
}

#[test]
fn rows_are_unnested_into_their_columns() {
    for sql in [
        "SELECT street, zip FROM unnest($1::addr[])",
        "SELECT u.street FROM unnest($1::public.addr[]) AS u",
        "SELECT a, b FROM unnest($1::addr[]) AS u(a, b)",
        "SELECT street, zip, n FROM unnest($1::addr[], $2::int[]) AS u(street, zip, n)",
        "SELECT x.street, x.n FROM h, unnest(h.ads) WITH ORDINALITY AS x(street, zip, n)",
        "SELECT street FROM unnest(ARRAY[ROW('a', 'b')::addr])",
        "SELECT name FROM unnest((SELECT array_agg(p) FROM p))",
        "SELECT u.name FROM unnest(array(SELECT p FROM p)) u",
        "SELECT x FROM unnest($1::text[]) AS x",
        "SELECT x FROM h, unnest(ads) AS x",
    ] {
        check(Postgres, sql, &[]);
    }
    check(Postgres, "SELECT streat FROM unnest($1::addr[])", &["column streat"]);
}

#[test]
fn a_type_in_quotes_keeps_its_letters() {
    let mut replay = Replay::new(Postgres);
    replay.apply(
        "CREATE SCHEMA \"App\"; CREATE TYPE \"App\".\"Pt\" AS (x int, \"Y\" int); CREATE TYPE \"Pt.2\" AS (z int);
         CREATE TYPE pt AS (a int); CREATE TYPE pt2 AS (b int); CREATE TABLE \"User\" (\"Id\" int, \"fullName\" text);",
        "types.sql",
    );
    let problems = |sql: &str| {
        let query = resolve(sql, Postgres, Some(&replay.schema)).expect("it parses");
        query.problems.iter().map(|problem| format!("{:?}", problem.kind)).collect::<Vec<_>>()
    };
    for sql in [
        "SELECT p.x, p.\"Y\" FROM unnest($1::\"App\".\"Pt\"[]) p",
        "SELECT p.\"fullName\" FROM unnest($1::\"User\"[]) p",
        "SELECT p.z, ($1::\"Pt.2\").z FROM unnest(CAST($1 AS \"Pt.2\"[])) p",
        "SELECT p.a FROM unnest($1::Pt[]) p",
        "SELECT p.b FROM unnest($1::pt2[]) p",
    ] {
        assert_eq!(problems(sql), [""; 0], "{sql}");
    }
    assert!(problems("SELECT p.x FROM unnest($1::pt[]) p")[0].contains("UnknownColumn"));
    // The program gives the parameter its type.
    assert_eq!(problems("SELECT p.x FROM unnest($1) p"), [""; 0]);
    assert!(problems("SELECT p.y FROM unnest($1::\"App\".\"Pt\"[]) p")[0].contains("UnknownColumn"));
}

#[test]
fn a_function_of_a_row_is_written_as_its_column() {
    check(Postgres, "SELECT p.full_name, (p).full_name FROM p", &[]);
    check(Postgres, "SELECT s.qty, p.fullname FROM p, s", &["column fullname"]);
}

#[test]
fn names_are_cut_at_63_bytes() {
    let long = "x".repeat(70);
    check(Postgres, &format!("SELECT {long}1 FROM (SELECT 1 AS {long}2) q"), &[]);
    check(Sqlite, &format!("SELECT {long}1 FROM (SELECT 1 AS {long}2) q"), &[&format!("column {long}1")]);
}

#[test]
fn mysql_names_what_it_selects() {
    check(MySql, "SELECT id AS k, row_number() OVER (PARTITION BY qty ORDER BY k + 1) AS n FROM p", &[]);
    check(MySql, "SELECT row_number() OVER (ORDER BY k), id AS k FROM p", &[]);
    check(MySql, "SELECT sum(qty) OVER w, id AS k FROM p WINDOW w AS (ORDER BY k)", &[]);
    check(MySql, "SELECT id AS k, k + 1 FROM p", &["column k"]);
    check(MySql, "SELECT id AS k FROM p WHERE k = 1", &["column k"]);
    let joined = |of: &str, rest: &str| format!("SELECT {of} FROM p JOIN s ON s.id = p.id {rest}");
    check(MySql, &joined("p.id, sum(s.qty) AS n", "GROUP BY id HAVING id > 1"), &[]);
    check(MySql, &joined("s.qty", "GROUP BY id"), &["several id"]);
    check(Postgres, &joined("p.id", "GROUP BY id"), &["several id"]);
}

#[test]
fn returning_names_what_its_database_lets_it() {
    let sql = "UPDATE p SET qty = s.qty FROM s WHERE s.id = p.id RETURNING id";
    check(Sqlite, sql, &[]);
    check(Postgres, sql, &["several id"]);
}

#[test]
fn as_many_values_as_columns() {
    for dialect in Dialect::ALL {
        check(dialect, "INSERT INTO p (id, name) VALUES (1)", &["1 for 2"]);
        check(dialect, "INSERT INTO p (id, name) VALUES (1, 'a'), (2, 'b', 3)", &["3 for 2"]);
        check(dialect, "INSERT INTO p (id, name) SELECT id FROM s", &["1 for 2"]);
        check(dialect, "INSERT INTO s SELECT * FROM p", &["3 for 2"]);
        check(dialect, "INSERT INTO s VALUES (1, 2, 3)", &["3 for 2"]);
        check(dialect, "INSERT INTO s (id, qty) SELECT * FROM s", &[]);
        let fewer: &[&str] = if dialect == Postgres { &[] } else { &["1 for 2"] };
        check(dialect, "INSERT INTO s VALUES (1)", fewer);
        check(dialect, "INSERT INTO s SELECT 1", fewer);
    }
    check(MySql, "INSERT INTO p () VALUES ()", &[]);
    check(Postgres, "UPDATE p SET (name, qty) = (SELECT 1)", &["1 for 2"]);
    check(Postgres, "INSERT INTO v VALUES (1, 2)", &[]);
    assert!(
        resolve("INSERT INTO t (a, b) VALUES (1)", Postgres, None)
            .is_ok_and(|query| query.problems.len() == 1)
    );
}

#[test]
fn an_output_is_no_part_of_an_expression_of_order_by_in_postgres() {
    check(Postgres, "SELECT qty AS q FROM p ORDER BY (q), q DESC, qty + 1", &[]);
    check(Postgres, "SELECT qty AS q FROM p ORDER BY q + 1", &["column q"]);
    check(Sqlite, "SELECT qty AS q FROM p ORDER BY q + 1", &[]);
    check(MySql, "SELECT qty AS q FROM p ORDER BY q + 1", &[]);
    check(Postgres, "MERGE INTO ONLY p USING ONLY s ON p.id = s.id WHEN MATCHED THEN DELETE", &[]);
}

#[test]
fn keys_of_distinct_on_are_read_as_those_of_order_by() {
    check(Postgres, "SELECT DISTINCT ON (q) id, qty AS q FROM p ORDER BY q, id", &[]);
    check(Postgres, "SELECT DISTINCT ON (q + 1) id, qty AS q FROM p", &["column q"]);
    check(Postgres, "SELECT DISTINCT ON (q) qty AS q FROM p GROUP BY qty HAVING q > 1", &["column q"]);
}

#[test]
fn functions_of_sql_are_the_query_that_is_in_them() {
    let made = "CREATE FUNCTION since(least int) RETURNS TABLE (k bigint, q int) LANGUAGE sql STABLE
            AS $$ SELECT id, qty FROM p WHERE qty >= least AND since.least > 0 $$;
        CREATE FUNCTION all_of(bigint) RETURNS SETOF p LANGUAGE sql IMMUTABLE AS 'SELECT * FROM p WHERE id = $1';
        CREATE FUNCTION called(bigint) RETURNS SETOF p LANGUAGE sql AS 'SELECT * FROM p WHERE id = $1';
        CREATE FUNCTION twice(n int) RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT a FROM twice(n) a, twice(n) b';";
    let mut replay = Replay::new(Postgres);
    replay.apply(TABLES, "tables.sql");
    replay.apply(made, "functions.sql");
    let resolved = |sql| resolve(sql, Postgres, Some(&replay.schema)).expect("it parses");
    let query = resolved("SELECT f.k FROM since($1) f WHERE f.q = 3");
    assert_eq!(query.problems, []);
    let inner = query.block(query.relations[query.relations.len() - 1].inlined.expect("it is written in"));
    let filters: Vec<String> = inner.filters().iter().map(ToString::to_string).collect();
    assert_eq!(filters, ["qty >= $1", "$1 > 0"]);
    let read = |sql| {
        let query = resolved(sql);
        assert_eq!(query.problems, [], "{sql}");
        query.relations.iter().filter(|relation| matches!(relation.source, Source::Table(_))).count()
    };
    assert_eq!(read("SELECT name FROM all_of($1)"), 1);
    assert_eq!(read("SELECT x.a FROM s, all_of(s.id) AS x(a)"), 2);
    assert_eq!(read("SELECT 1 FROM called($1)"), 0, "it is called");
    assert_eq!(read("SELECT 1 FROM twice(1)"), 0, "it ends");
    assert_eq!(resolved("SELECT nmae FROM all_of($1)").problems.len(), 1);
}

#[test]
fn a_search_path_set_elsewhere_may_lead_to_a_table() {
    let mut replay = Replay::new(Postgres);
    replay.apply(
        "CREATE SCHEMA a; CREATE SCHEMA b; CREATE TABLE a.users (id int); CREATE TABLE a.logs (id int);
         CREATE TABLE b.logs (id int); CREATE TABLE events (id int);",
        "a.sql",
    );
    let told = |sql: &str| {
        let query =
            resolve(sql, Postgres, Some(&replay.schema)).unwrap_or_else(|error| panic!("{sql}: {error}"));
        query.problems.iter().map(|problem| format!("{:?}", problem.kind)).collect::<Vec<_>>()
    };
    assert_eq!(told("SELECT id FROM users"), [""; 0]);
    assert_eq!(told("SELECT name FROM logs"), [""; 0], "which of two is not known");
    assert_eq!(told("SELECT id FROM a.events"), [""; 0], "made without a qualifier");
    assert!(told("SELECT id FROM a.event")[0].contains("UnknownTable"));
    assert!(told("SELECT name FROM users")[0].contains("UnknownColumn"));
    assert!(told("SELECT id FROM user")[0].contains("UnknownTable"));
}

#[test]
fn fields_of_composite_values() {
    for known in [
        "SELECT (ad).zip, (ads[1]).street FROM h",
        "SELECT ($1::addr).zip, (unnest($1::addr[])).street",
        "SELECT (h).id, (p).full_name FROM h, p",
    ] {
        check(Postgres, known, &[]);
    }
    check(Postgres, "SELECT (ad).city FROM h", &["field city"]);
    check(Postgres, "SELECT (ads[1]).city FROM h", &["field city"]);
    check(Postgres, "SELECT (unnest(ads)).city FROM h", &["field city"]);
    check(Postgres, "SELECT (h).nosuch FROM h", &["field nosuch"]);
    check(
        Postgres,
        "SELECT (h).quote_literal, (h).pg_column_size, (h).jsonb_build_array, (h).max FROM h",
        &[],
    );
}

#[test]
fn columns_that_a_function_declares() {
    let ddl = "CREATE FUNCTION two(x int, OUT a int, INOUT b text) LANGUAGE sql AS $$ SELECT 1, 'x' $$;
               CREATE FUNCTION one(OUT only int) LANGUAGE sql AS $$ SELECT 1 $$;
               CREATE FUNCTION listed() RETURNS TABLE (k int, v text) LANGUAGE plpgsql AS $$ BEGIN END $$;
               CREATE FUNCTION num() RETURNS SETOF int LANGUAGE sql AS $$ SELECT 1 $$;
               CREATE FUNCTION any_row() RETURNS SETOF record LANGUAGE sql AS $$ SELECT 1 $$;
               CREATE FUNCTION ANY_ROWS() RETURNS SETOF RECORD LANGUAGE sql AS $$ SELECT 1, 2 $$;
               CREATE FUNCTION same(x ANYELEMENT) RETURNS ANYELEMENT LANGUAGE sql AS $$ SELECT x $$;
               CREATE FUNCTION after(x int, a OUT int, b INOUT int) LANGUAGE sql AS $$ SELECT 1, 2 $$;
               CREATE FUNCTION json_each(x text) RETURNS TABLE (a int) LANGUAGE sql STABLE AS $$ SELECT 1 $$;";
    let mut replay = Replay::new(Postgres);
    replay.apply(ddl, "functions.sql");
    let unknown = |sql: &str| {
        let query = resolve(sql, Postgres, Some(&replay.schema)).expect("it parses");
        query.problems.len()
    };
    for known in [
        "SELECT a, b FROM two(1, 'x')",
        "SELECT f.only FROM one() AS f",
        "SELECT k, v FROM listed()",
        "SELECT n FROM num() AS n",
        "SELECT r.anything FROM any_row() r",
        "SELECT (two(1, 'x')).b",
        "SELECT a, b FROM any_rows() AS r(a int, b int)",
        "SELECT r.anything FROM same(1) r",
        "SELECT a, b FROM after(1, 2)",
        // The function of this name that takes text, or the built-in one.
        "SELECT a FROM json_each('x')",
        "SELECT key FROM json_each('{}'::json)",
    ] {
        assert_eq!(unknown(known), 0, "{known}");
    }
    for wrong in [
        "SELECT a, c FROM two(1, 'x')",
        "SELECT t.w FROM listed() t",
        "SELECT (two(1, 'x')).c",
        "SELECT c FROM after(1, 2)",
    ] {
        assert_eq!(unknown(wrong), 1, "{wrong}");
    }
}

#[test]
fn the_alias_of_a_join_has_the_merged_columns_alone() {
    check(Postgres, "SELECT j.id, j.* FROM p JOIN s USING (id) AS j WHERE j.id = $1", &[]);
    check(Postgres, "SELECT j.name FROM p JOIN s USING (id) AS j", &["table j"]);
}

#[test]
fn a_recursive_with_may_name_itself_and_what_follows() {
    let upwards = "up AS (SELECT id, qty FROM p WHERE id = 1 UNION ALL SELECT p.id, p.qty FROM up JOIN p ON up.qty = p.id) SELECT id FROM up";
    let later = "a AS (SELECT id FROM b), b AS (SELECT id FROM p) SELECT id FROM a";
    for dialect in [Postgres, MySql, Sqlite] {
        for with in [upwards, later] {
            check(dialect, &format!("WITH RECURSIVE {with}"), &[]);
        }
        check(dialect, "WITH a AS (SELECT id FROM p) SELECT a.id FROM a, x", &["table x"]);
    }
    for (with, missing) in [(upwards, "table up"), (later, "table b")] {
        let sql = format!("WITH {with}");
        check(Sqlite, &sql, &[]);
        check(Postgres, &sql, &[missing]);
        check(MySql, &sql, &[missing]);
    }
    check(
        Sqlite,
        "WITH n (i) AS (VALUES (1) UNION SELECT i + 1 FROM n WHERE i < 4) SELECT i, j FROM n",
        &["column j"],
    );
    check(Sqlite, "WITH p AS (SELECT id FROM main.p) SELECT qty FROM p", &["column qty"]);
}
