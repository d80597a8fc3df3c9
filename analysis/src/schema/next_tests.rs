//! The next migration in the directories of many tools, each read again with it.

use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::schema::{layouts, replay};
use crate::sql::Dialect;

const UP: &str =
    "-- no-transaction\n-- Serves 1 query.\nCREATE INDEX CONCURRENTLY IF NOT EXISTS t_a_idx ON t (a);\n";
const DOWN: &str = "-- no-transaction\nDROP INDEX CONCURRENTLY IF EXISTS t_a_idx;\n";
const TABLE: &str = "CREATE TABLE t (id bigint PRIMARY KEY, a bigint);\n";

/// Adds a migration to a directory of these files, and reads the directory again with it.
fn added(files: &[(&str, &str)]) -> (Vec<Written>, &'static str) {
    let now = UNIX_EPOCH + Duration::from_secs(1_709_251_199);
    let read = |files: &[(String, String)]| {
        let files = files.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes())).collect();
        layouts::select("", files, Some(Dialect::Postgres))
    };
    let mut all: Vec<(String, String)> =
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let before = read(&all);
    let paths: Vec<&str> = before.migrations.iter().map(|it| it.file.as_str()).collect();
    let mut convention =
        Convention::of(before.tool, &paths, &|path| files.iter().any(|(it, _)| *it == path), now)
            .expect("a convention");
    let written = convention.next("add_t_a_idx", UP, DOWN).expect("a number");
    all.extend(written.iter().filter(|(path, _)| path.ends_with(".sql")).cloned());
    let after = read(&all);
    assert_eq!(after.tool, before.tool, "{written:?}");
    assert_eq!((after.skipped, after.problems), (before.skipped, before.problems), "{written:?}");
    // Only what is repeated comes after it.
    let last = after.migrations.iter().rfind(|it| !it.file.starts_with("R__"));
    assert_eq!(last.map(|it| it.file.as_str()), Some(written[0].0.as_str()));
    let schema = replay(&after.migrations, Dialect::Postgres).schema;
    let mut indexes = schema.tables.values().flat_map(|table| &table.indexes);
    assert!(indexes.any(|index| index.name == "t_a_idx"), "{written:?}");
    (written, convention.command())
}

#[track_caller]
fn check(files: &[(&str, &str)], expect: &[&str], command: &str) {
    let (written, found) = added(files);
    let paths: Vec<&str> = written.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, expect);
    assert_eq!(found, format!("apply them with `{command}`"), "{files:?}");
}

#[test]
fn names_follow_those_before() {
    let stamp = "20240229235959_add_t_a_idx";
    check(&[("0001_x.sql", TABLE)], &["0002_add_t_a_idx.sql"], "sqlx migrate run");
    check(
        &[("20230101000000_x.up.sql", TABLE), ("20230101000000_x.down.sql", "DROP TABLE t;")],
        &[&format!("{stamp}.up.sql"), &format!("{stamp}.down.sql")],
        "sqlx migrate run",
    );
    check(
        &[("2023-01-01-000000_x/up.sql", TABLE), ("2023-01-01-000000_x/down.sql", "DROP TABLE t;")],
        &[
            "2024-02-29-235959_add_t_a_idx/up.sql",
            "2024-02-29-235959_add_t_a_idx/down.sql",
            "2024-02-29-235959_add_t_a_idx/metadata.toml",
        ],
        "diesel migration run",
    );
    check(&[("0_init/migration.sql", TABLE)], &[&format!("{stamp}/migration.sql")], "prisma migrate deploy");
    check(
        &[("V1__x.sql", TABLE), ("R__view.sql", "CREATE VIEW v AS SELECT 1;")],
        &["V2__add_t_a_idx.sql"],
        "flyway migrate",
    );
    check(&[("V1.9__x.sql", TABLE)], &["V1.10__add_t_a_idx.sql"], "flyway migrate` or `refinery migrate");
    check(&[("U01__x.sql", TABLE)], &["U02__add_t_a_idx.sql"], "refinery migrate");
}

#[test]
fn names_of_no_known_tool_go_on_too() {
    let there = ["down/0001_x.sql", "1-x_down.sql"];
    for (last, expect) in [
        ("m0003-x.sql", &["m0004-add_t_a_idx.sql"] as &[&str]),
        ("up/0001_x.sql", &["up/0002_add_t_a_idx.sql", "down/0002_add_t_a_idx.sql"]),
        ("001.do.x.sql", &["002.do.add_t_a_idx.sql", "002.undo.add_t_a_idx.sql"]),
        ("1-x_up.sql", &["2-add_t_a_idx_up.sql", "2-add_t_a_idx_down.sql"]),
        ("1_set_up.sql", &["2_add_t_a_idx.sql"]),
        ("0007.sql", &["0008.sql"]),
    ] {
        let mut convention =
            Convention::of(None, &[last], &|path| there.contains(&path), UNIX_EPOCH).expect("a convention");
        let written = convention.next("add_t_a_idx", UP, DOWN).expect("a number");
        assert_eq!(written.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(), expect);
    }
    for (tool, last) in
        [(None, "schema.sql"), (None, "x/tables.sql"), (Some("sqlx"), "9223372036854775808_x.sql")]
    {
        assert!(Convention::of(tool, &[last], &|_| false, UNIX_EPOCH).is_none(), "{last}");
    }
}

/// The text of the one file that is written beside a file with these marks.
fn in_one(name: &str, up: &str, down: &str, command: &str) -> String {
    let (written, found) = added(&[(name, &format!("{up}\n{TABLE}{down}\nDROP TABLE t;\n"))]);
    assert_eq!(found, format!("apply them with `{command}`"));
    let [(_, text)] = written.as_slice() else { panic!("{written:?}") };
    text.clone()
}

#[test]
fn marks_are_those_of_the_tool() {
    let up = "-- Serves 1 query.\nCREATE INDEX CONCURRENTLY IF NOT EXISTS t_a_idx ON t (a);\n";
    let down = "DROP INDEX CONCURRENTLY IF EXISTS t_a_idx;\n";
    assert_eq!(
        in_one("20230101000000_x.sql", "-- migrate:up", "-- migrate:down", "dbmate up"),
        format!("-- migrate:up transaction:false\n{up}\n-- migrate:down transaction:false\n{down}")
    );
    assert_eq!(
        in_one("00001_x.sql", "-- +goose Up", "-- +goose Down", "goose up"),
        format!("-- +goose NO TRANSACTION\n-- +goose Up\n{up}\n-- +goose Down\n{down}")
    );
    assert_eq!(
        in_one("20230101000000-x.sql", "-- +migrate Up", "-- +migrate Down", "sql-migrate up"),
        format!("-- +migrate Up notransaction\n{up}\n-- +migrate Down notransaction\n{down}")
    );
    assert_eq!(
        in_one("001_x.sql", "", "---- create above / drop below ----", "tern migrate"),
        format!("---- tern: disable-tx ----\n{up}\n---- create above / drop below ----\n\n{down}")
    );
    // It opens a transaction around every file, so the index cannot be built concurrently.
    assert_eq!(
        in_one("1700000000000_x.sql", "-- Up Migration", "-- Down Migration", "node-pg-migrate up"),
        "-- Up Migration\n-- Serves 1 query.\nCREATE INDEX IF NOT EXISTS t_a_idx ON t (a);\n\n\
         -- Down Migration\nDROP INDEX IF EXISTS t_a_idx;\n"
    );
}

#[test]
fn transactions_are_left_as_each_tool_wants_it() {
    let first = |tool, last: &str, has_sums: bool| {
        let mut convention =
            Convention::of(tool, &[last], &|path| has_sums && path == "atlas.sum", UNIX_EPOCH)
                .expect("a convention");
        let written = convention.next("add", UP, DOWN).expect("a number");
        written[0].1.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(first(Some("sqlx"), "1_x.sql", false), "-- no-transaction");
    assert_eq!(first(Some("sqlx"), "20230101000000.sql", true), "-- atlas:txmode none");
    assert_eq!(first(Some("refinery"), "U1__x.sql", false), "-- refinery:noTransaction");
    assert_eq!(first(Some("Diesel"), "1_x/up.sql", false), "-- Serves 1 query.");
}
