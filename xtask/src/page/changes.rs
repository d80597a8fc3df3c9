//! The changes since a revision, as a page.

use maud::{Markup, html};

use super::diff::{Change, Diff, FindingChange};
use super::frame;
use super::model::Cost;
use super::parts::{breakable, card, cost, helps, level, unindented, words};

/// The page of the changes.
pub(crate) fn page(diff: &Diff) -> String {
    let content = html! {
        div.cards {
            (card(diff.count(Change::Added), "queries added"))
            (card(diff.count(Change::Worse), "queries worse"))
            (card(diff.count(Change::Better), "queries better"))
            (card(diff.count(Change::Removed), "queries removed"))
            (card(diff.functions.iter().filter(|it| it.exceeded).count(), "changed and over budget"))
            (card(diff.new_findings.len(), "new findings"))
        }
        @if diff.is_empty() { p { "Nothing has changed for queries, bounds and indexes since " code { (diff.revision) } "." } }
        (findings("new", "New findings", &diff.new_findings))
        (bounds(diff))
        (queries(diff))
        (indexes(diff))
        (findings("gone", "Findings that are gone", &diff.gone_findings))
        section id="coverage" { h2 { "Coverage" } p { (diff.coverage) "." } }
        footer.muted { "query-budget " (diff.version) }
    };
    let figures = serde_json::json!({
        "query_budget": diff.version,
        "name": diff.name,
        "revision": diff.revision,
        "new_findings": diff.new_findings.len(),
        "gone_findings": diff.gone_findings.len(),
    });
    frame::page(&diff.name, &format!("changes since {}", diff.revision), &figures, &content)
}

fn change(change: Change) -> Markup {
    html! { span class=(format!("badge d-{}", change.as_str())) { (change.as_str()) } }
}

fn findings(id: &str, name: &str, findings: &[FindingChange]) -> Markup {
    html! {
        @if !findings.is_empty() {
            section id=(id) {
                h2 { (name) }
                table.list.t-findings {
                    thead { tr { th { "Level" } th { "Lint" } th { "Finding" } th { "Place" } } }
                    tbody { @for finding in findings { tr.row {
                        td { (level(finding.level)) }
                        td { code { (finding.lint) } }
                        td { (words(&finding.message)) (helps(&finding.help)) }
                        td.place { (breakable(&finding.place)) }
                    } } }
                }
            }
        }
    }
}

fn bounds(diff: &Diff) -> Markup {
    html! {
        @if !diff.functions.is_empty() {
            section id="functions" {
                h2 { "Bounds" }
                table.list.t-bounds {
                    thead { tr { th { "Change" } th { "Function" } th { "Before" } th { "Now" } th { "Budget" } th { "Place" } } }
                    tbody { @for function in &diff.functions { tr.row {
                        td data-sort=(function.change as u8) { (change(function.change)) }
                        td { code { (breakable(&function.function)) } }
                        td { (function.before) }
                        td { (function.now) }
                        td { @if function.exceeded { span.badge.l-deny { (function.budget) } } @else { (function.budget) } }
                        td.place { (breakable(&function.place)) }
                    } } }
                }
            }
        }
    }
}

fn queries(diff: &Diff) -> Markup {
    let class = |class: Option<Cost>| html! { @if let Some(class) = class { (cost(class)) } };
    html! {
        @if !diff.queries.is_empty() {
            section id="queries" {
                h2 { "Queries" }
                table.list.t-changed {
                    thead { tr { th { "Change" } th { "Before" } th { "Now" } th { "Query" } th { "Function" } th { "Place" } } }
                    tbody { @for query in &diff.queries { tr.row {
                        td data-sort=(query.change as u8) { (change(query.change)) }
                        td data-sort=(query.before.map_or(0, |it| it as u8)) { (class(query.before)) }
                        td data-sort=(query.now.map_or(0, |it| it as u8)) { (class(query.now)) }
                        td { details.sql { summary { code { (unindented(&query.sql)) } } ul { @for how in &query.how { li { (words(how)) } } } } }
                        td { code { (breakable(&query.function)) } }
                        td.place { (breakable(&query.place)) }
                    } } }
                }
            }
        }
    }
}

fn indexes(diff: &Diff) -> Markup {
    let statements = |name: &str, statements: &[String]| {
        html! { @if !statements.is_empty() { h3 { (name) } ul.plain { @for ddl in statements { li { pre { code { (ddl) ";" } } } } } } }
    };
    html! {
        @if diff.indexes.len() + diff.new_advice.len() + diff.gone_advice.len() > 0 {
            section id="indexes" {
                h2 { "Indexes" }
                @if !diff.indexes.is_empty() {
                    table.list.t-indexes {
                        thead { tr { th { "Change" } th { "Table" } th { "Index" } th { "Searched by" } } }
                        tbody { @for index in &diff.indexes { tr.row {
                            td { (change(index.change)) }
                            td { code { (index.table) } }
                            td { code { (index.name) } " " span.muted { (index.on) } }
                            td.number { (index.uses) }
                        } } }
                    }
                }
                (statements("Missing since", &diff.new_advice))
                (statements("No longer missing", &diff.gone_advice))
            }
        }
    }
}
