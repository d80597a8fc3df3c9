//! Rewritten conditions against real databases: the rewrite of a condition that is called equivalent selects the same rows, at the
//! edges of days, months and years as well, and every rewrite is taken by the database.

use query_budget_analysis::check::Checker;
use query_budget_analysis::config::Config;
use query_budget_analysis::finding::{Applicability, Finding, Target};
use query_budget_analysis::schema::{Replay, Schema};
use query_budget_analysis::sql::Dialect;
use query_budget_tests::{with_mysql, with_postgres};
use sqlx::{AssertSqlSafe, Connection, MySqlPool, PgPool, Row, SqliteConnection};

/// Conditions for every dialect; `?` is a parameter.
const CONDITIONS: &[&str] = &[
    "date(ts) = '2026-03-01'",
    "date(ts) < '2026-03-01'",
    "date(ts) <= '2026-03-01'",
    "date(ts) > '2026-03-01'",
    "date(ts) >= '2026-03-01'",
    "'2026-03-01' >= date(ts)",
    "date(ts) BETWEEN '2026-02-28' AND '2026-03-01'",
    "date(ts) = CURRENT_DATE",
    "date(ts) >= CURRENT_DATE",
    "date(ts) = date('2026-03-01')",
    "date(ts) = (SELECT max(d) FROM e)",
    "date(ts) = '2026-03-01 10:00:00'",
    "date(ts) < '2026-03-01 10:00:00'",
    "date(ts) >= CURRENT_TIMESTAMP",
    "date(ts) = ?",
    "date(ts) <= ?",
    "n + 1 > 5",
    "n - 1 = 5",
    "5 - n > 1",
    "5 < 1 + n",
    "n + 1 = ?",
    "\"createdAt\" + 1 = 3",
];

const POSTGRES: &[&str] = &[
    "ts::date = '2026-03-01'",
    "ts::date = $1",
    "ts::date = $1::date",
    "ts::date = CURRENT_DATE",
    "ts::date > CURRENT_DATE - 7",
    "ts::date >= CURRENT_DATE - $1::int",
    "ts::date < now() - interval '7 days'",
    "ts::date >= now() - interval '7 days'",
    "ts::date = timestamp '2026-03-01 10:00'",
    "ts::date >= '2026-03-01'::date + interval '10 hours'",
    "ts::date = 'infinity'",
    "ts::date <= 'infinity'::date",
    "ts::date = '5874897-12-31'",
    "ts::date = now()::date",
    "ts::date = make_date(2026, 3, 1)",
    "tz::date = $1",
    "date(tz) = CURRENT_DATE",
    "extract(year FROM ts) = 2026",
    "extract(year FROM ts) = -1",
    "extract(year FROM ts) = $1",
    "extract(year FROM ts) = extract(year FROM now())",
    "extract(epoch FROM ts) >= 1772323200",
    "extract(epoch FROM tz) < $1",
    "date_trunc('month', ts) = '2026-03-01'",
    "date_trunc('quarter', tz) = $1",
    "date_trunc('day', ts) = $1::timestamp",
    "date_trunc('day', ts) = now()",
    "date_trunc('day', tz) = CURRENT_DATE",
    "date_trunc('week', ts) = date_trunc('week', now())",
    "ts + interval '1 day' < now()",
    "ts + interval '1 day' < $1",
    "ts - interval '1 day' < $1",
    "ts + $1 < now()",
    "ts - $1 < interval '1 day'",
    "ts - now() > interval '-3 days'",
    "now() - ts > interval '1 day'",
    "now() - ts > $1",
    "n + $1 = $2",
    "n::int8 = 5",
    "n::text = '5'",
    "ts::date BETWEEN SYMMETRIC '2026-03-01' AND '2026-02-28'",
    "ts::date = (random() * 0)::int + date '2026-03-01'",
    "(SELECT count(*) FROM e f WHERE f.n::bigint = e.big) > 0",
    "(SELECT count(*) FROM e f WHERE f.ts::date >= e.d) > 3",
    "id IN (SELECT f.id FROM e f WHERE f.n + 1 = e.n)",
    "n::smallint = $1",
    "big::int = $1",
];

const MYSQL: &[&str] = &[
    "DATE(ts) = CURDATE()",
    "DATE(ts) < NOW() - INTERVAL 7 DAY",
    "DATE(ts) >= DATE(NOW() - INTERVAL 7 DAY)",
    "YEAR(ts) = 2026",
    "YEAR(ts) = 26",
    "YEAR(ts) = 9999",
    "YEAR(ts) = YEAR(NOW())",
    "ts + INTERVAL 1 DAY < NOW()",
    "ts - INTERVAL 1 MONTH = '2026-02-28 23:59:59'",
];

const SQLITE: &[&str] =
    &["date(ts) >= date('now', '-7 days')", "date(ts) < datetime('now', '-7 days')", "date(ts) = date(?1)"];

/// Times at the edges of days, months, and years.
const TIMES: &[&str] = &[
    "2024-02-28 23:59:59",
    "2024-02-29 00:00:00",
    "2024-12-31 23:59:59",
    "2025-01-01 00:00:00",
    "2025-12-31 23:59:59",
    "2026-01-01 00:00:00",
    "2026-02-28 00:00:00",
    "2026-02-28 23:59:59",
    "2026-03-01 00:00:00",
    "2026-03-01 00:00:01",
    "2026-03-01 10:00:00",
    "2026-03-01 23:59:59",
    "2026-03-02 00:00:00",
    "2026-12-31 23:59:59",
];

fn tables(dialect: Dialect) -> String {
    let (zoned, quoted) = match dialect {
        Dialect::Postgres => ("timestamptz", "\"createdAt\""),
        Dialect::MySql => ("timestamp NULL", "`createdAt`"),
        Dialect::Sqlite => ("timestamp", "\"createdAt\""),
    };
    let time = if dialect == Dialect::MySql { "datetime" } else { "timestamp" };
    format!(
        "CREATE TABLE e (id INTEGER PRIMARY KEY, ts {time}, tz {zoned}, d date, n integer, big bigint, {quoted} integer);
         CREATE INDEX e_ts ON e (ts); CREATE INDEX e_tz ON e (tz); CREATE INDEX e_n ON e (n);
         CREATE INDEX e_big ON e (big); CREATE INDEX e_created ON e ({quoted});"
    )
}

fn rows() -> String {
    let row = |(id, time): (usize, &&str)| {
        let day = time.get(..10).unwrap_or_default();
        format!("({id}, '{time}', '{time}', '{day}', {id}, {id}, {id})")
    };
    let rows: Vec<String> = TIMES.iter().enumerate().map(row).collect();
    format!("INSERT INTO e VALUES {}", rows.join(", "))
}

/// A condition, and what it is rewritten to.
struct Rewritten {
    before: String,
    after: String,
    is_equal: bool,
}

/// Those of the conditions that are rewritten.
fn rewritten(dialect: Dialect, own: &[&str]) -> Vec<Rewritten> {
    let mut replay = Replay::new(dialect);
    replay.apply(&tables(dialect), "tables.sql");
    let schema: Schema = replay.schema;
    let config = Config::default();
    let checker = Checker::new(&config, Some(&schema), dialect);
    let shared = CONDITIONS.iter().map(|condition| match dialect {
        Dialect::Postgres => condition.replace('?', "$1"),
        Dialect::MySql => condition.replace('"', "`"),
        Dialect::Sqlite => (*condition).to_owned(),
    });
    let all = shared.chain(own.iter().map(|condition| (*condition).to_owned()));
    let one = |condition: String| {
        let before = format!("SELECT id FROM e WHERE {condition}");
        let findings = checker.bare(&before, &[]).findings;
        let is_wrapped = |finding: &&Finding| matches!(finding.lint, "function_on_column" | "cast_on_column");
        let finding = findings.iter().find(is_wrapped);
        let finding = finding.unwrap_or_else(|| panic!("nothing is found: {before}"));
        let edit = finding.edits.iter().find(|edit| edit.target == Target::Sql)?;
        let mut after = before.clone();
        after.replace_range(edit.span.clone(), &edit.replacement);
        Some(Rewritten { before, after, is_equal: edit.applicability == Applicability::Machine })
    };
    all.filter_map(one).collect()
}

/// The rows that a query without values selects.
macro_rules! selected {
    ($connection:expr, $sql:expr) => {
        sqlx::query(AssertSqlSafe($sql.clone()))
            .fetch_all($connection)
            .await
            .unwrap_or_else(|error| panic!("{}: {error}", $sql))
            .iter()
            .map(|row| i64::from(row.get::<i32, _>(0)))
            .collect::<Vec<i64>>()
    };
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn postgres_selects_the_same_rows() {
    with_postgres(|pool: PgPool| async move {
        sqlx::raw_sql(AssertSqlSafe(tables(Dialect::Postgres))).execute(&pool).await.expect("tables");
        sqlx::raw_sql(AssertSqlSafe(rows())).execute(&pool).await.expect("rows");
        let ends = "INSERT INTO e VALUES (900, 'infinity', 'infinity', 'infinity', 0, 0, 0), (901, '-infinity', '-infinity', NULL, 0, 0, 0)";
        sqlx::raw_sql(ends).execute(&pool).await.expect("rows without an end");
        let now = "INSERT INTO e SELECT 950 + h, now() - h * interval '6 hours' FROM generate_series(0, 40) h";
        sqlx::raw_sql(now).execute(&pool).await.expect("rows of today");
        let all = rewritten(Dialect::Postgres, POSTGRES);
        assert!(all.len() > 30, "{} are rewritten", all.len());
        for (number, it) in all.iter().enumerate() {
            let prepare = format!("PREPARE s{number} AS {}", it.after);
            if let Err(error) = sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&pool).await {
                panic!("{}\n{}\n{error}", it.before, it.after);
            }
            if it.is_equal && !it.before.contains('$') {
                let (before, after) = (selected!(&pool, it.before), selected!(&pool, it.after));
                assert_eq!(before, after, "{}\n{}", it.before, it.after);
            }
        }
    })
    .await;
}

#[tokio::test]
#[cfg_attr(not(has_mysql), ignore = "QUERY_BUDGET_TEST_MYSQL is not set")]
async fn mysql_selects_the_same_rows() {
    with_mysql(|pool: MySqlPool| async move {
        sqlx::raw_sql(AssertSqlSafe(tables(Dialect::MySql))).execute(&pool).await.expect("tables");
        sqlx::raw_sql(AssertSqlSafe(rows())).execute(&pool).await.expect("rows");
        let all = rewritten(Dialect::MySql, MYSQL);
        assert!(all.len() > 15, "{} are rewritten", all.len());
        for it in all {
            if it.before.contains('?') {
                sqlx::query(AssertSqlSafe(it.after.clone()))
                    .bind("2026-03-01")
                    .fetch_all(&pool)
                    .await
                    .unwrap_or_else(|error| panic!("{}: {error}", it.after));
            } else if it.is_equal {
                let (before, after) = (selected!(&pool, it.before), selected!(&pool, it.after));
                assert_eq!(before, after, "{}\n{}", it.before, it.after);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn sqlite_takes_what_is_rewritten() {
    let mut connection = SqliteConnection::connect("sqlite::memory:").await.expect("open a database");
    sqlx::raw_sql(AssertSqlSafe(tables(Dialect::Sqlite))).execute(&mut connection).await.expect("tables");
    sqlx::raw_sql(AssertSqlSafe(rows())).execute(&mut connection).await.expect("rows");
    let all = rewritten(Dialect::Sqlite, SQLITE);
    assert!(all.len() > 10, "{} are rewritten", all.len());
    for it in all {
        // Bound to nothing, a parameter is NULL.
        let (before, after) = (selected!(&mut connection, it.before), selected!(&mut connection, it.after));
        // Texts of this form sort like times.
        assert_eq!(before, after, "{}\n{}", it.before, it.after);
    }
}
