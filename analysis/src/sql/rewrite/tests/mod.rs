//! Rewrites of what the parser does not accept, by examples.

mod needed;
mod others;
mod recent;

use crate::schema::Replay;
use crate::sql::query::{Body, Query};
use crate::sql::{Dialect, resolve};

const TABLES: &str =
    "CREATE TABLE jobs (id bigint PRIMARY KEY, kind text UNIQUE, state text, tags text[], at timestamp);
    CREATE TABLE runs (id bigint PRIMARY KEY, job_id bigint, n int);";

/// Parses each query; every name in it has to be known.
#[track_caller]
fn takes(dialect: Dialect, queries: &[&str]) -> Vec<Query> {
    let mut replay = Replay::new(dialect);
    let array = if dialect == Postgres { "text[]" } else { "text" };
    replay.apply(&TABLES.replace("text[]", array), "tables.sql");
    assert_eq!(replay.problems, []);
    let take = |sql: &&str| {
        let query = resolve(sql, dialect, Some(&replay.schema));
        let query = query.unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(query.problems, [], "{sql}");
        query
    };
    queries.iter().map(take).collect()
}

#[track_caller]
fn outputs(query: &Query) -> String {
    let outputs = query.block(query.root.expect("a root")).outputs.as_ref().expect("known columns");
    outputs.iter().map(|output| output.name.as_str()).collect::<Vec<_>>().join(" ")
}

/// The conditions of the WHERE.
#[track_caller]
fn filter(query: &Query) -> String {
    let Body::Select(select) = &query.block(query.root.expect("a root")).body else { panic!("a SELECT") };
    select.filter.as_ref().expect("a filter").to_string()
}

use Dialect::{MySql, Postgres, Sqlite};

#[test]
fn tables_in_parentheses() {
    for dialect in [MySql, Sqlite] {
        let queries = takes(
            dialect,
            &[
                "SELECT j.id, n FROM (jobs j, runs AS r) WHERE r.job_id = j.id",
                "SELECT j.id, n FROM ((jobs j), runs AS r) WHERE r.job_id = j.id",
                "SELECT j.id, n FROM jobs j JOIN (runs r, (SELECT 1 AS one) s) ON r.job_id = j.id",
                "SELECT j.id, n FROM ((SELECT id, kind FROM jobs) j, runs r) WHERE r.job_id = j.id",
                "SELECT k.id, r.n FROM jobs k, (jobs j, runs r) WHERE r.job_id = j.id AND (1, 2) = (1, 2)",
                "SELECT j.id, (r.n) FROM runs r JOIN jobs k ON k.id = r.job_id, (jobs j)",
            ],
        );
        for query in &queries {
            assert_eq!(query.block(query.root.expect("a root")).outputs.as_ref().map(|it| it.len()), Some(2));
        }
        takes(
            dialect,
            &["SELECT id FROM (jobs)", "SELECT j.id FROM (jobs j)", "SELECT n FROM (SELECT 1 AS n) s"],
        );
    }
}

#[test]
fn row_locks() {
    let queries = takes(
        Postgres,
        &[
            "SELECT id FROM jobs FOR NO KEY UPDATE SKIP LOCKED",
            "SELECT id FROM jobs j FOR KEY SHARE OF j",
            "SELECT j.id FROM jobs j JOIN runs r ON r.job_id = j.id FOR UPDATE OF j, r NOWAIT",
            "SELECT j.id FROM jobs j JOIN runs r ON r.job_id = j.id FOR UPDATE OF j SKIP LOCKED FOR SHARE OF r",
        ],
    );
    assert!(queries.iter().all(|query| query.block(query.root.expect("a root")).locks));
    let queries = takes(
        Postgres,
        &[
            "SELECT id FROM jobs ORDER BY id FOR UPDATE FETCH FIRST 2 ROWS ONLY",
            "SELECT id FROM jobs FOR UPDATE SKIP LOCKED FETCH NEXT ROW ONLY",
            "SELECT id FROM jobs FOR NO KEY UPDATE OF jobs NOWAIT FETCH FIRST (1 + $1) ROWS ONLY",
            "SELECT j.id FROM jobs j, runs r FOR SHARE OF j, r FETCH FIRST $1 ROWS ONLY",
        ],
    );
    let limits = queries.iter().map(|query| query.block(query.root.expect("a root")).limit.as_ref());
    let limits: Vec<String> = limits.map(|limit| limit.expect("a limit").to_string()).collect();
    assert_eq!(limits, ["2", "1", "1 + $1", "$1"]);
    let ties = "SELECT id FROM jobs ORDER BY id FOR UPDATE FETCH FIRST 2 ROWS WITH TIES";
    assert!(resolve(ties, Postgres, None).is_err(), "no LIMIT returns the same rows");
    let queries =
        takes(MySql, &["SELECT id FROM jobs LOCK IN SHARE MODE", "SELECT id FROM jobs LIMIT 5 FOR SHARE"]);
    assert!(queries.iter().all(|query| query.block(query.root.expect("a root")).locks));
}

#[test]
fn targets_of_a_conflict() {
    takes(
        Postgres,
        &[
            "INSERT INTO jobs (kind) VALUES ($1) ON CONFLICT (kind) WHERE state = 'new' DO NOTHING",
            "INSERT INTO jobs (kind) VALUES ($1) ON CONFLICT (lower(kind)) DO NOTHING",
            "INSERT INTO jobs (kind) VALUES ($1) ON CONFLICT (kind COLLATE \"C\" text_pattern_ops, state) DO NOTHING",
            "INSERT INTO jobs (kind) VALUES ($1) ON CONFLICT ((lower(kind)), state) WHERE at IS NULL \
             DO UPDATE SET (kind, state) = (EXCLUDED.kind, EXCLUDED.state) RETURNING id",
        ],
    );
    let queries = takes(
        Sqlite,
        &[
            "INSERT INTO jobs (kind) VALUES (?) ON CONFLICT(kind COLLATE NOCASE) DO NOTHING",
            "INSERT INTO jobs (kind) VALUES (?) ON CONFLICT(kind) DO UPDATE SET state = 'a' ON CONFLICT(id) DO NOTHING",
        ],
    );
    let Body::Write(write) = &queries[1].block(queries[1].root.expect("a root")).body else {
        panic!("a write")
    };
    assert_eq!(write.conflict.as_ref().expect("a conflict").columns, ["kind"], "the first counts");
}

#[test]
fn elements_of_arrays_and_fields_are_written() {
    let queries = takes(
        Postgres,
        &[
            "UPDATE jobs SET tags[$1] = 'a', state = 'b', tags[1:2] = $2, tags[1][2] = 'x' WHERE id = 1",
            "INSERT INTO jobs (id, tags[1]) VALUES ($1, 'a')",
        ],
    );
    let Body::Write(write) = &queries[0].block(queries[0].root.expect("a root")).body else {
        panic!("a write")
    };
    let columns: Vec<&str> = write.assignments.iter().map(|(column, _)| column.as_str()).collect();
    assert_eq!(columns, ["tags", "state", "tags", "tags"]);
}

#[test]
fn frames_that_leave_rows_out() {
    for dialect in [Postgres, Sqlite] {
        takes(
            dialect,
            &[
                "SELECT sum(n) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING EXCLUDE TIES) FROM runs",
                "SELECT sum(n) OVER (ORDER BY id GROUPS 2 PRECEDING EXCLUDE NO OTHERS) FROM runs",
                "SELECT sum(n) OVER (ORDER BY id RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM runs",
            ],
        );
    }
}

#[test]
fn table_as_a_query() {
    let queries = takes(
        Postgres,
        &[
            "TABLE runs",
            "WITH r AS (TABLE runs) SELECT * FROM r",
            "INSERT INTO runs TABLE runs",
            "TABLE ONLY runs",
        ],
    );
    assert_eq!(outputs(&queries[0]), "id job_id n");
    assert_eq!(outputs(&queries[1]), "id job_id n");
    assert_eq!(outputs(&takes(MySql, &["TABLE runs"])[0]), "id job_id n");
}

#[test]
fn tables_without_those_that_inherit() {
    takes(
        Postgres,
        &[
            "SELECT id FROM ONLY jobs",
            "SELECT j.id FROM ONLY (jobs) j",
            "SELECT id FROM jobs * WHERE state = 'a'",
            "UPDATE ONLY jobs SET state = 'a'",
            "UPDATE jobs * SET state = 'a'",
            "DELETE FROM ONLY jobs j WHERE j.id = ANY($1)",
        ],
    );
}

#[test]
fn tests_for_null() {
    for dialect in [Postgres, Sqlite] {
        let queries = takes(dialect, &["SELECT id FROM jobs WHERE kind ISNULL OR (state) NOTNULL"]);
        assert_eq!(filter(&queries[0]), "kind is null or state is not null");
    }
    let queries =
        takes(Sqlite, &["SELECT id FROM jobs WHERE kind NOT NULL", "SELECT id NOT NULL AS a FROM jobs"]);
    assert_eq!(filter(&queries[0]), "kind is not null");
    takes(MySql, &["SELECT ISNULL(kind) FROM jobs"]);
}

#[test]
fn rows_of_a_cursor() {
    let queries = takes(
        Postgres,
        &["UPDATE jobs SET state = 'a' WHERE CURRENT OF c", "DELETE FROM jobs WHERE CURRENT OF c"],
    );
    assert_eq!(queries.len(), 2);
}

#[test]
fn recursion_in_order() {
    let sql = "WITH RECURSIVE tree AS (SELECT id, job_id FROM runs WHERE id = $1 UNION ALL \
        SELECT r.id, r.job_id FROM runs r JOIN tree ON r.job_id = tree.id) \
        SEARCH DEPTH FIRST BY id SET place CYCLE id SET again USING path SELECT id, place, again, path FROM tree ORDER BY place";
    assert_eq!(outputs(&takes(Postgres, &[sql])[0]), "id place again path");
}

#[test]
fn literals_of_any_type() {
    let queries = takes(
        Postgres,
        &[
            "SELECT id FROM jobs WHERE state = mood 'ok' AND kind = public.mood 'sad' AND tags = citext 'x'",
            "SELECT inet '10.0.0.1', \"mood\" 'ok', interval '1 day', date '2020-01-01'",
        ],
    );
    assert_eq!(filter(&queries[0]).matches("::").count(), 3, "{}", filter(&queries[0]));
    assert_eq!(outputs(&queries[1]), "inet mood interval date");
}

#[test]
fn whole_rows_and_their_fields() {
    let queries =
        takes(Postgres, &["SELECT j.*::text FROM jobs j", "SELECT (j).*, (jsonb_each($1)).* FROM jobs j"]);
    assert_eq!(outputs(&queries[0]), "j");
    assert!(queries[1].block(queries[1].root.expect("a root")).outputs.is_none(), "they are not known");
}

#[test]
fn several_functions_side_by_side() {
    takes(
        Postgres,
        &[
            "SELECT a, b FROM ROWS FROM (unnest($1::int[]), unnest($2::text[])) AS t(a, b)",
            "SELECT a FROM ROWS FROM (generate_series(1, 3), f()) WITH ORDINALITY AS t(a, b, n)",
        ],
    );
}

#[test]
fn small_words_of_postgres() {
    takes(
        Postgres,
        &[
            "INSERT INTO runs (id) OVERRIDING SYSTEM VALUE VALUES ($1) RETURNING id",
            "SELECT id FROM runs WHERE n BETWEEN SYMMETRIC $1 AND $2",
            "SELECT n, count(*) FROM runs GROUP BY DISTINCT n, ROLLUP (n)",
            "SELECT format('%s %s', VARIADIC ARRAY['a', 'b'])",
            "SELECT substring(kind SIMILAR 'a' ESCAPE '#') FROM jobs WHERE kind SIMILAR TO 'a' ESCAPE '#'",
            "SELECT xmlelement(NAME foo, xmlattributes(id AS x), kind) FROM jobs",
            "SELECT id FROM jobs WHERE kind = ANY (VALUES ('a'), ('b'))",
            "SELECT $1::bit varying(3), CAST($2 AS bit varying), $3::national character varying(3)",
            "SELECT trim(LEADING FROM kind), trim(BOTH 'x' FROM kind), U&\"id\" FROM jobs",
            "SELECT id AS table, kind AS select FROM jobs",
            "SELECT id INTO TEMP TABLE found FROM jobs",
            "SELECT json_value(kind, '$.a' RETURNING int DEFAULT 0 ON ERROR), json_query(kind, '$.b' WITH WRAPPER) FROM jobs",
            "UPDATE jobs SET state = 'a' RETURNING old.state, new.state",
        ],
    );
}

#[test]
fn clauses_after_a_select_without_from() {
    let queries = takes(
        Postgres,
        &[
            "INSERT INTO runs (job_id, n) SELECT $1, unnest($2::int[]) ON CONFLICT (id) DO NOTHING",
            "INSERT INTO runs (job_id) SELECT $1 IS DISTINCT FROM 2 ON CONFLICT DO NOTHING",
            "INSERT INTO runs (job_id) SELECT j.id FROM jobs j JOIN runs r ON r.job_id = j.id ON CONFLICT DO NOTHING",
            "SELECT pg_advisory_xact_lock($1) FOR UPDATE",
            "SELECT 1 AS a WINDOW w AS (ORDER BY 1)",
        ],
    );
    assert_eq!(outputs(&queries[3]), "pg_advisory_xact_lock");
}

#[test]
fn functions_whose_columns_the_query_defines() {
    let queries = takes(
        Postgres,
        &[
            "SELECT a, b FROM json_to_recordset($1) AS (a int, b text)",
            "SELECT r.a FROM ROWS FROM (json_to_recordset($1) AS (a int, b text), generate_series(1, 2)) AS r (a, b, c)",
            "WITH a AS (SELECT 1 AS x), b(y) AS (SELECT x FROM a) SELECT y FROM b",
        ],
    );
    assert_eq!(outputs(&queries[0]), "a b");
}

#[test]
fn compound_queries_in_the_place_of_a_value() {
    for dialect in [Postgres, MySql] {
        takes(
            dialect,
            &[
                "SELECT ((SELECT id FROM jobs ORDER BY id LIMIT 1) UNION SELECT job_id FROM runs LIMIT 1)",
                "SELECT id FROM jobs WHERE id IN ((SELECT job_id FROM runs) UNION (SELECT id FROM runs))",
                "SELECT id FROM jobs WHERE id = (((SELECT 1)) UNION SELECT 1)",
            ],
        );
    }
}

#[test]
fn operators_with_any() {
    let queries = takes(Postgres, &["SELECT id FROM jobs WHERE tags @> ANY ($1) AND kind LIKE ANY ($2)"]);
    assert!(filter(&queries[0]).contains("@>"), "{}", filter(&queries[0]));
    for (named, bare) in [
        ("jobs.id OPERATOR(pg_catalog.=) ANY ($1)", "jobs.id = ANY ($1)"),
        (
            "NOT jobs.id + 1 OPERATOR(<>) ALL (SELECT n FROM runs)",
            "NOT jobs.id + 1 <> ALL (SELECT n FROM runs)",
        ),
        ("kind || state OPERATOR(pg_catalog.~~) SOME (tags)", "kind || state ~~ SOME (tags)"),
        ("tags OPERATOR(pg_catalog.@>) ANY ($1)", "tags @> ANY ($1)"),
        ("kind OPERATOR(pg_catalog.=) ANY (VALUES ('a'))", "kind = ANY (VALUES ('a'))"),
        ("n > 1 AND 'a' OPERATOR(pg_catalog.=) ANY (tags)", "n > 1 AND 'a' = ANY (tags)"),
    ] {
        let select = |condition: &str| format!("SELECT jobs.id FROM jobs, runs WHERE {condition}");
        let queries = takes(Postgres, &[&select(named), &select(bare)]);
        assert_eq!(filter(&queries[0]), filter(&queries[1]), "{named}");
    }
    // A named operator binds tighter than a comparison: bare, it would compare what is before.
    for compared in ["true = id", "true <> (id + 1)", "true = tags[1] COLLATE \"C\""] {
        let sql = format!("SELECT id FROM jobs WHERE {compared} OPERATOR(pg_catalog.=) ANY ($1)");
        assert!(resolve(&sql, Postgres, None).is_err(), "{sql}");
    }
}

#[test]
fn collations_and_casts() {
    takes(
        Postgres,
        &[
            "SELECT id FROM jobs ORDER BY kind::varchar(10)[]::text COLLATE \"C\", lower(state) COLLATE pg_catalog.\"C\"",
            "SELECT sum(id) OVER (ORDER BY at RANGE BETWEEN '1 day'::interval PRECEDING AND '1 day'::interval FOLLOWING) FROM jobs",
            "SELECT collation for (kind), tags <+> tags AS distance FROM jobs",
            "MERGE INTO jobs j USING runs r ON j.id = r.id WHEN NOT MATCHED THEN INSERT DEFAULT VALUES",
        ],
    );
}

#[test]
fn merged_columns_under_a_name() {
    let queries = takes(
        Postgres,
        &["SELECT x.id, x.id + 1 AS next FROM jobs JOIN runs USING (id) AS x WHERE x.id > 1 ORDER BY x.id"],
    );
    assert_eq!(outputs(&queries[0]), "id next");
}

#[test]
fn words_of_other_databases_are_names() {
    for dialect in [Postgres, Sqlite, MySql] {
        takes(
            dialect,
            &[
                "SELECT format.id FROM jobs format",
                "SELECT settings.id FROM jobs AS settings WHERE settings.id = 1",
                "SELECT top.id, final.id FROM jobs top JOIN runs final ON final.job_id = top.id",
                "WITH sample AS (SELECT 1 AS qualify), pivot AS (SELECT qualify FROM sample) SELECT qualify FROM pivot",
            ],
        );
    }
}

#[test]
fn a_place_in_a_rewritten_query_is_that_of_the_text() {
    let mut replay = Replay::new(Postgres);
    replay.apply(TABLES, "tables.sql");
    let sql = "SELECT id FROM ONLY jobs WHERE (id BETWEEN SYMMETRIC 1 AND 2) AND nothing = 3";
    let query = resolve(sql, Postgres, Some(&replay.schema)).expect("it parses");
    let span = query.problems[0].span.expect("a place");
    assert_eq!(&sql[span.range()], "nothing");
}

#[test]
fn errors_name_what_was_written() {
    for (sql, found) in [
        ("SELECT mood 'ok' )", "found `)`"),
        ("SELECT id FORM jobs WHERE", "found `jobs`"),
        ("SELECT id FROM jobs WHERE", "found the end of the query"),
    ] {
        let error = resolve(sql, Postgres, None).expect_err(sql).to_string();
        assert!(error.contains(found) && !error.contains("`::`"), "{sql}: {error}");
    }
}
