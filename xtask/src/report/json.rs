//! Reports for a machine: one object. Its keys are added to, never renamed.

use std::collections::BTreeMap;

use query_budget_analysis::index::Verdict;
use query_budget_analysis::render::json::{finding, notice, put_place};
use serde_json::{Value, json};

use super::{IndexAdvice, Query, Report};

/// The report of `index-check`.
pub(crate) fn index_check(report: &Report) -> Value {
    let mut value = check(report);
    value["queries"] = report.queries.iter().map(query).collect();
    value["advice"] = report.advice.iter().map(advice).collect();

    let accesses = || report.queries.iter().flat_map(|query| &query.checked.accesses);
    value["summary"]["scans"] = json!(accesses().count());
    for verdict in [Verdict::Served, Verdict::Unserved, Verdict::Full, Verdict::Unknown] {
        let count = accesses().filter(|access| access.verdict == verdict).count();
        value["summary"][verdict.as_str()] = json!(count);
    }
    value
}

/// The report of `check`.
pub(crate) fn check(report: &Report) -> Value {
    let unparsed = report.unparsed();
    let mut by_lint: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &report.findings {
        *by_lint.entry(finding.lint).or_default() += 1;
    }
    json!({
        "summary": {
            "queries": report.queries.len() + report.dynamic,
            "checked": report.queries.len() - unparsed,
            "unparsed": unparsed,
            "dynamic": report.dynamic,
            "unbounded": report.unbounded,
            "findings": by_lint,
        },
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "notices": report.notices.iter().map(notice).collect::<Vec<_>>(),
        "unread": report.unread,
    })
}

fn query(query: &Query) -> Value {
    let status = if query.checked.query.is_ok() { "checked" } else { "unparsed" };
    let scans = query.checked.accesses.iter().map(|access| {
        json!({
            "table": access.table.to_string(),
            "alias": access.alias,
            "verdict": access.verdict.as_str(),
            "index": access.index,
            "columns": access.columns,
            "why": access.why,
        })
    });
    let mut value = json!({
        "sql": &*query.sql,
        "status": status,
        "cardinality": query.checked.cardinality.rows.as_str(),
        "scans": scans.collect::<Vec<_>>(),
    });
    put_place(&mut value, &query.place);
    value
}

fn advice(IndexAdvice { advice, ddl }: &IndexAdvice) -> Value {
    json!({
        "table": advice.index.table.to_string(),
        "columns": advice.index.columns,
        "predicate": advice.index.predicate,
        "ddl": ddl,
        "serves": advice.serves,
    })
}
