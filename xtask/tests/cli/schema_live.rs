//! `schema --database-url`: loading the snapshot of a database into an empty one gives the same schema.

use query_budget_tests::{Scratch, catalog, with_mysql, with_postgres};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, MySqlPool, PgPool, SqlitePool};

use crate::run;

const POSTGRES: &str = r#"
    CREATE EXTENSION pg_trgm;
    CREATE SCHEMA shop;
    CREATE TYPE mood AS ENUM ('glad', 'it''s fine');
    CREATE DOMAIN shop.price AS numeric(10, 2) DEFAULT 0 NOT NULL CHECK (VALUE >= 0);
    CREATE TYPE shop.size AS (width int, height int);
    CREATE FUNCTION slug(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower($1); ';
    CREATE SEQUENCE shop.numbers;
    CREATE TABLE shop.items (
        id bigserial PRIMARY KEY, "Name" text COLLATE "C" NOT NULL, mood mood DEFAULT 'glad', price shop.price,
        sizes shop.size[], doubled numeric GENERATED ALWAYS AS (price * 2) STORED, at timestamptz DEFAULT now(),
        number bigint DEFAULT nextval('shop.numbers'), UNIQUE ("Name", mood) INCLUDE (price), CHECK (price < 1000)
    );
    CREATE INDEX ON shop.items (slug("Name"), at DESC NULLS LAST) WHERE mood = 'glad';
    CREATE INDEX ON shop.items USING gin ("Name" gin_trgm_ops);
    CREATE TABLE sales (
        id int GENERATED ALWAYS AS IDENTITY, item bigint REFERENCES shop.items ON DELETE CASCADE, at date NOT NULL,
        PRIMARY KEY (id, at)
    ) PARTITION BY RANGE (at);
    CREATE TABLE sales_2026 PARTITION OF sales FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE TABLE sales_other PARTITION OF sales DEFAULT;
    CREATE INDEX ON sales (item);
    CREATE UNLOGGED TABLE plain (id int, kept text);
    CREATE TABLE special (more text) INHERITS (plain);
    CREATE VIEW glad AS SELECT i.id, s.at FROM shop.items i JOIN sales s ON s.item = i.id WHERE i.mood = 'glad';
    CREATE MATERIALIZED VIEW glad_days AS SELECT at, count(*) AS items FROM glad GROUP BY at;
    CREATE UNIQUE INDEX ON glad_days (at);
    INSERT INTO plain SELECT n, 'x' FROM generate_series(1, 12345) n;
    INSERT INTO special SELECT n, 'x', 'y' FROM generate_series(1, 7) n;
    ANALYZE plain, special;
"#;

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn postgres() {
    with_postgres(|made: PgPool| async move {
        made.execute(POSTGRES).await.expect("make the database");
        let snapshot = snapshot_of(made.connect_options().to_url_lossy().as_str(), ", with row estimates");
        assert!(snapshot.contains("-- rows: 13000\nCREATE UNLOGGED TABLE plain (\n"), "{snapshot}");
        assert!(snapshot.contains("-- rows: 7\nCREATE TABLE special (\n"), "{snapshot}");
        with_postgres(|loaded: PgPool| async move {
            loaded
                .execute(AssertSqlSafe(snapshot.clone()))
                .await
                .unwrap_or_else(|error| panic!("{error}\n{snapshot}"));
            equal(&snapshot, &catalog::postgres(&made).await, &catalog::postgres(&loaded).await);
        })
        .await;
    })
    .await;
}

const MYSQL: [&str; 6] = [
    "CREATE TABLE people (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(200) NOT NULL DEFAULT 'it''s', mood ENUM('glad', 'sad'),
        born DATE, initial CHAR(1) GENERATED ALWAYS AS (left(name, 1)) STORED, KEY by_name (name(20), born), UNIQUE (mood, born))",
    "CREATE TABLE `odd ``name` (id BIGINT UNSIGNED PRIMARY KEY, person INT, CONSTRAINT owner FOREIGN KEY (person)
        REFERENCES people (id) ON DELETE CASCADE)",
    "CREATE VIEW glad AS SELECT p.id, p.name FROM people p WHERE p.mood = 'glad'",
    "INSERT INTO people (name) VALUES ('a'), ('b'), ('c'), ('d'), ('e'), ('f'), ('g'), ('h'), ('i'), ('j')",
    "INSERT INTO people (name) SELECT a.name FROM people a, people b, people c, people d, (SELECT 1 UNION SELECT 2) e",
    "ANALYZE TABLE people",
];

#[tokio::test]
#[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
async fn mysql() {
    with_mysql(|made: MySqlPool| async move {
        for statement in MYSQL {
            made.execute(statement).await.expect("make the database");
        }
        let snapshot = snapshot_of(made.connect_options().to_url_lossy().as_str(), ", with row estimates");
        assert!(
            snapshot.contains("CREATE VIEW `glad`") || snapshot.contains("CREATE VIEW glad"),
            "{snapshot}"
        );
        // The server estimates the 20,010 rows from a sample.
        assert!(snapshot.contains("-- rows: 2") || snapshot.contains("-- rows: 1"), "{snapshot}");
        with_mysql(|loaded: MySqlPool| async move {
            loaded
                .execute(AssertSqlSafe(snapshot.clone()))
                .await
                .unwrap_or_else(|error| panic!("{error}\n{snapshot}"));
            equal(&snapshot, &catalog::mysql(&made).await, &catalog::mysql(&loaded).await);
        })
        .await;
    })
    .await;
}

const SQLITE: &str = "
    CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE, email TEXT UNIQUE) STRICT;
    CREATE TABLE notes (person INTEGER REFERENCES people (id) ON DELETE CASCADE, at TEXT, PRIMARY KEY (person, at)) WITHOUT ROWID;
    CREATE INDEX recent ON notes (at DESC) WHERE at > '2026';
    CREATE INDEX named ON people (lower(name));
    CREATE VIEW noted AS SELECT p.name, n.at FROM people p JOIN notes n ON n.person = p.id;
    CREATE TRIGGER touched AFTER INSERT ON notes BEGIN DELETE FROM notes WHERE at < '2000'; END;";

#[tokio::test]
async fn sqlite() {
    let scratch = Scratch::new();
    let options =
        SqliteConnectOptions::new().filename(scratch.path().join("live.sqlite")).create_if_missing(true);
    let made = SqlitePool::connect_with(options).await.expect("make a file");
    made.execute(SQLITE).await.expect("make the database");
    let url = format!("sqlite:{}", scratch.path().join("live.sqlite").display());
    let snapshot =
        snapshot_of(&url, "; no row estimates: 0 rows in all is not a measure of a database in use");
    let loaded = SqlitePool::connect("sqlite::memory:").await.expect("a database in memory");
    loaded
        .execute(AssertSqlSafe(snapshot.clone()))
        .await
        .unwrap_or_else(|error| panic!("{error}\n{snapshot}"));
    equal(&snapshot, &catalog::sqlite(&made).await, &catalog::sqlite(&loaded).await);

    let fill = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
        INSERT INTO people (id, name) SELECT i, 'x' FROM n; ANALYZE;";
    made.execute(fill).await.expect("fill the database");
    let snapshot = snapshot_of(&url, ", with row estimates");
    assert!(snapshot.contains("-- rows: 10000\nCREATE TABLE people"), "{snapshot}");
}

#[test]
fn a_database_that_is_not_there_is_a_clear_error() {
    let scratch = Scratch::new();
    let cases = [
        ("sqlite:no/such.sqlite", "failed to connect to the database"),
        ("postgres://someone:secret@127.0.0.1:1/nothing", "failed to connect to the database"),
        ("oracle://somewhere", "failed to determine the database from its URL"),
        ("", "failed to determine the database from its URL"),
    ];
    for (url, message) in cases {
        let ran = run(scratch.path(), &["schema", "--database-url", url]).exits_with(2).says(&[message]);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("secret"), "{}", ran.stderr);
    }
}

/// Runs the command for a database; checks that a second run finds the snapshot up to date.
#[track_caller]
fn snapshot_of(url: &str, says: &str) -> String {
    let scratch = Scratch::new();
    run(scratch.path(), &["schema", "--database-url", url]).exits_with(0).says(&["wrote `schema.sql`", says]);
    run(scratch.path(), &["schema", "--database-url", url, "--check"]).exits_with(0);
    scratch.read("schema.sql")
}

#[track_caller]
fn equal(snapshot: &str, made: &[String], loaded: &[String]) {
    let difference = catalog::difference(made, loaded);
    assert!(difference.is_empty(), "{}\n\n{snapshot}", difference.join("\n"));
}
