//! Real databases refuse what `missing_required_column` and `conflict_target` find, and `union_without_all`
//! reports no query whose result UNION changes.

mod clauses;
mod functions;

use query_budget_analysis::check::Checker;
use query_budget_analysis::config::Config;
use query_budget_analysis::finding::Level;
use query_budget_analysis::schema::{Replay, Schema};
use query_budget_analysis::sql::Dialect;
use query_budget_tests::{with_mysql, with_postgres};
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{AssertSqlSafe, Executor};

const POSTGRES: &str = "
    CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text NOT NULL, b int NOT NULL DEFAULT 1, c int,
        d int NOT NULL GENERATED ALWAYS AS (1) STORED, UNIQUE (a, b));
    CREATE UNIQUE INDEX t_part ON t (c) WHERE b > 0;
    CREATE UNIQUE INDEX t_lower ON t (lower(a), c);
    CREATE TABLE s (id bigserial PRIMARY KEY, slug text NOT NULL UNIQUE, title text NOT NULL);
    CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.slug := lower(NEW.title); RETURN NEW; END $$;
    CREATE TRIGGER fill BEFORE INSERT OR UPDATE ON s FOR EACH ROW EXECUTE FUNCTION fill();
    CREATE DOMAIN filled AS text NOT NULL DEFAULT 'x';
    CREATE TABLE u (id int PRIMARY KEY, a filled, n int NOT NULL);
    CREATE VIEW v AS SELECT id, a FROM t";

const MYSQL: &str = "
    CREATE TABLE t (id bigint AUTO_INCREMENT PRIMARY KEY, a varchar(20) NOT NULL, b int NOT NULL DEFAULT 1, c int,
        e enum('x', 'y') NOT NULL, at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP);
    CREATE TABLE s (id bigint AUTO_INCREMENT PRIMARY KEY, slug varchar(20) NOT NULL, title varchar(20) NOT NULL);
    CREATE TRIGGER fill BEFORE INSERT ON s FOR EACH ROW SET NEW.slug = lower(NEW.title)";

const SQLITE: &str = "
    CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b INT NOT NULL DEFAULT 1, c INT, UNIQUE (a, b));
    CREATE UNIQUE INDEX t_part ON t (c) WHERE b > 0;
    CREATE TABLE w (k TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID";

/// Statements, and whether the database refuses them.
const ON_POSTGRES: &[(&str, bool)] = &[
    ("INSERT INTO t (a) VALUES ('a1')", false),
    ("INSERT INTO t (b) VALUES (2)", true),
    ("INSERT INTO t (a, b) VALUES ('a2', NULL)", true),
    ("INSERT INTO t (a, b) VALUES ('a3', 3), (NULL, 4)", true),
    ("INSERT INTO t DEFAULT VALUES", true),
    ("INSERT INTO t (b) SELECT 1", true),
    ("INSERT INTO t (a, b) SELECT 'a4', NULL::int", true),
    ("INSERT INTO t (b) VALUES (5) ON CONFLICT DO NOTHING", true),
    ("INSERT INTO t (a, b) VALUES ('a5', DEFAULT)", false),
    ("INSERT INTO t OVERRIDING SYSTEM VALUE VALUES (99, 'a99')", false),
    ("INSERT INTO s (title) VALUES ('Title')", false),
    ("INSERT INTO u (id, n) VALUES (1, 1)", false),
    ("INSERT INTO u (id, a) VALUES (2, 'a')", true),
    ("WITH x AS (INSERT INTO t (b) VALUES (7) RETURNING id) SELECT id FROM x", true),
    ("INSERT INTO t (a) VALUES ('c1') ON CONFLICT (a, b) DO NOTHING", false),
    ("INSERT INTO t (a) VALUES ('c2') ON CONFLICT (b, a) DO NOTHING", false),
    ("INSERT INTO t (a) VALUES ('c3') ON CONFLICT (a) DO NOTHING", true),
    ("INSERT INTO t (a) VALUES ('c4') ON CONFLICT (a, b, c) DO NOTHING", true),
    ("INSERT INTO t (a) VALUES ('c5') ON CONFLICT (c) DO NOTHING", true),
    ("INSERT INTO t (a) VALUES ('c6') ON CONFLICT (c) WHERE b > 0 DO NOTHING", false),
    ("INSERT INTO t (a) VALUES ('c7') ON CONFLICT (c, lower(a)) DO NOTHING", false),
    ("INSERT INTO t (a) VALUES ('c8') ON CONFLICT (a, c) DO NOTHING", true),
    ("INSERT INTO t (a) VALUES ('c9') ON CONFLICT (id) DO NOTHING", false),
    ("INSERT INTO t (a) VALUES ('d1') ON CONFLICT (a, b) WHERE c = 1 DO NOTHING", false),
    ("INSERT INTO t (a) VALUES ('d2') ON CONFLICT (lower(a)) DO NOTHING", true),
];

const ON_MYSQL: &[(&str, bool)] = &[
    ("INSERT INTO t (a) VALUES ('a1')", false),
    ("INSERT INTO t (b) VALUES (2)", true),
    ("INSERT INTO t (a, b) VALUES ('a2', NULL)", true),
    ("INSERT INTO t () VALUES ()", true),
    ("INSERT IGNORE INTO t (b) VALUES (3)", false),
    ("INSERT INTO t (a, b) VALUES ('a3', DEFAULT)", false),
    ("INSERT INTO t SET b = 4", true),
    ("INSERT INTO t (b) VALUES (5) ON DUPLICATE KEY UPDATE c = 1", true),
    ("REPLACE INTO t (b) VALUES (6)", true),
];

const ON_SQLITE: &[(&str, bool)] = &[
    ("INSERT INTO t (a) VALUES ('a1')", false),
    ("INSERT INTO t (b) VALUES (2)", true),
    ("INSERT INTO t (a, b) VALUES ('a2', NULL)", true),
    ("INSERT INTO t (id, a) VALUES (NULL, 'a3')", false),
    ("INSERT INTO t DEFAULT VALUES", true),
    ("INSERT OR IGNORE INTO t (b) VALUES (3)", false),
    ("INSERT OR REPLACE INTO t (b) VALUES (4)", true),
    ("INSERT INTO t (b) VALUES (5) ON CONFLICT DO NOTHING", true),
    ("INSERT INTO w (v) VALUES ('a')", true),
    ("INSERT INTO t (a) VALUES ('c1') ON CONFLICT (A, b) DO NOTHING", false),
    ("INSERT INTO t (a) VALUES ('c2') ON CONFLICT (a) DO NOTHING", true),
    ("INSERT INTO t (a) VALUES ('c3') ON CONFLICT (id) DO NOTHING", false),
    ("INSERT INTO t (a) VALUES ('c4') ON CONFLICT (rowid) DO NOTHING", false),
    ("INSERT INTO t (a) VALUES ('c5') ON CONFLICT (c) DO NOTHING", true),
    ("INSERT INTO t (a) VALUES ('c6') ON CONFLICT (c) WHERE b > 0 DO NOTHING", false),
    ("INSERT INTO w (k) VALUES ('c7') ON CONFLICT (k) DO NOTHING", false),
    ("INSERT INTO w (k) VALUES ('c8') ON CONFLICT (v) DO NOTHING", true),
];

fn schema(ddl: &str, dialect: Dialect) -> Schema {
    let mut replay = Replay::new(dialect);
    replay.apply(ddl, "schema.sql");
    assert_eq!(replay.problems, []);
    replay.schema
}

/// Checks that a finding predicts that a statement is refused, exactly where the database refuses it.
#[track_caller]
fn compare(schema: &Schema, statement: &str, expected: bool, outcome: Result<(), sqlx::Error>) {
    let refused = outcome.as_ref().is_err_and(|error| error.as_database_error().is_some());
    assert_eq!(refused, expected, "the database: {statement}: {outcome:?}");
    let config = Config::default();
    let found = Checker::new(&config, Some(schema), schema.dialect).query(statement, None).findings;
    let lints: Vec<&str> = found
        .iter()
        .filter(|it| matches!(it.lint, "missing_required_column" | "conflict_target"))
        .map(|it| it.lint)
        .collect();
    assert_eq!(!lints.is_empty(), expected, "{statement}: {lints:?}, and the database: {outcome:?}");
    // What one database would store in another mode is a warning.
    let denies = found.iter().any(|it| lints.contains(&it.lint) && it.level == Level::Deny);
    assert_eq!(denies, expected && schema.dialect != Dialect::MySql, "{statement}");
}

/// Runs each statement, and compares.
macro_rules! compare_all {
    ($db:expr, $ddl:expr, $dialect:expr, $statements:expr) => {
        for statement in $ddl.split(";\n") {
            $db.execute(AssertSqlSafe(statement.to_owned())).await.expect(statement);
        }
        let schema = schema($ddl, $dialect);
        for (statement, expected) in $statements {
            let outcome = $db.execute(AssertSqlSafe((*statement).to_owned())).await.map(|_| ());
            compare(&schema, statement, *expected, outcome);
        }
    };
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn postgres_refuses_what_is_found() {
    with_postgres(|db| async move {
        compare_all!(db, POSTGRES, Dialect::Postgres, ON_POSTGRES);
    })
    .await;
}

#[tokio::test]
#[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
async fn mysql_refuses_what_is_found() {
    with_mysql(|db| async move {
        compare_all!(db, MYSQL, Dialect::MySql, ON_MYSQL);
        // A trigger may fill the column; whether this server does so is not checked.
        let of_s = Checker::new(&Config::default(), Some(&schema(MYSQL, Dialect::MySql)), Dialect::MySql)
            .query("INSERT INTO s (title) VALUES ('Title')", None)
            .findings;
        assert!(of_s.is_empty(), "{of_s:?}");
    })
    .await;
}

#[tokio::test]
async fn sqlite_refuses_what_is_found() {
    let db = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
    compare_all!(db, SQLITE, Dialect::Sqlite, ON_SQLITE);
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn a_union_that_is_found_gives_the_same_with_all() {
    with_postgres(|db| async move {
        db.execute(
            "CREATE TABLE a (id int PRIMARY KEY, kind text NOT NULL, n int);
             CREATE TABLE b (id int PRIMARY KEY, kind text NOT NULL, n int);
             INSERT INTO a SELECT i, CASE i % 2 WHEN 0 THEN 'x' ELSE 'y' END, i % 3 FROM generate_series(1, 20) i;
             INSERT INTO b SELECT * FROM a",
        )
        .await
        .unwrap();
        let ddl = "CREATE TABLE a (id int PRIMARY KEY, kind text NOT NULL, n int);
                   CREATE TABLE b (id int PRIMARY KEY, kind text NOT NULL, n int);";
        let schema = schema(ddl, Dialect::Postgres);
        let config = Config::default();
        let arms = [
            "SELECT 'a', id FROM a", "SELECT 'b', id FROM b", "SELECT 'b', n FROM b", "SELECT 'a', n FROM a GROUP BY n",
            "SELECT kind, id FROM a WHERE kind = 'x'", "SELECT kind, id FROM a WHERE kind = 'y'",
            "SELECT kind, n FROM a WHERE kind = 'y'", "SELECT 'b', max(n) FROM b", "SELECT DISTINCT 'c', n FROM b",
        ];
        let mut found = 0;
        for first in arms {
            for second in arms {
                let sql = format!("{first} UNION {second}");
                let findings = Checker::new(&config, Some(&schema), Dialect::Postgres).query(&sql, None).findings;
                if !findings.iter().any(|it| it.lint == "union_without_all") {
                    continue;
                }
                found += 1;
                let count = |sql: &str| AssertSqlSafe(format!("SELECT count(*) FROM ({sql}) AS u"));
                let once: i64 = sqlx::query_scalar(count(&sql)).fetch_one(&db).await.unwrap();
                let all = sql.replace(" UNION ", " UNION ALL ");
                let all: i64 = sqlx::query_scalar(count(&all)).fetch_one(&db).await.unwrap();
                assert_eq!(once, all, "{sql}");
            }
        }
        assert!(found > 10, "{found}");
    })
    .await;
}
