//! Converts findings to the data of a page.

use std::collections::HashMap;
use std::path::Path;

use query_budget_analysis::baseline::Known;
use query_budget_analysis::project::shown;
use query_budget_analysis::schema::{Index, KeyPart, Schema, Table};
use query_budget_analysis::sql::query::{self as statement, Body, Kind, Source};
use query_budget_analysis::{Level, Place};

use super::advice::{Database, IndexAdvice};
use super::{Query, Report};
use crate::page::{self, model};

impl Report {
    /// The data of a page; `functions` are those that reach a query, by file and path.
    pub(crate) fn into_page(
        mut self,
        base: &Path,
        name: String,
        functions: Vec<model::Function>,
    ) -> model::Workspace {
        self.advise();
        self.sort_out();
        let mut page = model::Workspace {
            name,
            version: env!("CARGO_PKG_VERSION"),
            coverage: self.coverage(),
            figures: self.figures(),
            functions,
            more: self.counted().into_iter().map(|(lint, count)| (lint.to_owned(), count)).collect(),
            notices: self.notices.iter().map(|it| format!("{}: {}", it.place, it.message)).collect(),
            unread: self.unread.clone(),
            ..model::Workspace::default()
        };
        for notice in &mut page.notices {
            // A notice without a place has an empty one.
            *notice = notice.trim_start_matches(": ").to_owned();
        }
        page.unparsed = self.unparsed.iter().map(unparsed).collect();
        self.add_queries(&mut page);
        self.add_findings(&mut page);
        page.databases =
            self.databases.iter().map(|(source, it)| self.database(&shown(source, base), it)).collect();
        page.advice = self.advice.iter().map(advice).collect();
        page
    }

    fn figures(&self) -> model::Figures {
        model::Figures {
            files: self.files,
            queries: self.all_queries(),
            not_parsed: self.unparsed.len(),
            built_at_run_time: self.dynamic,
            errors: self.count(Level::Deny),
            warnings: self.count(Level::Warn),
        }
    }

    /// Adds the queries, and links functions to them.
    fn add_queries(&self, page: &mut model::Workspace) {
        let mut by_name: HashMap<(&str, &str), usize> = HashMap::new();
        for (at, function) in page.functions.iter().enumerate() {
            let file = function.place.split(':').next().unwrap_or_default();
            by_name.entry((file, &function.local)).or_insert(at);
        }
        let functions: Vec<Option<usize>> = self
            .queries
            .iter()
            .map(|query| by_name.get(&(&*query.place.file, &*query.function)).copied())
            .collect();
        for (at, function) in functions.iter().enumerate() {
            if let Some(function) = function.and_then(|function| page.functions.get_mut(function)) {
                function.queries.push(at);
            }
        }
        let mut costs = vec![None; self.queries.len()];
        for database in self.databases.values() {
            let checker = database.project.checker();
            for at in &database.queries {
                let Some(query) = self.queries.get(*at) else { continue };
                let schema = database.project.schema.as_deref();
                if let (Ok(meaning), Some(cost)) = (&query.checked.query, costs.get_mut(*at)) {
                    let is_small = |table: &_| checker.is_small(table);
                    *cost = Some(page::cost(meaning, &query.checked.accesses, schema, &is_small));
                }
            }
        }
        let queries = self.queries.iter().zip(functions).zip(costs);
        page.queries = queries.map(|((query, function), cost)| row(query, function, cost)).collect();
    }

    /// Adds the findings, and links queries to them.
    fn add_findings(&self, page: &mut model::Workspace) {
        let mut by_text: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
        for (at, query) in self.queries.iter().enumerate() {
            by_text.entry((&query.place.file, &query.sql)).or_default().push(at);
        }
        for (at, finding) in self.findings.iter().enumerate() {
            let sql = finding.sql.as_deref().unwrap_or_default();
            let near = |place: &Place| {
                let same = by_text.get(&(&*place.file, sql))?;
                let distance = |at: &&usize| {
                    self.queries.get(**at).map_or(u32::MAX, |query| query.place.line.abs_diff(place.line))
                };
                same.iter().min_by_key(distance).copied()
            };
            let first = near(&finding.place);
            for query in first.into_iter().chain(finding.places.iter().filter_map(|it| near(&it.place))) {
                let query = page.queries.get_mut(query);
                if let Some(query) = query.filter(|query| !query.findings.contains(&at)) {
                    query.findings.push(at);
                }
            }
            let known = Known::of(finding, &*finding.place.file);
            page.findings.push(model::Finding {
                lint: finding.lint,
                level: finding.level.as_str(),
                message: finding.message.clone(),
                place: finding.place.to_string(),
                function: finding.function.to_string(),
                places: finding.places.iter().map(|it| it.place.to_string()).collect(),
                help: finding.help.clone(),
                notes: finding.notes.clone(),
                query: first,
                key: format!("{:016x}", known.fingerprint()),
            });
        }
    }

    /// A database; `source` is the source of its schema.
    fn database(&self, source: &str, database: &Database) -> model::Database {
        let project = &database.project;
        let mut tables = Vec::new();
        let mut positions = HashMap::new();
        for table in project.schema.iter().flat_map(|schema| stored(schema)) {
            let configured = project.config.tables.get(&table.name.to_string()).and_then(|it| it.rows);
            positions.insert(&table.name, tables.len());
            tables.push(model::Table {
                name: table.name.to_string(),
                rows: configured.or(table.rows),
                columns: table.columns.len(),
                indexes: table.indexes.iter().map(index).collect(),
                reads: Vec::new(),
                writes: Vec::new(),
            });
        }
        for at in &database.queries {
            let Some(query) = self.queries.get(*at) else { continue };
            for access in &query.checked.accesses {
                let Some(table) = positions.get(&access.table).and_then(|at| tables.get_mut(*at)) else {
                    continue;
                };
                let read =
                    model::Read { query: *at, verdict: access.verdict.as_str(), index: access.index.clone() };
                if let Some(used) =
                    table.indexes.iter_mut().find(|index| Some(&index.name) == access.index.as_ref())
                {
                    used.uses += 1;
                }
                table.reads.push(read);
            }
            let Ok(meaning) = &query.checked.query else { continue };
            for block in &meaning.blocks {
                let Body::Write(write) = &block.body else { continue };
                let Source::Table(name) = &meaning.relation(write.target).source else { continue };
                if let Some(table) = positions.get(name).and_then(|at| tables.get_mut(*at)) {
                    table.writes.push(model::Write { query: *at, action: action(meaning.kind, write) });
                }
            }
        }
        model::Database { name: source.to_owned(), dialect: project.dialect.as_str().to_owned(), tables }
    }
}

/// Everything that stores rows: tables, and materialised views.
fn stored(schema: &Schema) -> Vec<&Table> {
    let views = schema.views.values().filter(|view| view.materialized);
    schema.tables.values().chain(views.filter_map(|view| schema.stored(&view.name))).collect()
}

/// The action of a write; for one nested in a statement of another kind, judged by its parts.
fn action(kind: Kind, write: &statement::Write) -> &'static str {
    match kind {
        Kind::Merge => "merge",
        _ if write.inserts() => "insert",
        _ if write.deletes() => "delete",
        _ => "update",
    }
}

fn row(query: &Query, function: Option<usize>, cost: Option<model::Cost>) -> model::Query {
    let is_parsed = query.checked.query.is_ok();
    let cardinality = &query.checked.cardinality;
    model::Query {
        sql: query.sql.to_string(),
        place: query.place.to_string(),
        function,
        cost: cost.unwrap_or(model::Cost::Unknown),
        rows: if is_parsed { cardinality.rows.as_str() } else { "" },
        rows_reason: if is_parsed { cardinality.reason.clone() } else { String::new() },
        accesses: query
            .checked
            .accesses
            .iter()
            .map(|access| model::Access {
                table: access.table.to_string(),
                alias: access.alias.clone(),
                verdict: access.verdict.as_str(),
                index: access.index.clone(),
                why: access.why.clone(),
            })
            .collect(),
        findings: Vec::new(),
    }
}

fn index(index: &Index) -> model::Index {
    let keys = index.keys.iter().map(|key| {
        let mut text = match &key.part {
            KeyPart::Column(name) => name.clone(),
            KeyPart::Expression(sql) => format!("({sql})"),
        };
        if key.desc {
            text.push_str(" DESC");
        }
        text
    });
    let mut on = format!("({})", keys.collect::<Vec<_>>().join(", "));
    if index.method != "btree" {
        on = format!("{} {on}", index.method);
    }
    if !index.include.is_empty() {
        on.push_str(&format!(" INCLUDE ({})", index.include.join(", ")));
    }
    if let Some(predicate) = &index.predicate {
        on.push_str(&format!(" WHERE {predicate}"));
    }
    model::Index { name: index.name.clone(), on, unique: index.unique, uses: 0 }
}

fn advice(IndexAdvice { advice, ddl, drops, extension, .. }: &IndexAdvice) -> model::Advice {
    model::Advice {
        ddl: ddl.clone(),
        drops: drops.clone(),
        serves: advice.serves.clone(),
        for_key: advice.is_for_key,
        writes: advice.writes,
        extension: *extension,
    }
}

fn unparsed(query: &super::Unparsed) -> model::Unparsed {
    model::Unparsed {
        place: query.place.to_string(),
        reason: query.reason.clone(),
        sql: query.sql.to_string(),
    }
}
