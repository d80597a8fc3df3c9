//! The dumps of the databases' own tools parse like the statements that created the schema.
//!
//! Each `.dump.sql` was written for its `.source.sql` by `pg_dump`, `mariadb-dump --no-data` or `sqlite3 … .schema`.

use query_budget_analysis::schema::{Replay, Schema, snapshot};
use query_budget_analysis::sql::Dialect;

#[track_caller]
fn check(source: &str, dump: &str, dialect: Dialect, fallback: Option<Dialect>) -> (Schema, Schema) {
    let mut replay = Replay::new(dialect);
    replay.apply(source, "source.sql");
    assert_eq!(replay.problems, []);
    let read = snapshot::read(dump, "dump.sql", fallback);
    assert_eq!(read.problems, []);
    assert_eq!(read.schema.dialect, dialect);
    (replay.schema, read.schema)
}

fn names(schema: &Schema) -> Vec<String> {
    let tables = schema.tables.values().map(|table| {
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|it| {
                format!("{} {} {} {} {}", it.name, it.ty, it.not_null, it.identity, it.generated.is_some())
            })
            .collect();
        let mut indexes: Vec<String> = table
            .indexes
            .iter()
            .map(|index| {
                let keys: Vec<String> =
                    index.keys.iter().map(|key| format!("{:?} {}", key.as_column(), key.desc)).collect();
                format!(
                    "{} {} {} ({}) {:?}",
                    index.name,
                    index.unique,
                    index.primary,
                    keys.join(", "),
                    index.include
                )
            })
            .collect();
        indexes.sort();
        let keys: Vec<String> = table
            .foreign_keys
            .iter()
            .map(|key| format!("{:?} {} {:?} {:?}", key.columns, key.table, key.references, key.on_delete))
            .collect();
        let of = table.parent.as_ref().map(ToString::to_string);
        format!("{} {columns:?} {:?} {indexes:?} {keys:?} {of:?}", table.name, table.primary_key)
    });
    let views = schema.views.values().map(|view| {
        let columns: Vec<&str> = view.columns.iter().flatten().map(|column| column.name.as_str()).collect();
        format!("view {} {columns:?}", view.name)
    });
    let others = schema.types.keys().chain(schema.sequences.keys()).map(ToString::to_string);
    tables.chain(views).chain(others).collect()
}

#[test]
fn pg_dump() {
    let source = include_str!("../../../fixtures/dumps/postgres.source.sql");
    let dump = include_str!("../../../fixtures/dumps/postgres.dump.sql");
    let (made, read) = check(source, dump, Dialect::Postgres, None);
    assert_eq!(names(&read), names(&made));
}

#[test]
fn mysqldump() {
    let source = include_str!("../../../fixtures/dumps/mysql.source.sql");
    let dump = include_str!("../../../fixtures/dumps/mysql.dump.sql");
    let (made, read) = check(source, dump, Dialect::MySql, None);
    assert_eq!(names(&read), names(&made));
}

#[test]
fn sqlite3_schema() {
    let source = include_str!("../../../fixtures/dumps/sqlite.source.sql");
    let dump = include_str!("../../../fixtures/dumps/sqlite.dump.sql");
    let (made, read) = check(source, dump, Dialect::Sqlite, Some(Dialect::Sqlite));
    assert_eq!(snapshot::write(&read, None), snapshot::write(&made, None));
}

#[test]
fn a_dump_that_breaks_off_is_noticed() {
    for dump in [
        include_str!("../../../fixtures/dumps/postgres.dump.sql"),
        include_str!("../../../fixtures/dumps/mysql.dump.sql"),
    ] {
        let half = dump.get(..dump.len() / 2).expect("the dump is ASCII");
        let broken = snapshot::read(half, "dump.sql", None).broken;
        assert!(broken.as_ref().is_some_and(|problem| problem.message.contains("ends early")), "{broken:?}");
    }
}
