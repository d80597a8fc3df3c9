//! Tests of what SQLite alone does with DDL.

use super::*;

/// Checks the tables with their columns.
#[track_caller]
fn check(sql: &str, expected: &[&str]) {
    let mut replay = Replay::new(Dialect::Sqlite);
    replay.apply(sql, "a.sql");
    assert_eq!(replay.problems, [], "{sql}");
    let tables = replay.schema.tables.values().map(|table| {
        let columns: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        format!("{}: {}", table.name, columns.join(", "))
    });
    assert_eq!(tables.collect::<Vec<_>>(), expected, "{sql}");
}

#[test]
fn a_temporary_table_hides_another_that_can_still_be_named() {
    let tables = "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT); CREATE TEMP TABLE t (z INT);";
    check(&format!("{tables} ALTER TABLE main.t ADD COLUMN y INT; DROP TABLE temp.t;"), &["t: id, a, y"]);
    check(&format!("{tables} ALTER TABLE t ADD COLUMN y INT; DROP TABLE t;"), &["t: id, a"]);
    check(&format!("{tables} CREATE INDEX i ON t (z); DROP TABLE t; DROP TABLE t;"), &[]);
    let rebuilt =
        "DROP TABLE main.t; CREATE TABLE main.t (id INT, z INT); INSERT INTO main.t SELECT * FROM temp.t;";
    check(&format!("{tables} {rebuilt} DROP TABLE temp.t;"), &["t: id, z"]);
    check("CREATE TEMP TABLE t (z INT); CREATE TABLE t (a INT);", &["t: a"]);
}

#[test]
fn columns_of_one_name_are_told_apart() {
    let tables = "CREATE TABLE a (id INT, x INT); CREATE TABLE b (id INT, y INT);";
    check(
        &format!("{tables} CREATE TABLE c AS SELECT *, a.id AS ID FROM a JOIN b ON b.id = a.x;"),
        &["a: id, x", "b: id, y", "c: id, x, id:1, y, id:2"],
    );
}

#[test]
fn a_collation_is_of_the_term_before_it() {
    let mut replay = Replay::new(Dialect::Sqlite);
    replay.apply(
        "CREATE TABLE t (a TEXT, b TEXT);
         CREATE INDEX i ON t (a || b COLLATE NOCASE, lower(a) COLLATE NOCASE DESC, (a || b) COLLATE NOCASE, b COLLATE RTRIM);",
        "a.sql",
    );
    let keys = &replay.schema.tables[&Name::new("t")].indexes[0].keys;
    let collations: Vec<Option<&str>> = keys.iter().map(|key| key.collation.as_deref()).collect();
    assert_eq!(collations, [None, Some("nocase"), Some("nocase"), Some("rtrim")]);
    assert!(keys[1].desc && !keys[0].desc);
}

#[test]
fn the_key_of_a_table_is_the_rowid_in_either_direction() {
    let mut replay = Replay::new(Dialect::Sqlite);
    replay.apply(
        "CREATE TABLE t (id INTEGER, PRIMARY KEY (id DESC)); CREATE TABLE u (id INTEGER PRIMARY KEY DESC);",
        "a.sql",
    );
    let is_rowid = |name: &str| replay.schema.tables[&Name::new(name)].rowid_alias().is_some();
    assert!(is_rowid("t") && !is_rowid("u"));
}

#[test]
fn other_databases_are_made_before_their_tables() {
    use crate::schema::snapshot;
    for (dialect, sql, made) in [
        (
            Dialect::Sqlite,
            "ATTACH ':memory:' AS aux; CREATE TABLE aux.t (a INT); CREATE TABLE t (b INT); CREATE INDEX aux.i ON t (a);",
            "ATTACH DATABASE ':memory:' AS aux;",
        ),
        (
            Dialect::MySql,
            "CREATE DATABASE aux; CREATE TABLE aux.t (a INT, KEY i (a)); CREATE TABLE t (b INT);",
            "CREATE DATABASE IF NOT EXISTS `aux`;",
        ),
    ] {
        let mut replay = Replay::new(dialect);
        replay.apply(sql, "a.sql");
        assert_eq!(replay.problems, []);
        let text = snapshot::write(&replay.schema, None);
        assert!(text.contains(made), "{text}");
        let read = snapshot::read(&text, "schema.sql", None);
        assert_eq!(read.schema.tables, replay.schema.tables, "{text}");
        let indexes = read.schema.tables.values().map(|table| table.indexes.len());
        assert_eq!(indexes.sum::<usize>(), 1);
    }
}
