//! Reports as JSON: one object. New keys may be added, none is renamed.

use std::collections::BTreeMap;

use query_budget_analysis::Level;
use query_budget_analysis::index::Verdict;
use query_budget_analysis::render::json::{finding, notice, put_place};
use serde_json::{Value, json};

use super::advice::IndexAdvice;
use super::{Query, Report, Subject, Unparsed};

/// A report as one object.
pub(super) fn report(report: &Report) -> Value {
    let mut value = json!({
        "summary": summary(report),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "more": report.more.iter().map(finding).collect::<Vec<_>>(),
        "unparsed": report.unparsed.iter().map(unparsed).collect::<Vec<_>>(),
        "notices": report.notices.iter().map(notice).collect::<Vec<_>>(),
        "unread": report.unread,
    });
    if let Some(accepted) = &report.accepted {
        value["baseline"] = json!({
            "file": accepted.file,
            "suppressed": accepted.left_out,
            "gone": accepted.gone,
        });
    }
    if report.subject == Subject::Indexes {
        value["queries"] = report.queries.iter().map(query).collect();
        value["advice"] = report.advice.iter().map(advice).collect();
    }
    value
}

/// The figures of a report.
pub(super) fn summary(report: &Report) -> Value {
    let mut by_lint: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &report.findings {
        *by_lint.entry(finding.lint).or_default() += 1;
    }
    let mut summary = json!({
        "files": report.files,
        "sites": report.sites,
        "queries": report.all_queries(),
        "checked": report.checked(),
        "unparsed": report.unparsed.len(),
        "dynamic": report.dynamic,
        "unchecked": report.unchecked(),
        "unknown": report.accesses_with(Verdict::Unknown),
        "unbounded": report.unbounded,
        "uncertain_budgets": report.uncertain,
        "stale": report.stale,
        "unread": report.unread.len(),
        "errors": report.count(Level::Deny),
        "warnings": report.count(Level::Warn),
        "suppressed": report.accepted.as_ref().map_or(0, |accepted| accepted.left_out),
        "findings": by_lint,
        "more": report.counted(),
    });
    if report.subject == Subject::Indexes {
        let verdicts = [Verdict::Served, Verdict::Unserved, Verdict::Full, Verdict::Unknown];
        let counts = verdicts.map(|verdict| report.accesses_with(verdict));
        summary["scans"] = json!(counts.iter().sum::<usize>());
        for (verdict, count) in verdicts.iter().zip(counts) {
            summary[verdict.as_str()] = json!(count);
        }
    }
    summary
}

fn unparsed(query: &Unparsed) -> Value {
    let mut value = json!({ "reason": query.reason, "sql": &*query.sql });
    put_place(&mut value, &query.place);
    value
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
        "unchecked": query.checked.query.as_ref().ok().and_then(|query| query.unchecked),
        "scans": scans.collect::<Vec<_>>(),
    });
    put_place(&mut value, &query.place);
    value
}

fn advice(IndexAdvice { advice, ddl, drops, extension, .. }: &IndexAdvice) -> Value {
    json!({
        "table": advice.index.table.to_string(),
        "columns": advice.index.columns,
        "predicate": advice.index.predicate,
        "ddl": ddl,
        "serves": advice.serves,
        "foreign_key": advice.is_for_key,
        "writes": advice.writes,
        "name": advice.name,
        "method": advice.index.method.map_or("btree", |(method, _)| method),
        "replaces": advice.replaces.first(),
        "drops": drops,
        "extension": extension,
    })
}
