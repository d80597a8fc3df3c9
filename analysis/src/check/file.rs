//! A file of Rust source: its queries, its calls in loops, its functions, and what is allowed among them.

use std::sync::Arc;

use super::allows::apply;
use super::query::put;
use super::{CheckedFile, CheckedSite, Checker};
use crate::finding::Finding;
use crate::lints::{self, CallContext, Check, FunctionContext};
use crate::rust::{Allow, Function, LoopCall, Scan, Site, SiteSql};
use crate::sql::{Dialect, Query};

impl Checker<'_> {
    /// Checks one function against its budget, and returns the allows that silenced something with what is wrong.
    pub fn function(&self, function: &Function) -> (Vec<Finding>, Vec<Allow>) {
        let context = FunctionContext { function, dialect: self.dialect };
        let mut findings = Vec::new();
        for lint in lints::ALL {
            let Check::Function(check) = lint.check else { continue };
            self.ask(lint, &mut findings, |found| check(&context, found));
        }
        for finding in &mut findings {
            finding.function = Arc::clone(&function.path);
        }
        let used = apply(&function.allows, &mut findings);
        (findings, used)
    }

    /// Checks one call in a loop, and returns the allows that silenced something with what is wrong.
    pub fn call(&self, call: &LoopCall, caller: &Function) -> (Vec<Finding>, Vec<Allow>) {
        let context = CallContext { call, dialect: self.dialect, schema: self.schema };
        let mut findings = Vec::new();
        for lint in lints::ALL {
            let Check::Call(check) = lint.check else { continue };
            self.ask(lint, &mut findings, |found| check(&context, found));
        }
        for finding in &mut findings {
            finding.function = Arc::clone(&caller.path);
        }
        let used = apply(&call.call.allows, &mut findings);
        (findings, used)
    }

    /// Checks everything in a file. `calls` are those of its calls in loops that come to a query, `read` gives the text of a file that a query names, by the path as written.
    pub fn file<'s>(
        &self,
        scan: &'s Scan,
        calls: &[LoopCall],
        read: &dyn Fn(&str) -> Option<String>,
    ) -> CheckedFile<'s> {
        let mut findings = Vec::new();
        let mut used = Vec::new();
        let mut sites = Vec::new();
        for site in &scan.sites {
            let sql: Option<Arc<str>> = match &site.sql {
                SiteSql::Literal(literal) => Some(Arc::clone(&literal.text)),
                SiteSql::File(path) => read(path).map(Arc::from),
                SiteSql::Dynamic => None,
            };
            let first = sites.len();
            match sql {
                Some(sql) => self.statements_of(site, sql, &mut sites),
                None => sites.push(CheckedSite { site, offset: 0, checked: None }),
            }
            for (_, checked) in sites.iter_mut().skip(first).filter_map(|site| site.checked.as_mut()) {
                findings.extend(checked.findings.iter().cloned());
                used.append(&mut checked.used);
            }
            if site.in_test {
                // Most lints are not asked of test code: what is allowed there may be needed all the same.
                used.extend(site.allows.iter().cloned());
            }
        }
        for call in calls {
            let Some(caller) = scan.functions.get(call.caller.function) else { continue };
            let (mut found, mut silenced) = self.call(call, caller);
            findings.append(&mut found);
            used.append(&mut silenced);
        }
        for function in &scan.functions {
            let (mut found, mut silenced) = self.function(function);
            findings.append(&mut found);
            used.append(&mut silenced);
            if function.in_test {
                used.extend(function.allows.iter().cloned());
            }
        }
        findings.append(&mut self.allows(&scan.allows, Some(used.as_slice())));
        findings.sort_by(|a, b| (&a.place, a.lint).cmp(&(&b.place, b.lint)));
        CheckedFile { sites, findings }
    }

    /// Checks the statements of a site, each as a query of its own.
    fn statements_of<'s>(&self, site: &'s Site, sql: Arc<str>, sites: &mut Vec<CheckedSite<'s>>) {
        let parts = if site.is_script(self.dialect) { self.statements(&sql) } else { Vec::new() };
        if parts.len() < 2 {
            let checked = self.query(&sql, Some(site));
            sites.push(CheckedSite { site, offset: 0, checked: Some((sql, checked)) });
            return;
        }
        let mut skipped = 0;
        for (offset, sql) in parts {
            let mut checked = self.query(&sql, Some(&site.for_part(skipped)));
            skipped += checked.query.as_ref().map_or(0, |query| positional(&sql, query));
            for finding in &mut checked.findings {
                put(finding, site, offset);
            }
            sites.push(CheckedSite { site, offset, checked: Some((sql, checked)) });
        }
    }

    /// The statements of a text, each with the byte that it starts at.
    pub fn statements(&self, sql: &str) -> Vec<(usize, Arc<str>)> {
        let pieces = crate::sql::split::statements(sql, self.dialect);
        pieces.into_iter().map(|piece| (piece.span.start, piece.text.into())).collect()
    }

    /// Whether a text that stands alone, as in `.sqlx`, may hold several statements.
    pub fn prepares_scripts(&self) -> bool {
        self.dialect == Dialect::Sqlite
    }
}

/// How many of the arguments of a text with several statements one of them takes: SQLite's `?1` and `:a` take theirs from
/// all of them, `?` the next one.
fn positional(sql: &str, query: &Query) -> usize {
    let is_numbered =
        sql.match_indices('?').any(|(at, _)| sql[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    if is_numbered { 0 } else { query.parameters }
}
