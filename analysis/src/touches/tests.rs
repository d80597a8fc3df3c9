//! The tables that statements read and write, on small schemas.

use super::*;
use crate::schema::Replay;
use crate::sql::resolve;

fn schema(dialect: Dialect, sql: &str) -> Schema {
    let mut replay = Replay::new(dialect);
    replay.apply(sql, "1_a.sql");
    replay.schema
}

/// Formats as `reads > writes`, with an asterisk for unknown tables.
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

#[test]
fn triggers_and_rules_write_what_their_code_names() {
    let code = "
        CREATE TABLE users (id bigint PRIMARY KEY, name text);
        CREATE TABLE counts (id bigint PRIMARY KEY, n bigint);
        CREATE TABLE notes (id bigint PRIMARY KEY, count_id bigint REFERENCES counts ON DELETE CASCADE);
        CREATE TABLE others (id bigint PRIMARY KEY);
        CREATE TABLE searched (id bigint PRIMARY KEY, words tsvector, body text);
        CREATE TABLE ruled (id bigint PRIMARY KEY);
        CREATE TABLE dark (id bigint PRIMARY KEY);
        CREATE FUNCTION recount() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            -- not others
            DELETE FROM counts WHERE n = 0;
            RETURN NEW;
        END $$;
        CREATE FUNCTION dynamic() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN EXECUTE format('DELETE FROM %I', TG_ARGV[0]); RETURN NEW; END $$;
        CREATE TRIGGER \"on\" AFTER INSERT OR UPDATE OF name ON users
            FOR EACH ROW WHEN (lower(NEW.name) <> '') EXECUTE FUNCTION recount();
        CREATE TRIGGER t BEFORE UPDATE ON searched FOR EACH ROW
            EXECUTE PROCEDURE tsvector_update_trigger(words, 'pg_catalog.english', body);
        CREATE CONSTRAINT TRIGGER t AFTER INSERT ON dark DEFERRABLE FOR EACH ROW EXECUTE FUNCTION dynamic();
        CREATE RULE r AS ON DELETE TO ruled DO ALSO INSERT INTO others (id) VALUES (OLD.id);
    ";
    let replayed = schema(Dialect::Postgres, code);
    let snapshot = crate::schema::snapshot::write(&replayed, None);
    let read = crate::schema::snapshot::read(&snapshot, "schema.sql", None);
    assert_eq!(read.problems, []);
    for schema in [&replayed, &read.schema] {
        let shown = |sql| shown(Some(schema), Dialect::Postgres, sql);
        assert_eq!(shown("INSERT INTO users (id) VALUES (1)"), " > counts notes users");
        assert_eq!(shown("UPDATE searched SET body = 'a'"), " > searched");
        assert_eq!(shown("DELETE FROM ruled"), " > others ruled");
        assert_eq!(shown("INSERT INTO dark VALUES (1)"), " > dark *");
        assert_eq!(shown("INSERT INTO others VALUES (1)"), " > others");
    }
}

#[test]
fn triggers_and_functions_of_the_other_databases() {
    let sqlite = "CREATE TABLE a (id INTEGER PRIMARY KEY, b TEXT); CREATE TABLE b (id INTEGER PRIMARY KEY);
        CREATE TABLE c (id INTEGER PRIMARY KEY);
        CREATE TRIGGER t AFTER UPDATE OF b ON a WHEN NEW.b IS NOT OLD.b BEGIN
            -- not c
            INSERT INTO b (id) VALUES (NEW.id); END;
        ALTER TABLE b RENAME TO renamed;";
    let mysql = "CREATE TABLE a (id bigint PRIMARY KEY); CREATE TABLE b (id bigint PRIMARY KEY);
        CREATE TABLE c (id bigint PRIMARY KEY);
        CREATE FUNCTION next_b() RETURNS bigint MODIFIES SQL DATA
        BEGIN # not c
            INSERT INTO b VALUES (1); RETURN last_insert_id(); END;
        CREATE DEFINER = `root`@`localhost` TRIGGER t AFTER INSERT ON a FOR EACH ROW SET @x = next_b();";
    let cases = [
        (Dialect::Sqlite, sqlite, "UPDATE a SET b = 'x'", " > a renamed"),
        (Dialect::Sqlite, sqlite, "DELETE FROM c", " > c"),
        (Dialect::MySql, mysql, "INSERT INTO a VALUES (1)", " > a b"),
        (Dialect::MySql, mysql, "SELECT next_b()", "b > b"),
        (Dialect::MySql, mysql, "DELETE FROM c", " > c"),
    ];
    for (dialect, code, sql, expected) in cases {
        let replayed = schema(dialect, code);
        let snapshot = crate::schema::snapshot::write(&replayed, None);
        let read = crate::schema::snapshot::read(&snapshot, "schema.sql", None).schema;
        assert_eq!(shown(Some(&replayed), dialect, sql), expected, "{sql}");
        assert_eq!(shown(Some(&read), dialect, sql), expected, "{sql}, by {snapshot}");
    }
}
