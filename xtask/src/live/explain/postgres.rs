//! PostgreSQL: generic plans of a prepared statement, with sequential scans priced out, and by the planner's
//! own choice.

use std::collections::{HashMap, HashSet};

use query_budget_analysis::index::Verdict;
use serde_json::Value;

use super::guard;
use super::reach::Reach;
use super::{Live, PlannedRead, one};
use crate::failure::Failure;

/// The name of the prepared statement.
const NAME: &str = "query_budget_explain";

/// What is priced out, so that an index is used wherever possible: first full scans and in-memory joins; then
/// sorting as well, so that an index that provides the order is walked; finally nothing, for the planner's
/// own choice.
const SETTINGS: [&[&str]; 3] = [
    &["seqscan", "hashjoin", "mergejoin"],
    &["seqscan", "hashjoin", "mergejoin", "sort", "hashagg", "incremental_sort"],
    &[],
];

/// What has to be known from the catalog to read a plan.
#[derive(Default)]
pub(super) struct Known {
    /// The partial indexes: a full scan of one counts as a search.
    partial: HashSet<String>,
    /// The first keys of multi-column indexes, as a condition names them. An index that is searched by other
    /// keys is read in full.
    first_keys: HashMap<String, String>,
    /// The partitions, which a plan names instead of their table.
    partitions: HashSet<String>,
}

impl Known {
    pub(super) async fn read(live: &mut Live) -> Result<(Known, Reach), Failure> {
        live.texts("SET plan_cache_mode = force_generic_plan").await?;
        live.texts("SET jit = off").await?;
        let names = |rows: Vec<super::Texts>| rows.into_iter().flatten().flatten().collect();
        // The session's search path belongs to the user: a query on the catalog must not read a user's table
        // with the same name, nor call an operator of the user.
        let path = live.texts("SELECT pg_catalog.current_setting('search_path')").await?;
        live.texts("SET search_path = pg_catalog").await?;
        let partial = "SELECT relname::text FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indpred IS NOT NULL";
        let partitions = "SELECT relname::text FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid";
        let first_keys = "SELECT c.relname::text, pg_get_indexdef(indexrelid, 1, true) FROM pg_index \
            JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = c.relam \
            WHERE indnkeyatts > 1 AND a.amname IN ('btree', 'gist', 'spgist')";
        let (partial, partitions) = (live.texts(partial).await?, live.texts(partitions).await?);
        let first_keys = live.texts(first_keys).await?;
        let reach = Reach::read(live).await?;
        let path = path.into_iter().flatten().flatten().next().unwrap_or_default();
        live.texts(&format!(
            "SELECT pg_catalog.set_config('search_path', '{}', false)",
            path.replace('\'', "''")
        ))
        .await?;
        let first_keys = first_keys.into_iter().filter_map(|row| {
            let mut texts = row.into_iter().flatten();
            Some((texts.next()?, texts.next()?))
        });
        let first_keys = first_keys.collect();
        Ok((Known { first_keys, partial: names(partial), partitions: names(partitions) }, reach))
    }
}

impl Known {
    /// Whether an index is searched by its first key, rather than scanned in full while comparing others.
    fn leads(&self, index: &str, condition: &str) -> bool {
        let Some(first) = self.first_keys.get(index) else { return true };
        let first = first.trim_start_matches('(').trim_end_matches(')');
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        condition.match_indices(first).any(|(at, _)| {
            let (before, behind) = (condition.get(..at), condition.get(at + first.len()..));
            !before.is_some_and(|text| text.ends_with(is_part))
                && !behind.is_some_and(|text| text.starts_with(is_part))
        })
    }
}

/// The plans of a query, starting with the one that uses indexes wherever possible.
pub(super) async fn plans(
    live: &mut Live,
    known: &Known,
    sql: &str,
) -> Result<Vec<Vec<PlannedRead>>, String> {
    let mut plans = Vec::new();
    for off in SETTINGS {
        let plan = explained(live, sql, off).await?;
        plans.push(steps(&plan, known));
    }
    Ok(plans)
}

/// The plan of a query with these settings priced out.
pub(super) async fn explained(live: &mut Live, sql: &str, off: &[&str]) -> Result<Value, String> {
    guard::begin(live).await?;
    let plan = within(live, sql, off).await;
    guard::roll_back(live).await;
    // It outlives its transaction.
    let _ = one(live, &format!("DEALLOCATE {NAME}")).await;
    plan
}

async fn within(live: &mut Live, sql: &str, off: &[&str]) -> Result<Value, String> {
    for name in off {
        one(live, &format!("SET LOCAL enable_{name} = off")).await?;
    }
    prepared(live, sql).await
}

async fn prepared(live: &mut Live, sql: &str) -> Result<Value, String> {
    one(live, &format!("PREPARE {NAME} AS {sql}")).await?;
    let asked = "SELECT pg_catalog.cardinality(parameter_types)::pg_catalog.text \
        FROM pg_catalog.pg_prepared_statements WHERE name OPERATOR(pg_catalog.=) ";
    let count = one(live, &format!("{asked}'{NAME}'")).await?.into_iter().flatten().flatten().next();
    let count: usize = count.and_then(|count| count.parse().ok()).unwrap_or(0);
    let arguments = if count == 0 { String::new() } else { format!("({})", vec!["NULL"; count].join(", ")) };
    let rows = one(live, &format!("EXPLAIN (FORMAT JSON) EXECUTE {NAME}{arguments}")).await?;
    let text = rows.into_iter().flatten().flatten().next().unwrap_or_default();
    serde_json::from_str(&text).map_err(|error| format!("its plan is not JSON: {error}"))
}

/// The tables that a plan reads.
fn steps(plan: &Value, known: &Known) -> Vec<PlannedRead> {
    let mut steps = Vec::new();
    // Innermost last. A plan is as deep as its query, whose depth the server limits.
    let mut nodes: Vec<(&Value, Around)> =
        plan.as_array().into_iter().flatten().map(|plan| (&plan["Plan"], Around::default())).collect();
    while let Some((node, around)) = nodes.pop() {
        let kind = node["Node Type"].as_str().unwrap_or_default();
        if let (true, Some(table)) = (kind.ends_with("Scan"), node["Relation Name"].as_str()) {
            steps.push(step(node, kind, table, around, known));
        }
        for child in node["Plans"].as_array().into_iter().flatten() {
            nodes.push((child, around.under(node, kind, child)));
        }
    }
    steps
}

/// The ancestors of a node, as far as they affect its meaning.
#[derive(Clone, Copy, Default)]
struct Around {
    /// Whether a LIMIT stops it early, and nothing in between reads it to its end.
    limited: bool,
    /// Whether a join checks its rows one by one.
    filtered: bool,
}

impl Around {
    fn under(self, node: &Value, kind: &str, child: &Value) -> Around {
        let is_inner = child["Parent Relationship"] == "Inner";
        let passes = matches!(kind, "Materialize" | "Memoize");
        let reads_all = matches!(kind, "Sort" | "Aggregate" | "Hash" | "WindowAgg" | "Unique") || is_inner;
        Around {
            limited: kind == "Limit" || (self.limited && !reads_all),
            filtered: (is_inner && node.get("Join Filter").is_some()) || (passes && self.filtered),
        }
    }
}

fn step(node: &Value, kind: &str, table: &str, around: Around, known: &Known) -> PlannedRead {
    let index = node["Index Name"].as_str();
    let alias = node["Alias"].as_str().unwrap_or(table);
    // A partition has its table's alias with a number.
    let alias = match alias.rsplit_once('_') {
        Some((plain, number))
            if known.partitions.contains(table) && number.bytes().all(|b| b.is_ascii_digit()) =>
        {
            plain
        }
        _ => alias,
    };
    let indexes = bitmap_indexes(node);
    let is_partial = |index: &str| known.partial.contains(index);
    let leads = |node: &Value| match (node["Index Name"].as_str(), node["Index Cond"].as_str()) {
        (Some(index), Some(condition)) => known.leads(index, condition),
        (None, Some(_)) => true,
        (_, None) => false,
    };
    let searches =
        leads(node) || node.get("TID Cond").is_some() || indexes.iter().any(|bitmap| leads(bitmap));
    let walks = !searches
        && (node.get("Index Cond").is_some() || indexes.iter().any(|it| it.get("Index Cond").is_some()));
    let walks_partial =
        index.into_iter().chain(indexes.iter().filter_map(|it| it["Index Name"].as_str())).any(is_partial);
    let filter = node["Filter"].as_str();
    let verdicts = if !searches && walks_partial && (filter.is_some() || walks) {
        // A partial index is read in full for some of its rows: how many those are depends on the data.
        vec![Verdict::Served, Verdict::Unserved]
    } else if searches || walks_partial {
        vec![Verdict::Served]
    } else if (filter.is_some() || walks) && around.limited && index.is_some() {
        // Rows come in the wanted order; how many are dropped before the LIMIT is reached depends on the
        // data.
        vec![Verdict::Served, Verdict::Unserved, Verdict::Full]
    } else if filter.is_some() || walks {
        vec![Verdict::Unserved]
    } else if around.filtered {
        vec![Verdict::Unserved, Verdict::Full]
    } else {
        vec![Verdict::Full]
    };
    let mut said = kind.to_owned();
    let names = index.into_iter().chain(indexes.iter().filter_map(|it| it["Index Name"].as_str()));
    let names: Vec<&str> = names.collect();
    if !names.is_empty() {
        said += &format!(" using {}", names.join(", "));
    }
    let condition = node["Index Cond"].as_str().or_else(|| node["Recheck Cond"].as_str());
    if let Some(condition) = condition {
        said += &format!(" on {condition}");
    }
    if let Some(filter) = filter {
        said += &format!(", filter {filter}");
    }
    PlannedRead::new(alias, verdicts, said)
}

/// The index searches below a bitmap scan.
fn bitmap_indexes(node: &Value) -> Vec<&Value> {
    let mut found = Vec::new();
    let mut nodes: Vec<&Value> = vec![node];
    while let Some(node) = nodes.pop() {
        for child in node["Plans"].as_array().into_iter().flatten() {
            match child["Node Type"].as_str() {
                Some("Bitmap Index Scan") => found.push(child),
                Some("BitmapAnd" | "BitmapOr") => nodes.push(child),
                _ => {}
            }
        }
    }
    found
}

/// Whether a plan uses an index.
pub(super) fn uses(plan: &Value, index: &str) -> bool {
    match plan {
        Value::Object(node) => {
            node.get("Index Name").is_some_and(|name| name == index)
                || node.values().any(|it| uses(it, index))
        }
        Value::Array(nodes) => nodes.iter().any(|it| uses(it, index)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn verdicts(plan: Value) -> Vec<(String, Vec<Verdict>)> {
        let known = Known {
            partial: ["open_idx".to_owned()].into(),
            first_keys: [("logs_user_at".to_owned(), "user_id".to_owned())].into(),
            partitions: ["logs_2024".to_owned()].into(),
        };
        let steps = steps(&json!([{ "Plan": plan }]), &known);
        steps.into_iter().map(|step| (step.alias, step.verdicts)).collect()
    }

    fn scan(more: Value) -> Value {
        let mut node = json!({ "Node Type": "Index Scan", "Relation Name": "logs", "Alias": "l", "Index Name": "logs_pkey" });
        for (key, value) in more.as_object().into_iter().flatten() {
            node[key] = value.clone();
        }
        node
    }

    #[test]
    fn a_search_is_told_from_a_walk() {
        for (node, expected) in [
            (scan(json!({ "Index Cond": "(id = $1)" })), vec![Verdict::Served]),
            (scan(json!({ "Index Name": "open_idx" })), vec![Verdict::Served]),
            (
                scan(json!({ "Index Name": "logs_user_at", "Index Cond": "((user_id = $1) AND (at > $2))" })),
                vec![Verdict::Served],
            ),
            (
                scan(json!({ "Index Name": "logs_user_at", "Index Cond": "(at > $1)" })),
                vec![Verdict::Unserved],
            ),
            (
                scan(json!({ "Index Name": "logs_user_at", "Index Cond": "(other_user_id = $1)" })),
                vec![Verdict::Unserved],
            ),
            (scan(json!({ "Filter": "(a = $1)" })), vec![Verdict::Unserved]),
            (scan(json!({})), vec![Verdict::Full]),
            (
                json!({ "Node Type": "Limit", "Plans": [scan(json!({ "Filter": "(a = $1)" }))] }),
                vec![Verdict::Served, Verdict::Unserved, Verdict::Full],
            ),
            (
                json!({ "Node Type": "Limit", "Plans": [{ "Node Type": "Sort", "Plans": [scan(json!({ "Filter": "(a = $1)" }))] }] }),
                vec![Verdict::Unserved],
            ),
            (
                json!({ "Node Type": "Bitmap Heap Scan", "Relation Name": "logs", "Alias": "l", "Plans": [
                    { "Node Type": "BitmapOr", "Plans": [{ "Node Type": "Bitmap Index Scan", "Index Name": "i", "Index Cond": "c" }] }
                ] }),
                vec![Verdict::Served],
            ),
        ] {
            assert_eq!(verdicts(node.clone()), [("l".to_owned(), expected)], "{node}");
        }
    }

    #[test]
    fn what_a_join_checks_row_by_row_is_not_served() {
        let mut inner = scan(json!({}));
        inner["Parent Relationship"] = json!("Inner");
        let join = json!({ "Node Type": "Nested Loop", "Join Filter": "(a = b)", "Plans": [inner] });
        assert_eq!(verdicts(join), [("l".to_owned(), vec![Verdict::Unserved, Verdict::Full])]);
    }

    #[test]
    fn a_partition_goes_by_its_table() {
        let node = scan(json!({ "Relation Name": "logs_2024", "Alias": "logs_1", "Index Cond": "c" }));
        assert_eq!(verdicts(node), [("logs".to_owned(), vec![Verdict::Served])]);
    }

    #[test]
    fn an_index_is_found_wherever_it_is_used() {
        let plan =
            json!([{ "Plan": { "Plans": [{ "Node Type": "Index Scan", "Index Name": "<1>btree_logs" }] } }]);
        assert!(uses(&plan, "<1>btree_logs") && !uses(&plan, "<2>btree_logs"));
    }
}
