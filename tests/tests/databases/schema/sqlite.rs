//! What SQLite makes of DDL.

use query_budget_analysis::sql::Dialect;
use query_budget_tests::catalog;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{AssertSqlSafe, SqlitePool};

use super::{report, snapshot_of};

const SCRIPTS: &[(&str, &str)] = &[
    (
        "keys and their indexes",
        "CREATE TABLE a (id INTEGER PRIMARY KEY, b TEXT UNIQUE, c TEXT, d, UNIQUE (c, d), UNIQUE (b));
         CREATE TABLE b (id INTEGER PRIMARY KEY AUTOINCREMENT, x varchar(20) NOT NULL DEFAULT 'a');
         CREATE TABLE c (id INT PRIMARY KEY, u TEXT UNIQUE);
         CREATE TABLE d (x TEXT UNIQUE, id BLOB PRIMARY KEY NOT NULL);
         CREATE TABLE e (a, b, PRIMARY KEY (a DESC, b)) WITHOUT ROWID;
         CREATE TABLE f (id INTEGER PRIMARY KEY DESC, a INT NOT NULL) STRICT;
         CREATE TABLE g (a TEXT PRIMARY KEY, b ANY) STRICT, WITHOUT ROWID;
         CREATE TABLE h (a INTEGER, b TEXT COLLATE NOCASE, PRIMARY KEY (a), UNIQUE (b COLLATE BINARY));
         CREATE TABLE i (id integer primary key not null, a text unique on conflict replace);",
    ),
    (
        "collations, defaults and numbering",
        "CREATE TABLE a (id INTEGER, e TEXT NOT NULL COLLATE NOCASE UNIQUE, f TEXT COLLATE RTRIM, UNIQUE (f),
             PRIMARY KEY (id AUTOINCREMENT));
         CREATE INDEX a_e ON a (e);
         CREATE TABLE b (x TEXT DEFAULT NULL, y REAL DEFAULT +1.5, z TEXT REFERENCES a (e) DEFERRABLE INITIALLY DEFERRED);
         ALTER TABLE b ADD COLUMN w TEXT DEFAULT NULL;",
    ),
    (
        "references",
        "CREATE TABLE child (a INTEGER REFERENCES parent (id), b TEXT REFERENCES parent (name) ON DELETE SET NULL,
             FOREIGN KEY (a, b) REFERENCES parent (id, name) ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED);
         CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT UNIQUE, UNIQUE (id, name));
         ALTER TABLE parent RENAME TO guardian;
         ALTER TABLE guardian RENAME COLUMN name TO label;",
    ),
    (
        "the rebuild",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, old TEXT);
         CREATE TABLE other (t_id INTEGER REFERENCES t (id));
         CREATE INDEX t_old ON t (old);
         PRAGMA foreign_keys = OFF;
         CREATE TABLE t_new (id INTEGER PRIMARY KEY, new TEXT NOT NULL UNIQUE);
         INSERT INTO t_new SELECT id, old FROM t;
         DROP TABLE t;
         ALTER TABLE t_new RENAME TO t;
         CREATE INDEX t_new_index ON t (new);
         PRAGMA foreign_keys = ON;",
    ),
    (
        "changes of columns",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT, c TEXT CHECK (c <> ''), CHECK (length(a) > 0));
         CREATE INDEX t_a ON t (a DESC, lower(a)) WHERE a IS NOT NULL;
         ALTER TABLE t ADD COLUMN d TEXT NOT NULL DEFAULT (datetime('now'));
         ALTER TABLE t ADD e INTEGER DEFAULT -1 REFERENCES t (id);
         ALTER TABLE t RENAME a TO z;
         ALTER TABLE t DROP COLUMN b;
         ALTER TABLE t ADD f TEXT GENERATED ALWAYS AS (z || c) VIRTUAL;
         CREATE TABLE g (a INT, b AS (a * 2) STORED, c REAL DEFAULT 1.5, d TEXT DEFAULT CURRENT_TIMESTAMP, e BOOLEAN DEFAULT FALSE);",
    ),
    (
        "indexes and names",
        "CREATE TABLE \"Order Item\" (\"select\" TEXT, [from] TEXT, `where` TEXT, \"group\" TEXT COLLATE NOCASE);
         CREATE UNIQUE INDEX \"An Index\" ON \"Order Item\" (\"select\" COLLATE NOCASE DESC, [from]);
         CREATE INDEX IF NOT EXISTS by_expression ON \"Order Item\" (length([from]) + 1, \"group\") WHERE `where` IN ('a', 'b');
         CREATE INDEX gone ON \"Order Item\" (\"group\");
         DROP INDEX gone;
         DROP INDEX IF EXISTS never;",
    ),
    (
        "columns that views read are renamed",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, at TEXT);
         CREATE TABLE u (id INTEGER PRIMARY KEY, label TEXT);
         CREATE VIEW v AS SELECT t.name, label AS other FROM t JOIN u ON u.id = t.id WHERE name <> 'x' AND at > '';
         CREATE VIEW w (name) AS SELECT name FROM t WHERE name IN (SELECT t.name FROM t AS t);
         ALTER TABLE t RENAME COLUMN name TO \"the title\";
         ALTER TABLE t RENAME at TO made_at;",
    ),
    (
        "views, triggers and temporary tables",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INT);
         CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET n = CASE WHEN n > 0 THEN 1 ELSE 0 END; DELETE FROM t; END;
         CREATE VIEW v AS SELECT id, n + 1 AS more FROM t;
         CREATE TEMP TABLE x (a);
         CREATE TABLE made AS SELECT id, n FROM t;
         DROP VIEW IF EXISTS never;
         ALTER TABLE t RENAME TO tt;",
    ),
];

#[tokio::test]
async fn snapshots_hold_what_sqlite_holds() {
    let mut wrong = Vec::new();
    for (topic, sql) in SCRIPTS {
        let (made, loaded) = (memory().await, memory().await);
        let snapshot = snapshot_of(topic, sql, Dialect::Sqlite);
        let done = sqlx::raw_sql(AssertSqlSafe(*sql)).execute(&made).await;
        done.unwrap_or_else(|error| panic!("{topic}: {error}"));
        let load = sqlx::raw_sql(AssertSqlSafe(snapshot.clone())).execute(&loaded).await;
        load.unwrap_or_else(|error| panic!("{topic}: {error}\n{snapshot}"));
        wrong.extend(report(
            topic,
            &snapshot,
            &catalog::sqlite(&made).await,
            &catalog::sqlite(&loaded).await,
        ));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// An empty database, which lives as long as its only connection.
async fn memory() -> SqlitePool {
    let options = SqlitePoolOptions::new().max_connections(1).idle_timeout(None);
    options.connect("sqlite::memory:").await.expect("open a database in memory")
}
