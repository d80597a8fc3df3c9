//! The advised set of indexes, each test named after its rule.

use super::tests::schema;
use super::{Advice, Queried, accesses, advise};
use crate::schema::Replay;
use crate::sql::{Dialect, resolve};

const JOBS: &str = "
    CREATE TYPE lane AS ENUM ('slow', 'fast');
    CREATE TABLE jobs (
        id bigint PRIMARY KEY,
        owner bigint NOT NULL,
        team bigint NOT NULL,
        lane lane NOT NULL,
        state text NOT NULL,
        phase text NOT NULL CHECK (phase IN ('a', 'b')),
        is_done boolean NOT NULL,
        run_at timestamptz,
        ended_at timestamptz,
        name text,
        tags text[],
        input jsonb
    );
    CREATE INDEX jobs_team ON jobs (team);
    CREATE TABLE notes (id bigint PRIMARY KEY, job_id bigint NOT NULL, body text);
";

fn advice(dialect: Dialect, ddl: &str, queries: &[&str]) -> Vec<Advice> {
    let schema = schema(dialect, ddl);
    let resolved: Vec<_> =
        queries.iter().map(|sql| resolve(sql, dialect, Some(&schema)).expect("it parses")).collect();
    let read: Vec<_> = resolved.iter().map(|query| accesses(query, &schema)).collect();
    let queried: Vec<Queried<'_>> = resolved
        .iter()
        .zip(&read)
        .map(|(query, accesses)| Queried { query, accesses, is_open: true, repeats: false })
        .collect();
    advise(&schema, &queried, &|table| table.name == "small")
}

/// The advice as `keys WHERE predicate for [queries]`.
fn lines(dialect: Dialect, ddl: &str, queries: &[&str]) -> Vec<String> {
    let line = |advice: &Advice| {
        let predicate =
            advice.index.predicate.as_ref().map_or_else(String::new, |text| format!(" WHERE {text}"));
        let method = advice.index.method.map_or_else(String::new, |(method, class)| {
            format!(" USING {}", format!("{method} {class}").trim_end())
        });
        let replaces = advice.replaces.iter().map(|old| format!(" instead of {old}")).collect::<String>();
        format!("{}{method}{predicate}{replaces} for {:?}", advice.index.columns.join(", "), advice.serves)
    };
    advice(dialect, ddl, queries).iter().map(line).collect()
}

#[track_caller]
fn check(queries: &[&str], expect: &[&str]) {
    assert_eq!(lines(Dialect::Postgres, JOBS, queries), expect, "{queries:?}");
}

#[test]
fn equality_comes_first_then_one_range() {
    check(
        &["SELECT 1 FROM jobs WHERE run_at > $1 AND owner = $2 AND ended_at < $3"],
        &["owner, run_at for [0]"],
    );
}

#[test]
fn an_index_serves_the_rows_without_a_value_as_well() {
    for condition in
        ["name IS NULL OR name = $1", "name = $1 OR name IS NULL", "name IS NULL OR name IN ($1, $2)"]
    {
        check(&[&format!("SELECT id FROM jobs WHERE {condition}")], &["name for [0]"]);
    }
    check(&["SELECT id FROM jobs WHERE run_at IS NULL OR run_at < now()"], &["run_at for [0]"]);
    check(&["SELECT id FROM jobs WHERE run_at IS NULL OR name = $1"], &[]);
    check(&["SELECT id FROM jobs WHERE run_at IS NULL OR ended_at IS NULL"], &[]);
    let ddl = "CREATE TABLE t (id int PRIMARY KEY, a int);";
    for dialect in [Dialect::Sqlite, Dialect::MySql] {
        for condition in ["a IS NULL OR a = ?", "a IS NULL OR a < ?"] {
            let sql = format!("SELECT id FROM t WHERE {condition}");
            assert_eq!(lines(dialect, ddl, &[&sql]), ["a for [0]"], "{dialect} {sql}");
        }
    }
}

#[test]
fn an_index_that_partitions_lack_is_advised_for_them() {
    let ddl = "CREATE TABLE ev (tenant int, kind text) PARTITION BY HASH (tenant);
               CREATE TABLE ev0 PARTITION OF ev FOR VALUES WITH (MODULUS 1, REMAINDER 0);
               CREATE INDEX ev_kind ON ONLY ev (kind);";
    let sql = "SELECT tenant FROM ev WHERE kind = $1";
    assert_eq!(lines(Dialect::Postgres, ddl, &[sql]), ["kind instead of ev_kind for [0]"]);
    let made = format!("{ddl} CREATE INDEX ev0_kind ON ev0 (kind);");
    assert!(lines(Dialect::Postgres, &made, &[sql]).is_empty());
}

#[test]
fn an_order_that_another_index_leaves_to_be_wanted_has_an_index_too() {
    // By the partial index, the first query finds its rows without their order.
    check(
        &[
            "SELECT id FROM jobs WHERE state <> 'a' AND state <> 'b' ORDER BY run_at DESC LIMIT 1",
            "SELECT id FROM jobs WHERE owner = $1 AND state <> 'a' AND state <> 'b'",
        ],
        &[
            "owner WHERE state <> 'a' AND state <> 'b' for [0, 1]",
            "run_at WHERE state <> 'a' AND state <> 'b' for [0]",
        ],
    );
}

#[test]
fn the_order_of_first_rows_comes_last() {
    check(&["SELECT 1 FROM jobs WHERE owner = $1 ORDER BY run_at DESC LIMIT 5"], &["owner, run_at for [0]"]);
    check(
        &["SELECT 1 FROM jobs WHERE owner = $1 ORDER BY name, run_at DESC LIMIT 5"],
        &["owner, name, run_at DESC for [0]"],
    );
    // A range on a column other than the sort key breaks the order.
    check(&["SELECT 1 FROM jobs WHERE run_at > $1 ORDER BY name LIMIT 5"], &["run_at for [0]"]);
    check(&["SELECT 1 FROM jobs WHERE run_at > $1 ORDER BY run_at, id LIMIT 5"], &["run_at, id for [0]"]);
    // Several values are several ranges of the index, each with an order of its own.
    check(&["SELECT 1 FROM jobs WHERE owner = ANY($1) ORDER BY run_at LIMIT 5"], &["owner for [0]"]);
}

#[test]
fn one_index_serves_several_queries_by_its_first_keys() {
    check(
        &[
            "SELECT 1 FROM jobs WHERE owner = $1 AND name = $2",
            "SELECT 1 FROM jobs WHERE name = $1",
            "SELECT 1 FROM jobs WHERE name = $1 AND owner = $2 AND run_at > $3",
        ],
        &["name, owner, run_at for [0, 1, 2]"],
    );
}

#[test]
fn a_search_that_is_narrowed_needs_no_index_of_its_own() {
    check(
        &[
            "SELECT 1 FROM jobs WHERE owner = $1 AND run_at > $2",
            "SELECT 1 FROM jobs WHERE owner = $1 AND ended_at > $2",
        ],
        &["owner, ended_at for [0, 1]"],
    );
}

#[test]
fn an_index_that_leaves_much_more_to_be_read_is_no_substitute() {
    check(
        &["SELECT 1 FROM jobs WHERE owner = $1 AND run_at > $2", "DELETE FROM jobs WHERE run_at < $1"],
        &["owner, run_at for [0]", "run_at for [1]"],
    );
}

#[test]
fn an_open_range_is_left_to_an_order_that_is_there() {
    check(&["SELECT 1 FROM jobs WHERE run_at > $1 ORDER BY id DESC LIMIT 1"], &[]);
    check(
        &["SELECT 1 FROM jobs WHERE run_at > $1 AND run_at < $2 ORDER BY id DESC LIMIT 1"],
        &["run_at for [0]"],
    );
}

#[test]
fn what_a_left_out_index_was_for_is_said_of_the_one_that_does_its_work() {
    check(
        &[
            "SELECT 1 FROM jobs WHERE owner = $1 ORDER BY run_at LIMIT 5",
            "SELECT 1 FROM jobs WHERE owner = $1 AND name = $2 ORDER BY run_at LIMIT 5",
        ],
        &["owner, run_at for [0, 1]"],
    );
}

#[test]
fn few_values_behind_many_are_left_out() {
    check(&["SELECT 1 FROM jobs WHERE lane = $1 AND owner = $2 AND is_done = $3"], &["owner for [0]"]);
}

#[test]
fn few_values_alone_get_no_index() {
    check(
        &[
            "SELECT 1 FROM jobs WHERE is_done",
            "SELECT 1 FROM jobs WHERE lane = $1",
            "SELECT 1 FROM jobs WHERE phase = $1",
            "SELECT 1 FROM jobs WHERE lane = 'slow' AND NOT is_done",
            "SELECT 1 FROM jobs WHERE ended_at IS NULL",
            "SELECT 1 FROM jobs WHERE ended_at IS NOT NULL",
        ],
        &[],
    );
    // With an order they do, unless an index already provides it.
    check(&["SELECT 1 FROM jobs WHERE is_done = $1 ORDER BY run_at LIMIT 5"], &["is_done, run_at for [0]"]);
    check(&["SELECT 1 FROM jobs WHERE is_done = $1 ORDER BY id LIMIT 5"], &[]);
}

#[test]
fn what_every_query_asks_for_is_the_condition_of_the_index() {
    check(
        &["SELECT 1 FROM jobs WHERE state = 'waiting' AND ended_at IS NULL ORDER BY run_at LIMIT 5"],
        &["run_at WHERE ended_at IS NULL AND state = 'waiting' for [0]"],
    );
    check(
        &[
            "SELECT 1 FROM jobs WHERE owner = $1 AND ended_at IS NULL",
            "SELECT 1 FROM jobs WHERE owner = $1 AND ended_at IS NULL AND name = $2",
        ],
        &["owner, name WHERE ended_at IS NULL for [0, 1]"],
    );
    check(
        &["SELECT 1 FROM jobs WHERE owner = $1 AND ended_at IS NULL", "SELECT 1 FROM jobs WHERE owner = $1"],
        &["owner for [0, 1]"],
    );
    check(
        &["SELECT 1 FROM jobs WHERE state = 'waiting' AND NOT is_done"],
        &["state WHERE NOT is_done for [0]"],
    );
    // A single id is not a condition for a partial index, and neither is a date.
    check(&["SELECT 1 FROM jobs WHERE owner = 7 AND run_at > '2024-01-01'"], &["owner, run_at for [0]"]);
    // A comparison with now() is a different condition in every run.
    check(&["SELECT 1 FROM jobs WHERE run_at < now()"], &["run_at for [0]"]);
}

#[test]
fn databases_without_partial_indexes_get_plain_ones() {
    let ddl = "CREATE TABLE jobs (id bigint PRIMARY KEY, owner bigint, state varchar(20), note text);";
    let lines = |sql| lines(Dialect::MySql, ddl, &[sql]);
    assert_eq!(lines("SELECT 1 FROM jobs WHERE state = 'waiting' AND owner = ?"), ["owner, state for [0]"]);
    assert_eq!(lines("SELECT 1 FROM jobs WHERE note = ?"), ["note(191) for [0]"]);
    assert_eq!(lines("SELECT 1 FROM jobs WHERE lower(note) = ?"), [] as [&str; 0]);
}

#[test]
fn expressions_are_indexed_where_their_value_is_always_the_same() {
    check(&["SELECT 1 FROM jobs WHERE lower(name) = lower($1)"], &["(lower(name)) for [0]"]);
    check(&["SELECT 1 FROM jobs WHERE input ->> 'kind' = $1"], &["(input ->> 'kind') for [0]"]);
    check(&["SELECT 1 FROM jobs WHERE date(run_at) = $1", "SELECT 1 FROM jobs WHERE owner::text = $1"], &[]);
}

#[test]
fn contents_are_indexed_by_the_method_of_their_operators() {
    check(&["SELECT 1 FROM jobs WHERE input @> $1"], &["input USING gin for [0]"]);
    check(&["SELECT 1 FROM jobs WHERE tags && $1"], &["tags USING gin for [0]"]);
    check(
        &["SELECT 1 FROM jobs WHERE to_tsvector('english', name) @@ plainto_tsquery('english', $1)"],
        &["(to_tsvector('english', name)) USING gin for [0]"],
    );
    check(&["SELECT 1 FROM jobs WHERE name LIKE '%x%'"], &["name USING gin gin_trgm_ops for [0]"]);
    check(&["SELECT 1 FROM jobs WHERE name LIKE 'x%'"], &["name USING btree text_pattern_ops for [0]"]);
    check(&["SELECT 1 FROM jobs WHERE input = $1"], &[]);
}

#[test]
fn what_is_immutable_is_indexed() {
    let ddl = "CREATE EXTENSION pg_trgm; CREATE TABLE a (id bigint PRIMARY KEY, n int, dt timestamp, ts timestamptz,
               e text, v varchar(9), d jsonb, ip inet);
               CREATE MATERIALIZED VIEW mv AS SELECT n, count(*) AS c FROM a GROUP BY n;";
    for (sql, index) in [
        ("SELECT id FROM a WHERE coalesce(n, 0) = $1", "(coalesce(n, 0))"),
        ("SELECT id FROM a WHERE dt::date = $1", "((dt)::date)"),
        ("SELECT id FROM a WHERE date_trunc('month', dt) = $1", "(date_trunc('month', dt))"),
        ("SELECT id FROM a WHERE e || v = $1", "(e || v)"),
        ("SELECT id FROM a WHERE e % $1", "e USING gin gin_trgm_ops"),
        ("SELECT id FROM a WHERE ip <<= $1", "ip USING gist inet_ops"),
        ("SELECT id FROM a WHERE d -> 't' @> $1", "(d -> 't') USING gin"),
        ("SELECT c FROM mv WHERE n = $1", "n"),
        ("SELECT n FROM mv ORDER BY c DESC LIMIT 5", "c"),
        ("DELETE FROM a WHERE ts < now()", "ts"),
    ] {
        assert_eq!(lines(Dialect::Postgres, ddl, &[sql]), [format!("{index} for [0]")], "{sql}");
        assert_eq!(left(ddl, &[sql]), [""; 0], "{sql}");
    }
    for sql in [
        "SELECT id FROM a WHERE ts::date = $1",
        "SELECT id FROM a WHERE date_trunc('month', ts) = $1",
        "SELECT id FROM a WHERE e || n = $1",
    ] {
        assert_eq!(lines(Dialect::Postgres, ddl, &[sql]), [""; 0], "{sql}");
    }
    let ddl = "CREATE TABLE a (id INTEGER PRIMARY KEY, n INT, d TEXT);";
    let of = |sql| lines(Dialect::Sqlite, ddl, &[sql]);
    assert_eq!(of("SELECT id FROM a WHERE json_extract(d, '$.x') = ?"), ["(json_extract(d, '$.x')) for [0]"]);
    assert_eq!(of("SELECT id FROM a WHERE coalesce(n, 0) = ?"), ["(coalesce(n, 0)) for [0]"]);
}

#[test]
fn every_arm_of_a_disjunction_gets_its_index() {
    check(&["SELECT 1 FROM jobs WHERE owner = $1 OR name = $2"], &["name for [0]", "owner for [0]"]);
    check(&["SELECT 1 FROM jobs WHERE owner = $1 OR length(name) + 1 > $2"], &[]);
}

#[test]
fn rows_of_other_tables_are_values_once_they_are_reached() {
    check(
        &["SELECT 1 FROM jobs j JOIN notes n ON n.job_id = j.id WHERE j.team = $1 AND n.body = $2"],
        &["body, job_id for [0]"],
    );
}

#[test]
fn an_index_that_begins_the_new_one_is_replaced() {
    check(
        &["SELECT 1 FROM jobs WHERE team = $1 ORDER BY run_at DESC LIMIT 5"],
        &["team, run_at instead of jobs_team for [0]"],
    );
    let unique = "CREATE TABLE t (id bigint PRIMARY KEY, a bigint UNIQUE, b bigint);";
    assert_eq!(
        lines(Dialect::Postgres, unique, &["SELECT 1 FROM t WHERE a = $1 ORDER BY b LIMIT 1"]),
        [] as [&str; 0]
    );
}

#[test]
fn small_tables_get_none_and_tables_only_written_what_is_denied() {
    let ddl = "CREATE TABLE small (id bigint PRIMARY KEY, a bigint);
               CREATE TABLE log (id bigint PRIMARY KEY, at timestamptz);";
    let queries = [
        "SELECT 1 FROM small WHERE a = $1",
        "INSERT INTO log (id) VALUES ($1)",
        "DELETE FROM log WHERE at < $1",
    ];
    assert_eq!(lines(Dialect::Postgres, ddl, &queries), ["at for [2]"]);
    // A write that looks for rows by a value is a search as any other.
    let ddl = "CREATE TABLE log (id bigint PRIMARY KEY, at timestamptz, kind text, n int);";
    assert_eq!(
        lines(Dialect::Postgres, ddl, &["DELETE FROM log WHERE kind = $1 AND n <> $2"]),
        ["kind for [0]"]
    );
    assert_eq!(
        lines(Dialect::Postgres, ddl, &["UPDATE log SET n = 1 WHERE kind IN ($1, $2)"]),
        ["kind for [0]"]
    );
}

#[test]
fn writes_that_the_index_follows_are_counted() {
    let found = advice(
        Dialect::Postgres,
        JOBS,
        &[
            "SELECT 1 FROM jobs WHERE owner = $1",
            "INSERT INTO jobs (id, owner) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            "UPDATE jobs SET owner = $1 WHERE id = $2",
            "UPDATE jobs SET name = $1 WHERE id = $2",
            "DELETE FROM jobs WHERE id = $1",
            "DELETE FROM notes WHERE id = $1",
        ],
    );
    assert_eq!(found.iter().map(|advice| advice.writes).collect::<Vec<_>>(), [3]);
}

#[test]
fn a_name_that_is_taken_is_not_given_again() {
    let ddl = "CREATE TABLE t (id bigint PRIMARY KEY, a bigint, b bigint);
               CREATE INDEX t_a_idx ON t (b);";
    let found = advice(Dialect::Sqlite, ddl, &["SELECT 1 FROM t WHERE a = ?"]);
    assert_eq!(found.iter().map(|advice| advice.name.as_str()).collect::<Vec<_>>(), ["t_a_idx2"]);
}

#[test]
fn an_index_of_a_partitioned_table_is_one_of_its_partitions() {
    let ddl = "
        CREATE TABLE visits (page bigint NOT NULL, day date NOT NULL) PARTITION BY RANGE (day);
        CREATE TABLE visits_2026 PARTITION OF visits FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    ";
    let queries = ["SELECT day FROM visits WHERE page = $1", "SELECT day FROM visits_2026 WHERE page = $1"];
    let found = advice(Dialect::Postgres, ddl, &queries);
    let tables: Vec<String> = found.iter().map(|advice| advice.index.table.to_string()).collect();
    assert_eq!(tables, ["visits"]);
}

#[test]
fn the_key_of_list_partitions_is_no_key_of_their_indexes() {
    let ddl = "
        CREATE TABLE a (region text, who bigint, at date) PARTITION BY LIST (region);
        CREATE TABLE a1 PARTITION OF a FOR VALUES IN ('eu'); CREATE TABLE a2 PARTITION OF a FOR VALUES IN ('us');
        CREATE TABLE b (region text, who bigint, at date) PARTITION BY LIST (region);
        CREATE TABLE b1 PARTITION OF b FOR VALUES IN ('eu', 'us');
        CREATE TABLE c (region text, who bigint, at date) PARTITION BY HASH (region);
        CREATE TABLE c1 PARTITION OF c FOR VALUES WITH (MODULUS 1, REMAINDER 0);
    ";
    let made = |sql: &str| lines(Dialect::Postgres, ddl, &[sql]).join("; ");
    for (table, key, order) in [
        ("a", "who", "at"),
        ("a1", "who", "at"),
        ("b", "region, who", "region, at"),
        ("c", "region, who", "region, at"),
    ] {
        let filter = format!("SELECT 1 FROM {table} WHERE region = $1");
        assert_eq!(made(&format!("{filter} AND who = $2")), format!("{key} for [0]"), "{table}");
        let sorted = made(&format!("{filter} ORDER BY at LIMIT 5"));
        assert_eq!(sorted, format!("{order} for [0]"), "{table}");
    }
}

/// What is still wrong after the advised migrations are applied: unserved accesses and unindexed foreign
/// keys.
fn left(ddl: &str, queries: &[&str]) -> Vec<String> {
    let mut replay = Replay::new(Dialect::Postgres);
    replay.apply(ddl, "schema.sql");
    for step in super::steps(&replay.schema.clone(), &advice(Dialect::Postgres, ddl, queries)) {
        replay.apply(&step.up, "advice.sql");
    }
    assert_eq!(replay.problems, []);
    let schema = &replay.schema;
    let resolved: Vec<_> =
        queries.iter().map(|sql| resolve(sql, schema.dialect, Some(schema)).expect("it parses")).collect();
    let unserved = resolved.iter().flat_map(|query| accesses(query, schema));
    let unserved =
        unserved.filter(|access| access.verdict == super::Verdict::Unserved).map(|access| access.alias);
    let changes = super::foreign_keys::Changes::by(schema, resolved.iter());
    let keys = super::foreign_keys::unindexed(schema, &changes, &|_| false);
    unserved.chain(keys.iter().map(|found| found.table.name.to_string())).collect()
}

#[test]
fn nothing_is_left_when_the_advice_is_followed() {
    let ddl = "
        CREATE TABLE p (id bigint PRIMARY KEY);
        CREATE TABLE c (id bigint PRIMARY KEY, p_id bigint REFERENCES p ON DELETE CASCADE, z int, gone timestamptz);
        CREATE UNIQUE INDEX c_z ON c (id) WHERE gone IS NULL;
        CREATE TABLE e (id bigint PRIMARY KEY, c_id bigint REFERENCES c, n int);
        CREATE TABLE jobs (id bigint PRIMARY KEY, done_at timestamptz, a int, b int);
        CREATE INDEX jobs_ab ON jobs (a, b);";
    let queries = [
        "DELETE FROM p WHERE id = $1",
        "SELECT id FROM jobs WHERE done_at IS NULL ORDER BY id LIMIT 100",
        "SELECT id FROM jobs WHERE b = $1",
        "SELECT id FROM c WHERE z = $1 AND gone IS NULL",
        "SELECT c_id, n FROM e WHERE id = $1",
    ];
    assert_eq!(left(ddl, &[]), ["c"; 0]);
    assert_eq!(left(ddl, &queries), ["c"; 0]);
    let made = lines(Dialect::Postgres, ddl, &queries);
    assert!(made.contains(&"c_id for []".to_owned()), "{made:?}");
    assert!(made.contains(&"id WHERE done_at IS NULL for [1]".to_owned()), "{made:?}");
}

#[test]
fn a_key_that_an_advised_index_begins_with_gets_no_other() {
    let ddl = "CREATE TABLE p (id bigint PRIMARY KEY);
        CREATE TABLE c (id bigint PRIMARY KEY, p_id bigint NOT NULL REFERENCES p ON DELETE CASCADE, at date);";
    let queries = ["SELECT id FROM c WHERE p_id = $1 ORDER BY at LIMIT 5"];
    assert_eq!(lines(Dialect::Postgres, ddl, &queries), ["p_id, at for [0]"]);
}
