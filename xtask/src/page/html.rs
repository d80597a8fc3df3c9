//! A workspace as a page.

use maud::{Markup, html};

use super::frame;
use super::model::{Cost, Database, Query, Table, Workspace};
use super::parts::{
    breakable, card, cost, function_link, grouped, helps, level, query_link, some_of, unindented, words,
};
use super::tree::tree;

/// The number of links that a cell shows initially.
const FIRST: usize = 4;

/// The page of a workspace.
pub(crate) fn page(workspace: &Workspace) -> String {
    let tables: usize = workspace.databases.iter().map(|it| it.tables.len()).sum();
    let sections = [
        ("findings", "Findings", workspace.findings.len(), findings(workspace)),
        ("indexes", "Indexes to add", workspace.advice.len(), advice(workspace)),
        ("queries", "Queries", workspace.queries.len(), queries(workspace)),
        ("functions", "Functions", workspace.functions.len(), functions(workspace)),
        ("tables", "Tables", tables, databases(workspace)),
        ("coverage", "Coverage", workspace.unparsed.len() + workspace.unread.len(), coverage(workspace)),
    ];
    let content = html! {
        (summary(workspace))
        nav.sections aria-label="Sections" {
            @for (id, name, count, _) in &sections {
                // The coverage has no findings to count: a 0 beside it would read as no coverage.
                a href=(format!("#{id}")) { (name) @if *count > 0 || *id != "coverage" { " " span.count { (grouped(*count as u64)) } } }
            }
        }
        @for (id, name, _, body) in &sections {
            section id=(id) { h2 { (name) } (body) }
        }
        footer.muted { "query-budget " (workspace.version) }
    };
    let figures = serde_json::json!({ "query_budget": workspace.version, "name": workspace.name, "figures": workspace.figures });
    frame::page(&workspace.name, "queries, bounds and indexes", &figures, &content)
}

fn summary(workspace: &Workspace) -> Markup {
    let total = workspace.queries.len().max(1);
    let counts =
        Cost::ALL.map(|class| (class, workspace.queries.iter().filter(|it| it.cost == class).count()));
    // Those of tests are among the findings alone.
    let over = workspace.findings.iter().filter(|it| it.lint == "budget_exceeded").count();
    let unbounded = workspace.functions.iter().filter(|it| it.upper.is_none()).count();
    html! {
        div.cards {
            (card(workspace.figures.errors, "errors"))
            (card(workspace.figures.warnings, "warnings"))
            (card(workspace.advice.len(), "indexes to add"))
            (card(unbounded, "functions with no bound"))
            (card(over, "over their budget"))
        }
        table.classes aria-label="Queries by cost class" {
            @for (class, count) in counts.iter().filter(|(_, count)| *count > 0) {
                tr {
                    th scope="row" { (cost(*class)) }
                    td.number { (grouped(*count as u64)) }
                    td { progress max=(total) value=(count) { } }
                    td.muted { (class.meaning()) }
                }
            }
        }
    }
}

fn findings(workspace: &Workspace) -> Markup {
    html! {
        @if workspace.findings.is_empty() { p.muted { "Nothing was found." } } @else {
            table.list.t-findings {
                thead { tr { th { "Level" } th { "Lint" } th { "Finding" } th { "Place" } } }
                tbody {
                    @for finding in &workspace.findings {
                        tr.row {
                            td data-sort=(if finding.level == "deny" { 0 } else { 1 }) { (level(finding.level)) }
                            td { code { (finding.lint) } }
                            td {
                                details {
                                    summary { (words(&finding.message)) }
                                    (helps(&finding.help))
                                    @for note in &finding.notes { p.note { (words(note)) } }
                                    @if let Some(query) = finding.query { p { "query: " (query_link(workspace, query)) } }
                                }
                            }
                            td.place { (breakable(&finding.place)) @if !finding.places.is_empty() { (places(&finding.places)) } }
                        }
                    }
                }
            }
        }
        @if !workspace.more.is_empty() {
            p.muted {
                "Also true, and a matter of taste or context: "
                @for (at, (lint, count)) in workspace.more.iter().enumerate() {
                    @if at > 0 { ", " } code { (lint) } " " (grouped(*count as u64))
                }
                "."
            }
        }
    }
}

fn places(places: &[String]) -> Markup {
    let items: Vec<Markup> = places.iter().map(|place| html! { (breakable(place)) }).collect();
    html! { details { summary { "and " (grouped(places.len() as u64)) " more" } ul.plain { @for item in &items { li { (item) } } } } }
}

fn advice(workspace: &Workspace) -> Markup {
    html! {
        @if workspace.advice.is_empty() { p.muted { "No index is missing." } } @else {
            table.list.t-advice {
                thead { tr { th { "Statement" } th { "Serves" } th { "Writes it costs" } } }
                tbody {
                    @for advice in &workspace.advice {
                        tr.row {
                            td {
                                pre { code { (advice.ddl) ";" } }
                                @for drop in &advice.drops { pre { code { (drop) ";" } } p.note { "the index above begins with it" } }
                                @if let Some(name) = advice.extension { p.note { "needs the extension " code { (name) } } }
                            }
                            td data-sort=(advice.serves.len()) {
                                @if advice.for_key { "a foreign key" } @else {
                                    (some_of(&advice.serves.iter().map(|at| query_link(workspace, *at)).collect::<Vec<_>>(), FIRST))
                                }
                            }
                            td.number { (advice.writes) }
                        }
                    }
                }
            }
        }
    }
}

fn queries(workspace: &Workspace) -> Markup {
    html! {
        div.filter hidden {
            label { "Cost " select data-filter="queries" {
                option value="" { "all" }
                @for class in Cost::ALL { option value=(class.as_str()) { (class.as_str()) } }
            } }
        }
        table.list.t-queries {
            thead { tr { th { "Cost" } th { "Query" } th { "Function" } th { "Place" } } }
            tbody {
                @for (at, query) in workspace.queries.iter().enumerate() {
                    tr.row id=(format!("q{at}")) data-class=(query.cost.as_str()) {
                        td data-sort=(query.cost as u8) { (cost(query.cost)) }
                        td { (query_cell(workspace, query)) }
                        td { @if let Some(function) = query.function { (function_link(workspace, function)) } }
                        td.place { (breakable(&query.place)) }
                    }
                }
            }
        }
    }
}

fn query_cell(workspace: &Workspace, query: &Query) -> Markup {
    html! {
        details.sql {
            summary { code { (unindented(&query.sql)) } }
            @if !query.rows.is_empty() { p.note { "returns " (rows(query.rows)) @if !query.rows_reason.is_empty() { ": " (words(&query.rows_reason)) } } }
            @if !query.accesses.is_empty() {
                ul.accesses {
                    @for access in &query.accesses {
                        li {
                            span class=(format!("badge v-{}", access.verdict)) { (access.verdict) } " "
                            code { (access.table) @if access.alias != access.table { " " (access.alias) } }
                            @if let Some(index) = &access.index { " by " code { (index) } }
                            span.muted { " " (words(&access.why)) }
                        }
                    }
                }
            }
            @for at in &query.findings {
                @if let Some(finding) = workspace.findings.get(*at) {
                    p { (level(finding.level)) " " code { (finding.lint) } " " (words(&finding.message)) }
                }
            }
        }
    }
}

fn rows(rows: &str) -> &str {
    match rows {
        "one" => "at most one row",
        "bounded" => "a bounded number of rows",
        _ => "as many rows as there are",
    }
}

fn functions(workspace: &Workspace) -> Markup {
    html! {
        @if workspace.functions.is_empty() { p.muted { "No function reaches a query." } } @else {
            p.muted {
                "From " (grouped(workspace.entry_points.len() as u64)) " entry points down. A number is how many queries a call runs, at least and at most; "
                "“+ unknown” means that a call could not be followed."
            }
            (tree(workspace))
        }
    }
}

fn databases(workspace: &Workspace) -> Markup {
    html! {
        @if workspace.databases.iter().all(|database| database.tables.is_empty()) { p.muted { "There is no schema: name one with " code { "--migrations" } " or " code { "--schema" } "." } }
        @for database in &workspace.databases { (tables(workspace, database)) }
    }
}

fn tables(workspace: &Workspace, database: &Database) -> Markup {
    let mut all: Vec<&Table> = database.tables.iter().collect();
    all.sort_by_key(|table| (std::cmp::Reverse(table.reads.len() + table.writes.len()), &table.name));
    let (used, unused): (Vec<&Table>, Vec<&Table>) = all.into_iter().partition(|table| table.is_used());
    if used.is_empty() && unused.is_empty() {
        return html! {};
    }
    html! {
        h3 { (database.name) " " span.muted { (database.dialect) } }
        @if !used.is_empty() {
            table.list.t-tables {
                thead { tr { th { "Table" } th { "Indexes" } th { "Read by" } th { "Written by" } } }
                tbody {
                    @for table in used {
                        tr.row {
                            td { code { (table.name) } p.note { @if let Some(rows) = table.rows { (grouped(rows)) " rows, " } (table.columns) " columns" } }
                            td {
                                @if table.indexes.is_empty() { span.muted { "none" } }
                                (some_of(&table.indexes.iter().map(index).collect::<Vec<_>>(), FIRST))
                            }
                            td data-sort=(table.reads.len()) { (reads(workspace, table)) }
                            td data-sort=(table.writes.len()) { (writes(workspace, table)) }
                        }
                    }
                }
            }
        }
        @if !unused.is_empty() {
            p.muted { "Of no query that could be read: " @for (at, table) in unused.iter().enumerate() { @if at > 0 { ", " } code { (table.name) } } "." }
        }
    }
}

fn index(index: &super::model::Index) -> Markup {
    html! {
        code { (index.name) } " " span.muted { (index.on) @if index.unique { ", unique" } } " "
        span.badge title="accesses that search it" { (index.uses) "×" }
    }
}

fn reads(workspace: &Workspace, table: &Table) -> Markup {
    let items = table.reads.iter().map(|read| {
        html! {
            span class=(format!("badge v-{}", read.verdict)) { (read.verdict) } " "
            (query_link(workspace, read.query))
            @if let Some(index) = &read.index { span.muted { " by " (index) } }
        }
    });
    some_of(&items.collect::<Vec<_>>(), FIRST)
}

fn writes(workspace: &Workspace, table: &Table) -> Markup {
    let items =
        table.writes.iter().map(|write| html! { (write.action) " " (query_link(workspace, write.query)) });
    some_of(&items.collect::<Vec<_>>(), FIRST)
}

fn coverage(workspace: &Workspace) -> Markup {
    html! {
        p { (workspace.coverage) "." }
        @if !workspace.notices.is_empty() { ul { @for notice in &workspace.notices { li { (words(notice)) } } } }
        @if !workspace.unparsed.is_empty() {
            h3 { "Not parsed, and so not checked" }
            table.list.t-unparsed {
                thead { tr { th { "Place" } th { "Reason" } th { "Query" } } }
                tbody { @for query in &workspace.unparsed { tr.row { td.place { (breakable(&query.place)) } td { (words(&query.reason)) } td { pre { code { (unindented(&query.sql)) } } } } } }
            }
        }
        @if !workspace.unread.is_empty() {
            h3 { "Files that were not read" }
            ul { @for file in &workspace.unread { li { "failed to " (words(file)) } } }
        }
    }
}
