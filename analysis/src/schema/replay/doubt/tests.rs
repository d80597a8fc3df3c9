//! What is doubted after code that drops what it looks up.

use crate::cardinality::{self, Rows};
use crate::index::{self, Verdict};
use crate::schema::{Replay, Schema, snapshot};
use crate::sql::{Dialect, resolve};

const DDL: &str = "CREATE TABLE t (id int PRIMARY KEY, a int, b int UNIQUE); CREATE INDEX t_a ON t (a);
    CREATE TABLE u (id int PRIMARY KEY, a int REFERENCES t ON DELETE CASCADE); CREATE INDEX u_a ON u (a);";

/// The schema after some DDL, as it is replayed and as its snapshot is read.
fn schemas(dialect: Dialect, ddl: &str) -> [Schema; 2] {
    let mut replay = Replay::new(dialect);
    replay.apply(&format!("{DDL}{ddl}"), "a.sql");
    let text = snapshot::write(&replay.schema, None);
    let read = snapshot::read(&text, "s.sql", None).schema;
    [replay.schema, read]
}

/// Checks which of `t.a`, `t.b` and `u.a` are still searched by an index.
#[track_caller]
fn check(dialect: Dialect, ddl: &str, served: &str) {
    for schema in schemas(dialect, ddl) {
        let is_served = |name: &&&str| {
            let (table, column) = name.split_once('.').expect("a column");
            let sql = format!("SELECT id FROM {table} WHERE {column} = 1");
            let query = resolve(&sql, dialect, Some(&schema)).expect("it parses");
            let verdict = index::accesses(&query, &schema)[0].verdict;
            assert!(matches!(verdict, Verdict::Served | Verdict::Unknown), "{sql} {verdict:?} {ddl}");
            let is_served = verdict == Verdict::Served;
            if **name == "t.b" {
                assert_eq!(cardinality::of(&query, Some(&schema)).rows == Rows::One, is_served, "{ddl}");
            }
            is_served
        };
        let found: Vec<&str> = ["t.a", "t.b", "u.a"].iter().filter(is_served).copied().collect();
        assert_eq!(found.join(" "), served, "{ddl}");
    }
}

fn block(code: &str) -> String {
    format!("DO $$ DECLARE n text; r record; BEGIN {code} END $$;")
}

#[test]
fn an_index_that_is_looked_up_to_be_dropped_may_be_gone() {
    let dropped = "EXECUTE format('DROP INDEX %I', n);";
    for (code, served) in [
        (format!("SELECT indexname INTO n FROM pg_indexes WHERE tablename = 't'; {dropped}"), "t.b u.a"),
        (format!("SELECT indexname INTO n FROM pg_indexes WHERE indexname LIKE 'u%'; {dropped}"), "t.a t.b"),
        (format!("SELECT indexname INTO n FROM pg_indexes LIMIT 1; {dropped}"), "t.b"),
        (
            "FOR r IN SELECT indexname FROM pg_indexes WHERE tablename = 't' AND indexname NOT LIKE '%pkey' LOOP
             EXECUTE 'DROP INDEX ' || quote_ident(r.indexname); END LOOP;"
                .to_owned(),
            "t.b u.a",
        ),
        (
            "SELECT string_agg(format('DROP INDEX %I', indexname), ';') INTO n FROM pg_indexes WHERE tablename = 'u'; EXECUTE n;"
                .to_owned(),
            "t.a t.b",
        ),
        ("EXECUTE (SELECT 'x' || indexname FROM pg_indexes);".to_owned(), "t.a t.b u.a"),
    ] {
        check(Dialect::Postgres, &block(&code), served);
    }
}

#[test]
fn a_constraint_that_is_looked_up_is_of_the_kinds_that_the_code_names() {
    let drop = |kind: &str| {
        block(&format!(
            "SELECT conname INTO n FROM pg_constraint WHERE conrelid = 't'::regclass {kind}; EXECUTE format('ALTER TABLE t DROP CONSTRAINT %I', n);"
        ))
    };
    check(Dialect::Postgres, &drop("AND contype = 'u'"), "t.a u.a");
    check(Dialect::Postgres, &drop(""), "t.a u.a");
    check(Dialect::Postgres, &drop("AND contype = 'f'"), "t.a t.b u.a");
    check(Dialect::Postgres, &drop("AND contype IN ('c', 'f')"), "t.a t.b u.a");
}

#[test]
fn a_reference_that_may_be_dropped_asks_for_no_index() {
    let code = block(
        "SELECT conname INTO n FROM pg_constraint WHERE conrelid = 'u'::regclass AND contype = 'f'; EXECUTE format('ALTER TABLE u DROP CONSTRAINT %I', n);",
    );
    for schema in schemas(Dialect::Postgres, &code) {
        assert!(schema.tables.values().flat_map(|table| &table.foreign_keys).all(|key| key.doubtful));
    }
}

#[test]
fn what_is_made_again_is_there() {
    let gone =
        block("SELECT indexname INTO n FROM pg_indexes WHERE indexname = 't_a'; EXECUTE 'DROP INDEX ' || n;");
    check(Dialect::Postgres, &gone, "t.b u.a");
    check(Dialect::Postgres, &format!("{gone} CREATE INDEX t_a ON t (a);"), "t.a t.b u.a");
    check(Dialect::Postgres, &format!("{gone} CREATE INDEX t_a2 ON t (a);"), "t.a t.b u.a");
    let table = block(
        "FOR r IN SELECT tablename FROM pg_tables WHERE tablename LIKE 'u%' LOOP EXECUTE format('DROP TABLE %I', r.tablename); END LOOP;",
    );
    for schema in schemas(Dialect::Postgres, &format!("{table} CREATE TABLE u (id int, k int);")) {
        let columns = schema.table(None, "u").map(|table| table.columns.len());
        assert_eq!(columns, Some(2));
        assert!(schema.table(None, "u").is_some_and(|table| table.column("k").is_some()));
    }
}

#[test]
fn a_name_that_is_given_to_what_is_looked_up_may_be_that_of_any_index() {
    let renamed = block(
        "SELECT indexname INTO n FROM pg_indexes WHERE tablename = 't' LIMIT 1; EXECUTE format('ALTER INDEX %I RENAME TO x', n);",
    );
    check(Dialect::Postgres, &renamed, "t.a t.b u.a");
    check(Dialect::Postgres, &format!("{renamed} DROP INDEX x;"), "");
}

#[test]
fn a_prepared_statement_drops_an_index_of_the_table_that_it_names() {
    let drop = |how: &str| {
        format!(
            "SET @n = (SELECT index_name FROM information_schema.statistics WHERE table_name = 't' LIMIT 1); SET @s = CONCAT({how}); PREPARE p FROM @s; EXECUTE p;"
        )
    };
    check(Dialect::MySql, &drop("'ALTER TABLE t DROP INDEX ', @n"), "u.a");
    check(Dialect::MySql, &drop("'DROP INDEX ', @n, ' ON u'"), "t.a t.b");
}
