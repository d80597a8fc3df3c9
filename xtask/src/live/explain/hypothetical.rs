//! Advised indexes, tried as hypothetical ones: the extension `hypopg` lets the planner of one session see indexes that
//! are not there. Nothing is written; the extension has to be in the database already.

use query_budget_analysis::sql::Dialect;

use super::{Planner, guard, postgres};

/// What came of trying an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tried {
    /// It would be used by so many of the queries that it is for.
    Used(usize),
    /// It could not be tried, in the server's words.
    Not(String),
}

/// Whether hypothetical indexes can be made, and why not.
pub(crate) async fn can_try(planner: &mut Planner) -> Result<(), String> {
    if planner.dialect() != Dialect::Postgres {
        return Err("hypothetical indexes are tried on PostgreSQL alone".to_owned());
    }
    let installed = guard::alone(
        &mut planner.live,
        "SELECT extname::text FROM pg_catalog.pg_extension WHERE extname = 'hypopg'",
    )
    .await?;
    if installed.is_empty() {
        return Err("the extension `hypopg` is not installed in this database".to_owned());
    }
    Ok(())
}

/// Tries one index on the queries that it is for.
pub(crate) async fn try_out(planner: &mut Planner, ddl: &str, queries: &[&str]) -> Tried {
    let tag = "$query_budget$";
    let make = format!("SELECT indexname::text FROM hypopg_create_index({tag}{ddl}{tag})");
    let name = match guard::alone(&mut planner.live, &make).await {
        Ok(rows) => rows.into_iter().flatten().flatten().next(),
        Err(why) => return Tried::Not(why),
    };
    let Some(name) = name else { return Tried::Not("no index was made".to_owned()) };
    let mut used = 0;
    for sql in queries {
        let off = ["seqscan", "hashjoin", "mergejoin"];
        if postgres::explained(&mut planner.live, &planner.postgres, sql, &off)
            .await
            .is_ok_and(|plan| postgres::uses(&plan, &name))
        {
            used += 1;
        }
    }
    // A hypothetical index ends with the session at the latest.
    let _ = guard::alone(&mut planner.live, "SELECT hypopg_reset()").await;
    Tried::Used(used)
}
