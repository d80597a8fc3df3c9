//! Derived types compared with a live PostgreSQL: with its own `describe` of generated statements.

mod joins;
mod proven;
mod statements;

use std::collections::BTreeMap;

use crate::sqlx_type;

use query_budget_analysis::schema::{Replay, Schema};
use query_budget_analysis::sql::{Dialect, resolve};
use query_budget_analysis::types::{Known, Planned, describe_planned};
use query_budget_tests::with_postgres;
use sqlx::{AssertSqlSafe, Either, Executor as _, PgPool, SqlSafeStr as _};

const FIXTURE: &str = include_str!("../../../fixtures/types/postgres.sql");

/// The maximum number of statements without a type, or without the error that the server reports: a function
/// that is not unique, a column that is set twice, and a literal in two parts on one line.
const MOST_SILENT: usize = 3;

/// Statements that servers take since version 18, whose types are told for every version. An older server is not asked.
const LATER: [&str; 5] = [
    "SELECT max(by) AS x FROM samples",
    "SELECT min(by) AS x FROM samples",
    "SELECT reverse(by) AS x FROM samples",
    "SELECT max(by) OVER (PARTITION BY t ORDER BY id) AS x FROM samples",
    "SELECT by::int AS x FROM samples",
];

/// The result for one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Agrees,
    /// The server rejects it, and so do we.
    Refused,
    /// A type is missing, or an error is not detected.
    Silent,
    Wrong,
}

fn schema() -> Schema {
    let mut replay = Replay::new(Dialect::Postgres);
    replay.apply(FIXTURE, "postgres.sql");
    assert_eq!(replay.problems, []);
    replay.schema
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn types_agree_with_the_server() {
    with_postgres(|pool| async move {
        sqlx::raw_sql(FIXTURE).execute(&pool).await.expect("make the tables");
        let schema = schema();
        let mut counts: BTreeMap<(&str, Verdict), usize> = BTreeMap::new();
        let mut wrong = Vec::new();
        let statements = statements::all();
        assert!(statements.len() >= 2_000, "{} statements", statements.len());
        let version: i32 = sqlx::query_scalar("SELECT current_setting('server_version_num')::int")
            .fetch_one(&pool)
            .await
            .expect("the version");
        let is_too_new = |sql: &str| version < 180_000 && LATER.contains(&sql);
        for (group, sql) in statements.iter().filter(|(_, sql)| !is_too_new(sql)) {
            let (verdict, why) = judge(&pool, &schema, sql).await;
            *counts.entry((group, verdict)).or_default() += 1;
            let shown = std::env::var("QUERY_BUDGET_SHOW").is_ok_and(|wanted| wanted == "silent");
            if verdict == Verdict::Wrong || shown && verdict == Verdict::Silent {
                wrong.push(format!("{verdict:?} {group}: {sql}\n    {why}"));
            }
        }
        for ((group, verdict), count) in &counts {
            println!("{group:<16}{:<10}{count:>6}", format!("{verdict:?}"));
        }
        let of =
            |wanted: Verdict| counts.iter().filter(|((_, v), _)| *v == wanted).map(|(_, n)| n).sum::<usize>();
        assert_eq!(of(Verdict::Wrong), 0, "{}", wrong.join("\n"));
        let silent = of(Verdict::Silent);
        assert!(silent <= MOST_SILENT, "{silent} are silent\n{}", wrong.join("\n"));
    })
    .await;
}

async fn judge(pool: &PgPool, schema: &Schema, sql: &str) -> (Verdict, String) {
    let mut connection = pool.acquire().await.expect("a connection");
    let truth = (&mut *connection).describe(AssertSqlSafe(sql.to_owned()).into_sql_str()).await;
    let query = match resolve(sql, Dialect::Postgres, Some(schema)) {
        Ok(query) => query,
        Err(error) => return (Verdict::Wrong, format!("it does not parse: {error}")),
    };
    let found = describe_planned(&query, schema, Dialect::Postgres, Planned::ForNulls);
    let errors: Vec<&str> = found.errors.iter().map(|error| error.message.as_str()).collect();
    let truth = match truth {
        Ok(truth) => truth,
        Err(error) => {
            let untold = found.parameters.iter().any(|parameter| parameter.ty.known().is_none());
            let refused = !errors.is_empty() || !query.problems.is_empty() || untold;
            let verdict = if refused { Verdict::Refused } else { Verdict::Silent };
            return (verdict, format!("the server says {error}"));
        }
    };
    if !errors.is_empty() {
        return (Verdict::Wrong, format!("the server takes it, and we say {errors:?}"));
    }
    let mut silent = None;
    if found.columns.len() != truth.columns.len() {
        let verdict = if found.unknown.is_some() { Verdict::Silent } else { Verdict::Wrong };
        return (verdict, format!("{} columns, {} in truth", found.columns.len(), truth.columns.len()));
    }
    for ((column, real), nullable) in found.columns.iter().zip(&truth.columns).zip(&truth.nullable) {
        let real = serde_json::to_value(real).expect("JSON")["type_info"].clone();
        match &column.ty {
            Known::Is(ty) if sqlx_type::json(ty) != real => {
                return (
                    Verdict::Wrong,
                    format!("{}: {} and {real} in truth", column.name, sqlx_type::json(ty)),
                );
            }
            Known::Is(_) => {}
            Known::Unknown(why) => silent = Some(why.clone()),
        }
        if column.nullable != *nullable && column.nullable_certain {
            return (
                Verdict::Wrong,
                format!("{}: nullable {:?} and {nullable:?} in truth", column.name, column.nullable),
            );
        }
    }
    let Some(Either::Left(parameters)) = truth.parameters else {
        return (Verdict::Wrong, "no parameters".to_owned());
    };
    for (parameter, real) in found.parameters.iter().zip(&parameters) {
        let real = serde_json::to_value(real).expect("JSON");
        match &parameter.ty {
            Known::Is(ty) if sqlx_type::json(ty) != real => {
                return (Verdict::Wrong, format!("a parameter: {} and {real} in truth", sqlx_type::json(ty)));
            }
            Known::Is(_) => {}
            Known::Unknown(why) => silent = Some(why.clone()),
        }
    }
    match silent {
        Some(why) => (Verdict::Silent, why),
        None => (Verdict::Agrees, String::new()),
    }
}
