//! Rewrites of the statements that loops run.

use super::*;
use crate::schema::Replay;

const SCHEMA: &str = "
    CREATE TABLE logs (id bigint PRIMARY KEY, event_id bigint, output text, tags text[]);
    CREATE TABLE events (id bigint PRIMARY KEY, name text, seen timestamptz);";

fn rewritten(dialect: Dialect, sql: &str, varying: &[usize]) -> Option<String> {
    let mut replay = Replay::new(dialect);
    replay.apply(SCHEMA, "schema.sql");
    let query = resolve(sql, dialect, Some(&replay.schema)).expect("it parses");
    let varies = |number| varying.is_empty() || varying.contains(&number);
    rewrite(sql, &query, dialect, Some(&replay.schema), &varies).map(|rewrite| rewrite.text)
}

#[track_caller]
fn check(sql: &str, expect: &str) {
    assert_eq!(rewritten(Dialect::Postgres, sql, &[]).as_deref(), Some(expect), "{sql}");
}

#[track_caller]
fn check_of(sql: &str, varying: &[usize], expect: &str) {
    assert_eq!(rewritten(Dialect::Postgres, sql, varying).as_deref(), Some(expect), "{sql}");
}

#[test]
fn a_key_becomes_a_list_and_is_returned() {
    check(
        "SELECT output FROM logs WHERE event_id = $1 ORDER BY id",
        "SELECT event_id, output FROM logs WHERE event_id = ANY($1::bigint[]) ORDER BY id",
    );
    check(
        "SELECT l.output FROM logs l JOIN events e ON e.id = l.event_id WHERE e.id = $1::int8",
        "SELECT e.id, l.output FROM logs l JOIN events e ON e.id = l.event_id WHERE e.id = ANY($1::int8[])",
    );
    check_of(
        "SELECT output FROM logs WHERE id = $2 AND event_id = $1",
        &[2],
        "SELECT id, output FROM logs WHERE id = ANY($2::bigint[]) AND event_id = $1",
    );
}

#[test]
fn a_limit_of_the_row_that_a_key_finds_is_left_out() {
    let list =
        |limit: &str, expect: &str| check(&format!("SELECT output FROM logs WHERE id = $1{limit}"), expect);
    let without = "SELECT id, output FROM logs WHERE id = ANY($1::bigint[])";
    list(" LIMIT 1", without);
    list(" LIMIT 10", without);
    list(
        " AND output = 'a' LIMIT 1",
        "SELECT id, output FROM logs WHERE id = ANY($1::bigint[]) AND output = 'a'",
    );
    list(" LIMIT 1 FOR UPDATE", "SELECT id, output FROM logs WHERE id = ANY($1::bigint[]) FOR UPDATE");
    assert!(
        rewritten(Dialect::Postgres, "SELECT output FROM logs WHERE event_id = $1 LIMIT 1", &[])
            .is_some_and(|it| it.contains("LATERAL"))
    );
    assert!(
        rewritten(Dialect::Postgres, "SELECT output FROM logs WHERE id = $1 LIMIT 0", &[])
            .is_some_and(|it| it.contains("LATERAL"))
    );
}

#[test]
fn what_is_asked_of_each_element_is_asked_of_each() {
    check(
        "SELECT count(*) FROM logs WHERE event_id = $1",
        "SELECT new.*, one.* FROM UNNEST($1::bigint[]) AS new (k1) CROSS JOIN LATERAL (SELECT count(*) FROM logs WHERE event_id = new.k1) AS one",
    );
    check(
        "SELECT id FROM logs WHERE event_id = $1 AND output > $2 ORDER BY id DESC LIMIT 1",
        "SELECT new.*, one.* FROM UNNEST($1::bigint[], $2::text[]) AS new (k1, k2) CROSS JOIN LATERAL (SELECT id FROM logs WHERE event_id = new.k1 AND output > new.k2 ORDER BY id DESC LIMIT 1) AS one",
    );
}

#[test]
fn writes_keep_every_condition() {
    check(
        "DELETE FROM logs WHERE event_id = $1 AND output IS NULL RETURNING id",
        "DELETE FROM logs WHERE event_id = ANY($1::bigint[]) AND output IS NULL RETURNING id",
    );
    check(
        "DELETE FROM logs WHERE id != $1 AND event_id = $2",
        "DELETE FROM logs USING UNNEST($1::bigint[], $2::bigint[]) AS new (k1, k2) WHERE id != new.k1 AND event_id = new.k2",
    );
    check(
        "UPDATE logs SET output = $2 WHERE id = $1 AND event_id IS NOT NULL",
        "UPDATE logs SET output = new.k2 FROM UNNEST($1::bigint[], $2::text[]) AS new (k1, k2) WHERE id = new.k1 AND event_id IS NOT NULL",
    );
    check_of(
        "UPDATE logs SET output = $2 WHERE id = $1",
        &[1],
        "UPDATE logs SET output = $2 WHERE id = ANY($1::bigint[])",
    );
}

#[test]
fn inserts_keep_their_clauses_and_expressions() {
    check(
        "INSERT INTO logs (event_id, output) VALUES ($1, $2)",
        "INSERT INTO logs (event_id, output) SELECT * FROM UNNEST($1::bigint[], $2::text[])",
    );
    check(
        "INSERT INTO logs (id, output) VALUES ($1, 'new row') ON CONFLICT (id) DO UPDATE SET output = EXCLUDED.output RETURNING id",
        "INSERT INTO logs (id, output) SELECT new.id, 'new row' FROM UNNEST($1::bigint[]) AS new (id) ON CONFLICT (id) DO UPDATE SET output = EXCLUDED.output RETURNING id",
    );
    check_of(
        "INSERT INTO logs (id, event_id, output) VALUES ($1, $2, lower($3::text)) ON CONFLICT (id) DO UPDATE SET id = $1",
        &[1, 3],
        "INSERT INTO logs (id, event_id, output) SELECT new.id, $2::bigint, lower(new.k3::text) FROM UNNEST($1::bigint[], $3::text[]) AS new (id, k3) ON CONFLICT (id) DO UPDATE SET id = EXCLUDED.id",
    );
    check(
        "INSERT INTO logs (id, event_id) VALUES ($1, (SELECT id FROM events WHERE name = $2))",
        "INSERT INTO logs (id, event_id) SELECT new.id, (SELECT id FROM events WHERE name = new.k2) FROM UNNEST($1::bigint[], $2::text[]) AS new (id, k2)",
    );
}

#[test]
fn silent_where_the_types_or_the_meaning_are_not_known() {
    for sql in [
        "SELECT output FROM elsewhere WHERE event_id = $1",
        "INSERT INTO logs (id, tags) VALUES ($1, $2)",
        "SELECT pg_advisory_xact_lock($1)",
        "UPDATE logs SET output = $1 WHERE id = (SELECT max(id) FROM logs WHERE event_id = $2)",
        "INSERT INTO logs (id) VALUES ($1), ($2)",
        "INSERT INTO logs (output) VALUES (lower($1))",
        "DELETE FROM logs",
    ] {
        assert_eq!(rewritten(Dialect::Postgres, sql, &[]), None, "{sql}");
    }
}

#[test]
fn others_take_groups_of_values_and_json() {
    let sqlite = |sql| rewritten(Dialect::Sqlite, sql, &[]);
    assert_eq!(
        sqlite("INSERT OR IGNORE INTO logs (event_id, output) VALUES (?1, lower(?2))").as_deref(),
        Some("INSERT OR IGNORE INTO logs (event_id, output) VALUES (?, lower(?)), (?, lower(?))"),
    );
    assert_eq!(
        sqlite("SELECT output FROM logs WHERE event_id = ? ORDER BY id").as_deref(),
        Some(
            "SELECT event_id, output FROM logs WHERE event_id IN (SELECT value FROM json_each(?)) ORDER BY id"
        ),
    );
    assert_eq!(sqlite("SELECT count(*) FROM logs WHERE event_id = ?"), None);
    assert_eq!(
        sqlite("INSERT INTO logs (id, output) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET output = ?"),
        None
    );
    let mysql = "INSERT INTO logs (id, output) VALUES (?, ?) ON DUPLICATE KEY UPDATE output = VALUES(output)";
    assert_eq!(
        rewritten(Dialect::MySql, mysql, &[]).as_deref(),
        Some(
            "INSERT INTO logs (id, output) VALUES (?, ?), (?, ?) ON DUPLICATE KEY UPDATE output = VALUES(output)"
        ),
    );
}
