//! Generic plans of PostgreSQL: the planner's own choice, and one with alternatives to indexes priced out.

use std::collections::HashMap;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};

use super::Read;

/// What the second plan avoids wherever possible.
const PRICED_OUT: [&str; 5] = ["seqscan", "hashjoin", "mergejoin", "sort", "hashagg"];

/// What has to be known from the catalog to read a plan.
struct Known {
    /// The partial indexes: a full scan of one counts as a search.
    partial: Vec<String>,
    /// The first keys of multi-column indexes, as a condition names them.
    first_keys: HashMap<String, String>,
}

impl Known {
    /// Whether a node searches its index by the first key, rather than scanning it in full and comparing
    /// others.
    fn is_led(&self, node: &Value) -> bool {
        let Some(condition) = node["Index Cond"].as_str() else { return false };
        let first = node["Index Name"].as_str().and_then(|index| self.first_keys.get(index));
        let Some(first) = first.map(|first| first.trim_start_matches('(').trim_end_matches(')')) else {
            return true;
        };
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        condition.match_indices(first).any(|(at, _)| {
            !condition[..at].ends_with(is_part) && !condition[at + first.len()..].starts_with(is_part)
        })
    }
}

/// The plans of a query: the planner's own, and the one that uses indexes wherever possible. An inner error
/// is why the database cannot plan it.
///
/// # Errors
///
/// If the connection breaks.
pub async fn plans(connection: &mut PgConnection, sql: &str) -> sqlx::Result<Result<[Vec<Read>; 2], String>> {
    connection.execute("SET plan_cache_mode = force_generic_plan; SET jit = off").await?;
    let partial: Vec<String> = sqlx::query_scalar(
        "SELECT relname::text FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indpred IS NOT NULL",
    )
    .fetch_all(&mut *connection)
    .await?;
    let first_keys: Vec<(String, String)> = sqlx::query_as(
        "SELECT c.relname::text, pg_get_indexdef(indexrelid, 1, true) FROM pg_index \
         JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = c.relam \
         WHERE indnkeyatts > 1 AND a.amname IN ('btree', 'gist', 'spgist')",
    )
    .fetch_all(&mut *connection)
    .await?;
    let known = Known { partial, first_keys: first_keys.into_iter().collect() };
    let mut plans = Vec::new();
    for state in ["on", "off"] {
        for way in PRICED_OUT {
            connection.execute(AssertSqlSafe(format!("SET enable_{way} = {state}"))).await?;
        }
        match explained(connection, sql).await? {
            Ok(plan) => plans.push(reads(&plan, &known)),
            Err(why) => return Ok(Err(why)),
        }
    }
    let forced = plans.pop().unwrap_or_default();
    Ok(Ok([plans.pop().unwrap_or_default(), forced]))
}

async fn explained(connection: &mut PgConnection, sql: &str) -> sqlx::Result<Result<Value, String>> {
    let sql = sql.trim_end().trim_end_matches(';');
    let prepare = sqlx::raw_sql(AssertSqlSafe(format!("PREPARE planned AS {sql}\n")));
    if let Err(error) = connection.execute(prepare).await {
        return Ok(Err(error.to_string()));
    }
    let count = "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'planned'";
    let count: i32 = connection.fetch_one(sqlx::raw_sql(count)).await?.try_get(0)?;
    let nulls = vec!["NULL"; usize::try_from(count).unwrap_or(0)].join(", ");
    let arguments = if nulls.is_empty() { nulls } else { format!("({nulls})") };
    let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE planned{arguments}");
    let row = connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(explain))).await;
    connection.execute(sqlx::raw_sql("DEALLOCATE planned")).await?;
    let text: String = match row {
        Ok(row) => row.try_get_unchecked(0)?,
        Err(error) => return Ok(Err(error.to_string())),
    };
    Ok(serde_json::from_str(&text).map_err(|error| error.to_string()))
}

/// The reads of tables in a plan.
fn reads(plan: &Value, known: &Known) -> Vec<Read> {
    let mut reads = Vec::new();
    let mut nodes: Vec<&Value> = plan.as_array().into_iter().flatten().map(|plan| &plan["Plan"]).collect();
    while let Some(node) = nodes.pop() {
        if let (Some(kind), Some(table)) = (node["Node Type"].as_str(), node["Relation Name"].as_str())
            && kind.ends_with("Scan")
        {
            reads.push(read(node, kind, table, known));
        }
        nodes.extend(node["Plans"].as_array().into_iter().flatten());
    }
    reads
}

fn read(node: &Value, kind: &str, table: &str, known: &Known) -> Read {
    // The bitmap of an index search is below the scan of the table.
    let mut parts = vec![node];
    let mut nodes = vec![node];
    while let Some(node) = nodes.pop() {
        let is_bitmap = |child: &&Value| {
            matches!(child["Node Type"].as_str(), Some("Bitmap Index Scan" | "BitmapAnd" | "BitmapOr"))
        };
        let below: Vec<&Value> = node["Plans"].as_array().into_iter().flatten().filter(is_bitmap).collect();
        parts.extend(&below);
        nodes.extend(below);
    }
    let indexes: Vec<String> =
        parts.iter().filter_map(|part| part["Index Name"].as_str()).map(str::to_owned).collect();
    let searches = parts.iter().any(|part| part["TID Cond"].is_string() || known.is_led(part));
    let mut said = format!("{kind} of {table} by {indexes:?}");
    for what in ["Index Cond", "Filter"] {
        for text in parts.iter().filter_map(|part| part[what].as_str()) {
            said += &format!(", {what} {text}");
        }
    }
    let walks_partial = indexes.iter().any(|index| known.partial.contains(index));
    Read {
        alias: node["Alias"].as_str().unwrap_or(table).to_owned(),
        is_served: searches || walks_partial,
        is_open: !searches
            && walks_partial
            && parts.iter().any(|part| part["Filter"].is_string() || part["Index Cond"].is_string()),
        indexes,
        said,
    }
}
