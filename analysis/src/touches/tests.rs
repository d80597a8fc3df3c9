//! What statements touch, on small schemas.

use super::*;
use crate::schema::Replay;
use crate::sql::resolve;

fn schema(dialect: Dialect, sql: &str) -> Schema {
    let mut replay = Replay::new(dialect);
    replay.apply(sql, "1_a.sql");
    replay.schema
}

/// `reads > writes`, an asterisk for what is not known.
fn shown(schema: Option<&Schema>, dialect: Dialect, sql: &str) -> String {
    let query = resolve(sql, dialect, schema);
    let touches = of(query.as_ref().ok(), sql, schema, dialect);
    let list = |names: &BTreeSet<Name>, unknown: bool| {
        let names = names.iter().map(ToString::to_string).chain(unknown.then(|| "*".to_owned()));
        names.collect::<Vec<_>>().join(" ")
    };
    format!(
        "{} > {}",
        list(&touches.reads, touches.reads_unknown),
        list(&touches.writes, touches.writes_unknown)
    )
}

const TABLES: &str = "
    CREATE TABLE users (id bigint PRIMARY KEY, name text);
    CREATE TABLE events (id bigint PRIMARY KEY, user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE);
    CREATE TABLE logs (id bigint PRIMARY KEY, event_id bigint REFERENCES events ON DELETE SET NULL);
    CREATE TABLE others (id bigint PRIMARY KEY);
    CREATE VIEW busy AS SELECT u.id FROM users u JOIN events e ON e.user_id = u.id;
    CREATE TABLE parts (id bigint, at date) PARTITION BY RANGE (at);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
    CREATE FUNCTION audit(x bigint) RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO others VALUES (x); END $$;
";

#[track_caller]
fn check(sql: &str, expected: &str) {
    let schema = schema(Dialect::Postgres, TABLES);
    assert_eq!(shown(Some(&schema), Dialect::Postgres, sql).trim(), expected.trim(), "{sql}");
}

#[test]
fn reads_are_those_of_all_blocks_and_views() {
    check("SELECT id FROM users WHERE id = $1", "users >");
    check("SELECT id FROM busy", "events users >");
    check("WITH x AS (SELECT id FROM users) SELECT count(*) FROM x", "users >");
    check("SELECT id FROM users WHERE EXISTS (SELECT FROM logs WHERE logs.id = users.id)", "logs users >");
    check("SELECT lower(name), count(*) FROM users GROUP BY 1", "users >");
    check("SELECT id FROM users FOR UPDATE", "users >");
}

#[test]
fn writes_spread_by_foreign_keys_and_partitions() {
    check("INSERT INTO events (id, user_id) VALUES (1, 2)", "> events");
    check("DELETE FROM users WHERE id = $1", "> events logs users");
    check("UPDATE others SET id = id WHERE id IN (SELECT id FROM users)", "users > others");
    check("WITH gone AS (DELETE FROM others RETURNING id) SELECT id FROM gone", "> others");
    check("INSERT INTO parts VALUES (1, '2020-01-01')", "> parts parts_1");
}

#[test]
fn functions_do_what_their_code_names() {
    check("SELECT audit(id) FROM users", "others users > others");
    check("SELECT made_elsewhere(id) FROM users", "users * > *");
}

#[test]
fn what_is_not_known_is_all() {
    check("TRUNCATE users", "* > *");
    check("CREATE INDEX i ON users (name)", "* > *");
    check("SET search_path = a", "* >");
    check("SELECT ) FROM users", "* >");
    check("UPDATE ) users", "* > *");
    let bare = |sql| shown(None, Dialect::Postgres, sql);
    assert_eq!(bare("SELECT id FROM users").trim(), "users * >");
    assert!(bare("UPDATE users SET id = 1").ends_with("> users *"), "a table may have triggers");
}
