//! The database's plan for a slow statement: requested in debug builds, once per statement, without running
//! it.

use std::any::Any;
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{Connection, Database, Pool};

use super::watch;
use crate::site::Site;

type Explained = Pin<Box<dyn Future<Output = sqlx::Result<String>>>>;

/// Asks one database for plans, on a separate connection.
#[derive(Clone)]
pub(super) struct Explainer(Arc<dyn Fn(&'static str) -> Explained + Send + Sync>);

impl Explainer {
    /// For the database of a pool; `None` if it is not supported.
    pub(super) fn of<DB: Database>(pool: &Pool<DB>) -> Option<Self> {
        let options: &dyn Any = &pool.connect_options();
        #[cfg(feature = "postgres")]
        if let Some(options) = options.downcast_ref::<Arc<sqlx::postgres::PgConnectOptions>>() {
            let options = Arc::clone(options);
            return Some(Self(Arc::new(move |sql| Box::pin(postgres(Arc::clone(&options), sql)))));
        }
        #[cfg(feature = "mysql")]
        if let Some(options) = options.downcast_ref::<Arc<sqlx::mysql::MySqlConnectOptions>>() {
            let options = Arc::clone(options);
            return Some(Self(Arc::new(move |sql| Box::pin(mysql(Arc::clone(&options), sql)))));
        }
        #[cfg(feature = "sqlite")]
        if let Some(options) = options.downcast_ref::<Arc<sqlx::sqlite::SqliteConnectOptions>>() {
            let options = Arc::clone(options);
            return Some(Self(Arc::new(move |sql| Box::pin(sqlite(Arc::clone(&options), sql)))));
        }
        let _ = options;
        None
    }
}

/// Reports the plan of the statement at a site, if it only reads and was not reported before.
pub(crate) fn tell_plan(site: &'static Site) {
    static TOLD: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let explainers = watch::explainers();
    if explainers.is_empty() || !reads(site.sql) || !told.insert(std::ptr::from_ref(site).addr()) {
        return;
    }
    drop(told);
    // A slow statement may end together with its runtime, so this has a thread and a runtime of its own.
    let subscriber = tracing::dispatcher::get_default(Clone::clone);
    let ask = move || {
        tracing::dispatcher::with_default(&subscriber, || {
            sqlx::__rt::test_block_on(async {
                for Explainer(explain) in explainers {
                    if let Ok(plan) = explain(site.sql).await {
                        crate::counting::slow::plan(site, &plan);
                        break;
                    }
                }
            });
        });
    };
    // If no thread can be started there is no plan, which does no harm.
    let _ = std::thread::Builder::new().name("query-budget-plan".to_owned()).spawn(ask);
}

/// Whether the statement only reads, judging by its keywords.
fn reads(sql: &str) -> bool {
    let words = || sql.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    let is = |word: &str, others: &[&str]| others.iter().any(|other| word.eq_ignore_ascii_case(other));
    words().next().is_some_and(|word| is(word, &["SELECT", "WITH"]))
        && !words().any(|word| is(word, &["INSERT", "UPDATE", "DELETE", "MERGE", "INTO"]))
        && !sql.contains(';')
}

/// The generic plan, of a statement that is prepared and deallocated.
#[cfg(feature = "postgres")]
async fn postgres(options: Arc<sqlx::postgres::PgConnectOptions>, sql: &'static str) -> sqlx::Result<String> {
    let mut connection = sqlx::PgConnection::connect_with(&options).await?;
    let nulls = vec!["NULL"; placeholders(sql)].join(", ");
    let values = if nulls.is_empty() { String::new() } else { format!("({nulls})") };
    let set_up = format!(
        "BEGIN READ ONLY; SET LOCAL plan_cache_mode = force_generic_plan; PREPARE query_budget_plan AS {sql}"
    );
    sqlx::raw_sql(crate::driver::built(&set_up)).execute(&mut connection).await?;
    let explain = format!("EXPLAIN EXECUTE query_budget_plan{values}");
    let rows = sqlx::raw_sql(crate::driver::built(&explain)).fetch_all(&mut connection).await?;
    connection.close().await?;
    lines(&rows, |row| sqlx::Row::try_get::<String, _>(row, 0))
}

/// The highest placeholder number.
#[cfg(feature = "postgres")]
fn placeholders(sql: &str) -> usize {
    let number = |part: &str| {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part.get(..end).and_then(|digits| digits.parse().ok())
    };
    sql.split('$').skip(1).filter_map(number).max().unwrap_or_default()
}

/// A plan depends on values here; each is assumed to be 1.
#[cfg(feature = "mysql")]
async fn mysql(options: Arc<sqlx::mysql::MySqlConnectOptions>, sql: &'static str) -> sqlx::Result<String> {
    use sqlx::Row;

    let mut connection = sqlx::MySqlConnection::connect_with(&options).await?;
    sqlx::raw_sql("START TRANSACTION READ ONLY").execute(&mut connection).await?;
    let explain = format!("EXPLAIN {sql}");
    let mut explain = sqlx::query(crate::driver::built(&explain)).persistent(false);
    for _ in sql.matches('?') {
        explain = explain.bind("1");
    }
    let rows = explain.fetch_all(&mut connection).await?;
    connection.close().await?;
    lines(&rows, |row| {
        let text = |name| row.try_get::<Option<String>, _>(name).ok().flatten().unwrap_or("-".to_owned());
        Ok(format!("{}: {}, key {}; {}", text("table"), text("type"), text("key"), text("Extra")))
    })
}

#[cfg(feature = "sqlite")]
async fn sqlite(options: Arc<sqlx::sqlite::SqliteConnectOptions>, sql: &'static str) -> sqlx::Result<String> {
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
    let explain = format!("EXPLAIN QUERY PLAN {sql}");
    let rows =
        sqlx::query(crate::driver::built(&explain)).persistent(false).fetch_all(&mut connection).await?;
    connection.close().await?;
    lines(&rows, |row| sqlx::Row::try_get::<String, _>(row, "detail"))
}

fn lines<R>(rows: &[R], line: impl Fn(&R) -> sqlx::Result<String>) -> sqlx::Result<String> {
    Ok(rows.iter().map(line).collect::<sqlx::Result<Vec<_>>>()?.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_only_read() {
        for sql in
            ["SELECT 1", " (SELECT 1)", "WITH a AS (SELECT 1) SELECT * FROM a", "select updated FROM t"]
        {
            assert!(reads(sql), "{sql}");
        }
        for sql in [
            "UPDATE t SET a = 1",
            "WITH a AS (DELETE FROM t RETURNING id) SELECT * FROM a",
            "SELECT 1 INTO t",
            "SELECT 1; DROP TABLE t",
            "",
        ] {
            assert!(!reads(sql), "{sql}");
        }
    }
}
