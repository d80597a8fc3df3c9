//! What is found in a statement is what the database refuses when it prepares or plans it, and nothing else.

use query_budget_analysis::check::Checker;
use query_budget_analysis::config::Config;
use query_budget_analysis::schema::{Replay, Schema};
use query_budget_analysis::sql::Dialect;
use query_budget_tests::{with_mysql, with_postgres};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqlitePoolOptions;

/// Files of `tests/fixtures/refused`: tables, a line `--`, and statements with the database's answer.
const POSTGRES: [&str; 3] = [
    include_str!("../../../fixtures/refused/postgres.sql"),
    include_str!("../../../fixtures/refused/postgres_own.sql"),
    include_str!("../../../fixtures/refused/postgres_types.sql"),
];
const MYSQL: [&str; 3] = [
    include_str!("../../../fixtures/refused/mysql.sql"),
    include_str!("../../../fixtures/refused/mysql_columns.sql"),
    include_str!("../../../fixtures/refused/mysql_forms.sql"),
];
const SQLITE: [&str; 2] = [
    include_str!("../../../fixtures/refused/sqlite.sql"),
    include_str!("../../../fixtures/refused/sqlite_columns.sql"),
];

/// The tables of a file, and its statements, each with whether it is refused.
fn read(file: &'static str) -> (&'static str, Vec<(&'static str, bool)>) {
    let (ddl, statements) = file.split_once("\n--\n").expect("tables and statements");
    let read = |line: &'static str| match line.split_once(':').expect("an answer") {
        ("refused", statement) => (statement.trim(), true),
        ("taken", statement) => (statement.trim(), false),
        (answer, _) => panic!("`{answer}` is no answer"),
    };
    (ddl, statements.lines().map(read).collect())
}

/// The lints whose findings say that the database refuses a statement.
const LINTS: [&str; 6] = [
    "ambiguous_column",
    "invalid_clause",
    "type_mismatch",
    "unknown_column",
    "unknown_table",
    "values_count",
];

fn schema(ddl: &str, dialect: Dialect) -> Schema {
    let mut replay = Replay::new(dialect);
    replay.apply(ddl, "schema.sql");
    assert_eq!(replay.problems, []);
    replay.schema
}

/// Where the findings differ from the database's answers.
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn compare(
        &mut self,
        schema: &Schema,
        statement: &str,
        expected: bool,
        outcome: Result<(), sqlx::Error>,
    ) {
        let config = Config::default();
        let found = Checker::new(&config, Some(schema), schema.dialect).query(statement, None).findings;
        let found: Vec<&str> = found.iter().map(|it| it.lint).filter(|lint| LINTS.contains(lint)).collect();
        if outcome.is_err() != expected || found.is_empty() == expected {
            self.0.push(format!("{statement}: {found:?}, and the database: {outcome:?}"));
        }
    }
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn postgres_refuses_these_and_no_others() {
    for (ddl, all) in POSTGRES.map(read) {
        with_postgres(|db| async move {
            sqlx::raw_sql(ddl).execute(&db).await.expect(ddl);
            let (schema, mut differences) = (schema(ddl, Dialect::Postgres), Differences::default());
            for (statement, expected) in all {
                // Planning refuses some that parsing accepts, and takes no parameters.
                let asked = match statement.contains('$') {
                    true => format!("PREPARE q AS {statement}; DEALLOCATE q"),
                    false => format!("EXPLAIN {statement}"),
                };
                let outcome = sqlx::raw_sql(AssertSqlSafe(asked)).execute(&db).await.map(|_| ());
                differences.compare(&schema, statement, expected, outcome);
            }
            assert_eq!(differences.0, [""; 0]);
        })
        .await;
    }
}

#[tokio::test]
#[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
async fn mysql_refuses_these_and_no_others() {
    for (ddl, all) in MYSQL.map(read) {
        with_mysql(|db| async move {
            sqlx::raw_sql(ddl).execute(&db).await.expect(ddl);
            let (schema, mut differences) = (schema(ddl, Dialect::MySql), Differences::default());
            for (statement, expected) in all {
                let asked = format!("PREPARE q FROM '{}'", statement.replace('\'', "''"));
                let outcome = sqlx::raw_sql(AssertSqlSafe(asked)).execute(&db).await.map(|_| ());
                differences.compare(&schema, statement, expected, outcome);
            }
            assert_eq!(differences.0, [""; 0]);
        })
        .await;
    }
}

#[tokio::test]
async fn sqlite_refuses_these_and_no_others() {
    for (ddl, all) in SQLITE.map(read) {
        let db = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql(ddl).execute(&db).await.expect(ddl);
        let (schema, mut differences) = (schema(ddl, Dialect::Sqlite), Differences::default());
        for (statement, expected) in all {
            let asked = AssertSqlSafe(format!("EXPLAIN {statement}"));
            let outcome = sqlx::raw_sql(asked).execute(&db).await.map(|_| ());
            differences.compare(&schema, statement, expected, outcome);
        }
        assert_eq!(differences.0, [""; 0]);
    }
}
