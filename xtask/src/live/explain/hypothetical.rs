//! Tries suggested indexes as hypothetical ones: the extension `hypopg` lets the planner of one session see
//! indexes that do not exist. Nothing is written; the extension has to be installed already.

use query_budget_analysis::sql::Dialect;

use super::{Planner, guard, postgres};

/// The outcome of trying an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tried {
    /// The number of queries it is meant for that would use it.
    Used(usize),
    /// It could not be tried; holds the server's message.
    Not(String),
}

/// Checks that hypothetical indexes can be created; an error says why not.
pub(crate) async fn can_try(planner: &mut Planner) -> Result<(), String> {
    if planner.dialect() != Dialect::Postgres {
        return Err("hypothetical indexes are tried on PostgreSQL alone".to_owned());
    }
    let schema = guard::alone(
        &mut planner.live,
        "SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_extension e
            JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) e.extnamespace
            WHERE e.extname OPERATOR(pg_catalog.=) 'hypopg'",
    )
    .await?;
    planner.hypopg = schema
        .into_iter()
        .flatten()
        .flatten()
        .next()
        .ok_or("the extension `hypopg` is not installed in this database")?;
    Ok(())
}

/// Tries one index on the queries it is meant for.
pub(crate) async fn try_out(planner: &mut Planner, ddl: &str, queries: &[&str]) -> Tried {
    let tag = "$query_budget$";
    // Qualified, because a user's schema may contain functions of the same names.
    let hypopg = planner.hypopg.clone();
    let make =
        format!("SELECT indexname::pg_catalog.text FROM {hypopg}.hypopg_create_index({tag}{ddl}{tag})");
    let name = match guard::alone(&mut planner.live, &make).await {
        Ok(rows) => rows.into_iter().flatten().flatten().next(),
        Err(why) => return Tried::Not(why),
    };
    let Some(name) = name else { return Tried::Not("no index was made".to_owned()) };
    let mut used = 0;
    for sql in queries {
        let off = ["seqscan", "hashjoin", "mergejoin"];
        let is_sent = planner.reach.admit(sql).is_ok();
        let plan = if is_sent { postgres::explained(&mut planner.live, sql, &off).await.ok() } else { None };
        used += usize::from(plan.is_some_and(|plan| postgres::uses(&plan, &name)));
    }
    // At the latest, a hypothetical index ends with the session.
    let _ = guard::alone(&mut planner.live, &format!("SELECT {hypopg}.hypopg_reset()")).await;
    Tried::Used(used)
}
