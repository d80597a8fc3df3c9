//! No input breaks splitting, replay or the snapshot: they always finish, and report problems.

use proptest::prelude::*;

use super::Replay;
use crate::schema::snapshot;
use crate::sql::Dialect;
use crate::sql::split::statements;

/// Fragments of DDL, including broken ones.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "CREATE", "TABLE", "ALTER", "DROP", "INDEX", "UNIQUE", "VIEW", "TYPE", "ENUM", "DOMAIN", "AS", "SELECT", "FROM",
    "ADD", "COLUMN", "CONSTRAINT", "PRIMARY", "KEY", "FOREIGN", "REFERENCES", "CHECK", "EXCLUDE", "USING", "WHERE",
    "RENAME", "TO", "SET", "SCHEMA", "search_path", "NOT", "NULL", "DEFAULT", "GENERATED", "ALWAYS", "IDENTITY",
    "STORED", "INCLUDE", "PARTITION", "OF", "BY", "RANGE", "FOR", "VALUES", "WITH", "IN", "ATTACH", "DETACH",
    "INHERITS", "LIKE", "INCLUDING", "ALL", "IF", "EXISTS", "CASCADE", "DO", "BEGIN", "END", "EXECUTE", "THEN", "ELSE",
    "LOOP", "EXCEPTION", "WHEN", "CASE", "SEQUENCE", "OWNED", "serial", "int", "text", "varchar(3)", "numeric(8,2)[]",
    "double", "precision", "timestamp", "zone", "a", "b", "c", "t", "u", "\"Q\"", "s.t", "(", ")", ",", ";", ".", "::",
    "=", "'x'", "''", "'", "\"", "$$", "$x$", "1", "-1", "1.5e", "/*", "*/", "--", "\n", "`k`", "[m]", "TRIGGER",
    "FUNCTION", "PRAGMA", "legacy_alter_table", "AUTO_INCREMENT", "MODIFY", "CHANGE", "AFTER", "FIRST", "DELIMITER",
    "//", "\\.", "COPY", "stdin", "COLLATE", "DESC", "NULLS", "LAST", "ON", "DELETE", "é", "\u{a0}", "?", "E'\\", "%",
    "MATERIALIZED", "CONCURRENTLY", "ONLY", "WITHOUT", "ROWID", "STRICT", "CREATE TABLE t (a int, b text)",
    "CREATE TABLE u (LIKE t INCLUDING ALL)", "ALTER TABLE t RENAME a TO b", "PARTITION BY RANGE (a)",
    "CREATE TABLE p (a int PRIMARY KEY, b int REFERENCES p)", "ALTER TABLE t DROP COLUMN a CASCADE",
];

fn scripts() -> impl Strategy<Value = String> {
    let word = prop_oneof![12 => prop::sample::select(WORDS).prop_map(str::to_owned), 1 => ".{0,3}"];
    prop::collection::vec(word, 0..60).prop_map(|words| words.join(" "))
}

/// Replays a script, then writes and reads its snapshot.
fn survives(script: &str, dialect: Dialect) {
    let mut end = 0;
    for piece in statements(script, dialect) {
        assert!(piece.span.start >= end, "pieces overlap");
        assert_eq!(script.get(piece.span.range()), Some(piece.text));
        end = piece.span.end;
    }
    let mut replay = Replay::new(dialect);
    replay.apply(script, "script.sql");
    let text = snapshot::write(&replay.schema, None);
    let read = snapshot::read(&text, "schema.sql", None);
    assert_eq!(read.schema.dialect, dialect);
}

proptest! {
    #[test]
    fn nothing_breaks_postgres(script in scripts()) {
        survives(&script, Dialect::Postgres);
    }

    #[test]
    fn nothing_breaks_sqlite(script in scripts()) {
        survives(&script, Dialect::Sqlite);
    }

    #[test]
    fn nothing_breaks_mysql(script in scripts()) {
        survives(&script, Dialect::MySql);
    }

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        for dialect in Dialect::ALL {
            survives(&text, dialect);
            snapshot::read(&text, "schema.sql", Some(dialect));
        }
    }
}

#[test]
fn deep_and_long_inputs_end() {
    let deep = format!("CREATE TABLE t (a int CHECK ({}a{}))", "(".repeat(20_000), ")".repeat(20_000));
    let nested = format!("DO $$ {} CREATE TABLE x (a int); $$", "IF a THEN ".repeat(20_000));
    let calls = "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM f(); PERFORM f(); END $$; SELECT f();";
    let open = "$a$ ".repeat(20_000) + &"'".repeat(9_999) + &"/*".repeat(20_000);
    let many = "CREATE INDEX ON t (a); ".repeat(300);
    for script in [deep.as_str(), &nested, calls, &open, &format!("CREATE TABLE t (a int); {many}")] {
        for dialect in Dialect::ALL {
            survives(script, dialect);
        }
    }
}
