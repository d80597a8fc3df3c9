//! Syntax of recent servers, by examples.

use super::Dialect::{MySql, Postgres};
use super::{Body, filter, outputs, takes};

#[test]
fn writes_of_postgres_16_to_18() {
    let queries = takes(
        Postgres,
        &[
            "UPDATE jobs SET state = 'a' RETURNING WITH (OLD AS before, NEW AS after) before.state, after.state",
            "DELETE FROM jobs WHERE id = $1 RETURNING WITH (OLD AS o) o.kind",
            "UPDATE jobs SET tags[1].x = 'a', tags.y = 'b', state = 'c' WHERE id = $1",
            "MERGE INTO ONLY jobs AS j USING (VALUES ($1::bigint)) AS s(id) ON j.id = s.id WHEN MATCHED THEN DO NOTHING \
             WHEN NOT MATCHED BY SOURCE THEN DELETE WHEN NOT MATCHED BY TARGET THEN INSERT DEFAULT VALUES \
             RETURNING merge_action(), j.id",
        ],
    );
    let Body::Write(write) = &queries[2].block(queries[2].root.expect("a root")).body else {
        panic!("a write")
    };
    let columns: Vec<&str> = write.assignments.iter().map(|(column, _)| column.as_str()).collect();
    assert_eq!(columns, ["tags", "tags", "state"]);
}

#[test]
fn names_and_values_of_postgres() {
    let queries = takes(
        Postgres,
        &[
            "SELECT make_interval(days := $1), f(a => 1, b := 2)",
            "SELECT normalize(kind, NFKC), kind IS NFC NORMALIZED FROM jobs",
            "SELECT U&\"k\\0069nd\", U&\"st!0061te\" UESCAPE '!', U&'a!0061' UESCAPE '!' FROM jobs",
            "SELECT id FROM jobs WHERE at AT LOCAL > $1 AND at AT TIME ZONE 'UTC' AT LOCAL < $2",
            "SELECT r.id FROM ONLY jobs, ONLY (runs) r",
            "SELECT trim(FROM kind), trim(LEADING kind), trim(BOTH FROM kind), trim('x' FROM kind) FROM jobs FETCH FIRST (1 + 1) ROWS ONLY",
        ],
    );
    assert_eq!(outputs(&queries[2]), "kind state ?column?");
    assert_eq!(filter(&queries[3]).matches("at time zone").count(), 3);
}

#[test]
fn json_of_the_standard() {
    let queries = takes(
        Postgres,
        &[
            "SELECT JSON_OBJECT('a' : id, KEY 'b' VALUE kind NULL ON NULL WITH UNIQUE KEYS RETURNING jsonb) FROM jobs",
            "SELECT JSON_ARRAY(id, kind FORMAT JSON ABSENT ON NULL), JSON_ARRAY(SELECT id FROM runs ORDER BY id RETURNING jsonb) FROM jobs",
            "SELECT JSON_OBJECTAGG(kind : id WITH UNIQUE KEYS), JSON_ARRAYAGG(kind ORDER BY id NULL ON NULL) FROM jobs",
            "SELECT JSON(kind WITH UNIQUE KEYS), JSON_VALUE(kind FORMAT JSON, '$.a' PASSING 1 AS x RETURNING int) FROM jobs",
            "SELECT t.* FROM jobs j, JSON_TABLE(j.kind, '$[*]' AS root PASSING 3 AS x COLUMNS (n FOR ORDINALITY, \
             k text PATH '$.k' DEFAULT 'a' ON EMPTY, b jsonb FORMAT JSON WITH WRAPPER, NESTED PATH '$.m' AS m COLUMNS (z int))) t",
            "SELECT a, z FROM JSON_TABLE($1::jsonb, '$' COLUMNS (n int, z int)) AS t(a)",
        ],
    );
    assert_eq!(outputs(&queries[4]), "n k b z");
    let queries = takes(
        MySql,
        &[
            "SELECT t.a, t.z FROM jobs j, JSON_TABLE(j.kind, '$[*]' COLUMNS (a INT PATH '$' DEFAULT '0' ON EMPTY, \
             NESTED PATH '$.x' COLUMNS (z INT PATH '$'))) t",
            "SELECT JSON_VALUE(kind, '$.a' RETURNING UNSIGNED DEFAULT 0 ON EMPTY NULL ON ERROR) FROM jobs",
        ],
    );
    assert_eq!(outputs(&queries[0]), "a z");
}

#[test]
fn clauses_of_mariadb() {
    takes(
        MySql,
        &[
            "SELECT id FROM jobs WHERE id = ? INTO OUTFILE 'a.csv' FIELDS TERMINATED BY ',' LINES TERMINATED BY ';'",
            "SELECT id INTO DUMPFILE 'a' FROM jobs WHERE id = 1",
            "SELECT id, kind FROM jobs WHERE id = 1 INTO @a, @b",
            "SELECT j.id FROM jobs FOR SYSTEM_TIME AS OF NOW() - INTERVAL 1 DAY AS j WHERE j.id = 1",
            "SELECT id FROM jobs FOR SYSTEM_TIME BETWEEN '2020-01-01' AND NOW() WHERE id = 1",
            "SELECT id FROM jobs FOR SYSTEM_TIME ALL",
            "DELETE HISTORY FROM jobs BEFORE SYSTEM_TIME '2020-01-01'",
            "SELECT NEXT VALUE FOR s, PREVIOUS VALUE FOR d.s, NEXTVAL(s), SETVAL(s, 5)",
            "INSERT INTO jobs PARTITION (p0) (id) VALUES (1)",
            "SELECT WEIGHT_STRING(kind AS CHAR(3)), GET_FORMAT(DATE, 'USA'), 0b101 FROM jobs",
            "SELECT id FROM jobs FOR UPDATE WAIT 5",
            "SELECT id FROM jobs PROCEDURE ANALYSE()",
            "SET STATEMENT max_statement_time = 1 FOR SELECT id FROM jobs",
            "INSERT INTO jobs (id) SELECT r.job_id FROM runs r ON DUPLICATE KEY UPDATE jobs.state = r.n",
            "SELECT id FROM jobs LOCK IN SHARE MODE WAIT 5",
            "SELECT id FROM jobs LIMIT 5 ROWS EXAMINED 100",
            "SELECT NTH_VALUE(id, 2) FROM FIRST RESPECT NULLS OVER (ORDER BY id) FROM jobs",
            "SELECT j.id FROM { OJ jobs j LEFT OUTER JOIN runs r ON r.job_id = j.id } WHERE j.at = {ts '2020-01-01'}",
        ],
    );
}

#[test]
fn the_columns_of_json_table_have_their_types() {
    let sql = "SELECT t.* FROM JSON_TABLE($1::jsonb, '$' COLUMNS (n FOR ORDINALITY, a numeric(10, 2) PATH '$.a', \
        b timestamp with time zone, c jsonb FORMAT JSON WITH WRAPPER, d boolean EXISTS, e varchar(3) KEEP QUOTES)) t";
    let query = &takes(Postgres, &[sql])[0];
    let outputs = query.block(query.root.expect("a root")).outputs.as_ref().expect("known columns");
    let types: Vec<&str> = outputs.iter().map(|output| output.ty.as_str()).collect();
    assert_eq!(
        types,
        ["integer", "numeric(10,2)", "timestamp with time zone", "jsonb", "boolean", "varchar(3)"]
    );
}

#[test]
fn what_is_too_much_to_search_is_not_an_error() {
    let parsed = |calls: usize, terms: usize| {
        let call = format!("substring(kind FOR {} FROM 1)", vec!["1"; terms].join(" + "));
        let sql = format!("SELECT {} FROM jobs", vec![call; calls].join(", "));
        crate::sql::resolve(&sql, Postgres, None).map(|_| ()).map_err(|error| error.limit)
    };
    assert_eq!(parsed(200, 1), Ok(()));
    assert_eq!(parsed(8, 40), Ok(()));
    assert_eq!(parsed(40, 40), Err(true));
}

#[test]
fn a_collation_behind_a_cast_leaves_what_is_cast_whole() {
    let cast = |value: &str| format!("SELECT {value}::text COLLATE \"C\" AS c FROM jobs");
    let values = [
        "row_number() OVER (ORDER BY id)",
        "count(*) FILTER (WHERE id > 1)",
        "percentile_cont(0.5) WITHIN GROUP (ORDER BY id)",
        "(jobs).kind",
        "id::double precision",
        "kind::character varying(10)",
        "at::timestamp(3) with time zone",
        "EXISTS (SELECT 1)",
        "CASE WHEN id > 1 THEN kind ELSE state END",
        "id + lower(kind)",
        "lower(kind)",
        "jobs.kind",
        "(id + 1)",
    ];
    for value in values {
        takes(Postgres, &[&cast(value)]);
    }
    let query = &takes(Postgres, &["SELECT id FROM jobs WHERE id::text COLLATE \"C\" = $1"])[0];
    assert_eq!(filter(query).matches("text").count(), 1);
}

#[test]
fn columns_are_called_like_options_of_json() {
    let queries = takes(
        Postgres,
        &[
            "SELECT json_object(kind, error) FROM (SELECT kind, state AS error FROM jobs) e",
            "SELECT json_array(id, error, empty, omit) FROM (SELECT id, 1 AS error, 2 AS empty, 3 AS omit FROM jobs) e",
            "SELECT json_object('a': error) FROM (SELECT state AS error FROM jobs) e",
            "SELECT json_exists(kind, '$.a' ERROR ON ERROR), json_query(kind, '$.a' EMPTY ARRAY ON EMPTY ERROR ON ERROR), \
             json_query(kind, '$.a' OMIT QUOTES) FROM jobs",
        ],
    );
    assert_eq!(outputs(&queries[0]), "json_object");
}

#[test]
fn documents_are_passed_by_reference_or_value() {
    let queries = takes(
        Postgres,
        &[
            "SELECT m.a FROM jobs, XMLTABLE('/r/i' PASSING BY REF kind COLUMNS a int PATH '@a') m",
            "SELECT m.a FROM jobs, XMLTABLE('/r/i' PASSING kind BY VALUE COLUMNS a int PATH '@a', o FOR ORDINALITY) m",
            "SELECT m.a FROM jobs, XMLTABLE('/r' PASSING BY VALUE kind BY REF COLUMNS a int PATH '@a' DEFAULT 3 NOT NULL) m",
            "SELECT json_value(kind, '$.a' NULL ON EMPTY), json_exists(kind, '$.a' FALSE ON ERROR) FROM jobs",
            "SELECT json_value(kind, '$.a' RETURNING int NULL ON EMPTY ERROR ON ERROR) AS a FROM jobs",
            "SELECT json_object('a': kind NULL ON NULL) AS a FROM jobs",
        ],
    );
    assert_eq!(outputs(&queries[0]), "a");
    assert_eq!(outputs(&queries[3]), "json_value json_exists");
}
