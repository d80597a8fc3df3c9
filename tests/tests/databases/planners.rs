//! Verdicts on many forms of statements, compared with the planners of real databases. The tables and
//! statements are in `fixtures/verdicts`, one statement per line.

use std::path::Path;

use query_budget_analysis::index::{Verdict, accesses};
use query_budget_analysis::project::read;
use query_budget_analysis::schema::{Replay, Schema};
use query_budget_analysis::sql::{Dialect, resolve};
use query_budget_tests::plans::{self, Read};
use query_budget_tests::rows::distinct;
use query_budget_tests::{with_mysql, with_postgres};
use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};

/// The statements of a dialect, and their tables.
struct Cases {
    tables: String,
    schema: Schema,
    statements: Vec<String>,
}

impl Cases {
    fn of(dialect: Dialect) -> Cases {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/verdicts").join(dialect.as_str());
        let tables = read(&folder.join("tables.sql")).expect("the tables");
        let statements = read(&folder.join("statements.sql")).expect("the statements");
        let mut replay = Replay::new(dialect);
        replay.apply(&tables, "tables.sql");
        assert_eq!(replay.problems, []);
        let statements = statements.lines().filter(|line| !line.starts_with("--") && !line.is_empty());
        let statements = statements.map(|line| line.trim_end_matches(';').to_owned()).collect();
        Cases { tables, schema: replay.schema, statements }
    }

    /// The differences between the engine and the database for a statement; the first plan is the one that
    /// uses indexes wherever possible.
    fn difference(&self, sql: &str, plans: &[Vec<Read>]) -> Option<String> {
        let query = resolve(sql, self.schema.dialect, Some(&self.schema)).expect("it parses");
        let mut said: Vec<(String, bool)> = accesses(&query, &self.schema)
            .into_iter()
            .map(|access| (access.alias, access.verdict == Verdict::Served))
            .collect();
        let reads = plans.first().map_or(&[] as &[Read], Vec::as_slice);
        let mut wrong: Vec<(bool, String)> = Vec::new();
        let mut open: Vec<&Read> = Vec::new();
        // A plan does not tell which of several references to a table it means, so equal verdicts are matched
        // first.
        for read in reads {
            let allowed: Vec<bool> = plans
                .iter()
                .flatten()
                .filter(|other| other.alias == read.alias)
                .flat_map(|other| [other.is_served, other.is_served && !other.is_open])
                .collect();
            let agreeing =
                said.iter().position(|(alias, served)| read.is_of(alias) && allowed.contains(served));
            match agreeing {
                Some(at) => drop(said.remove(at)),
                None => open.push(read),
            }
        }
        for read in open {
            let Some(at) = said.iter().position(|(alias, _)| read.is_of(alias)) else { continue };
            let (alias, served) = said.remove(at);
            let here = if served { "served" } else { "not served" };
            wrong.push((served, format!("    {alias} is {here} here, there: {}", read.said)));
        }
        // Row counts decide which side of a join is read in full.
        let searched = wrong.iter().filter(|(served, _)| *served).count();
        if wrong.len() == 2 * searched {
            return None;
        }
        let lines: Vec<String> = wrong.into_iter().map(|(_, line)| line).collect();
        Some(format!("{sql}\n{}", lines.join("\n")))
    }
}

/// Fails with all statements on which the engine and the database disagree.
#[track_caller]
fn assert_agreement(differences: &[String], statements: usize, least: usize) {
    assert!(statements >= least, "{statements} statements are not all of them");
    let count = differences.len();
    assert!(differences.is_empty(), "{count} of {statements} differ:\n{}", differences.join("\n"));
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn verdicts_are_those_of_postgres() {
    with_postgres(|pool| async move {
        let cases = Cases::of(Dialect::Postgres);
        let mut connection = pool.acquire().await.expect("a connection").detach();
        let make = sqlx::raw_sql(AssertSqlSafe(cases.tables.clone()));
        connection.execute(make).await.expect("make the tables");
        let empty = distinct::postgres(&mut connection).await.expect("fill the tables");
        assert_eq!(empty, Vec::<String>::new());
        let mut differences = Vec::new();
        for sql in &cases.statements {
            let plans = plans::postgres::plans(&mut connection, sql).await.expect("a connection");
            let [natural, forced] = plans.unwrap_or_else(|why| panic!("{why}: {sql}"));
            differences.extend(cases.difference(sql, &[forced, natural]));
        }
        connection.close().await.expect("close the connection");
        assert_agreement(&differences, cases.statements.len(), 745);
    })
    .await;
}

#[tokio::test]
#[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
async fn verdicts_are_those_of_mysql() {
    const ROWS: &str = "
        INSERT INTO users SELECT n, concat('e', n), concat('n', n), concat('b', n), n, n % 2, if(n % 2, 'a', 'b'),
            now() - interval n minute, concat('c', n), unhex(lpad(hex(n), 32, '0')) FROM numbers;
        INSERT INTO events SELECT n, n, concat('k', n), concat('p', n), n, n, now() - interval n minute,
            json_object('a', n) FROM numbers;
        INSERT INTO logs SELECT n, n, concat('l', n) FROM numbers;
        INSERT INTO narrow SELECT n, concat('n', n), concat('p', n) FROM numbers;
        INSERT INTO wide SELECT n, concat('n', n), concat('o', n) FROM numbers;
        ANALYZE TABLE users, events, logs, narrow, wide;";
    with_mysql(|pool| async move {
        let cases = Cases::of(Dialect::MySql);
        let mut connection = pool.acquire().await.expect("a connection").detach();
        let numbers = "CREATE TABLE numbers AS WITH RECURSIVE n (n) AS \
                       (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 900) SELECT n FROM n;";
        for script in [&cases.tables, numbers, ROWS] {
            let script = sqlx::raw_sql(AssertSqlSafe(script.to_owned()));
            connection.execute(script).await.expect("make and fill the tables");
        }
        let mut differences = Vec::new();
        for sql in &cases.statements {
            let plan = plans::mysql::plan(&mut connection, sql).await;
            let plan = plan.unwrap_or_else(|error| panic!("{error}: {sql}"));
            differences.extend(cases.difference(sql, &[plan]));
        }
        connection.close().await.expect("close the connection");
        assert_agreement(&differences, cases.statements.len(), 100);
    })
    .await;
}

#[tokio::test]
async fn verdicts_are_those_of_sqlite() {
    let cases = Cases::of(Dialect::Sqlite);
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.expect("open a database");
    connection.execute(sqlx::raw_sql(AssertSqlSafe(cases.tables.clone()))).await.expect("make the tables");
    let mut differences = Vec::new();
    for sql in &cases.statements {
        let plan = plans::sqlite::plan(&mut connection, sql).await.expect("a connection");
        let plan = plan.unwrap_or_else(|why| panic!("{why}: {sql}"));
        differences.extend(cases.difference(sql, &[plan]));
    }
    assert_agreement(&differences, cases.statements.len(), 235);
}
