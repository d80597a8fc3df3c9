//! A file of Rust source: its queries, its calls in loops, its functions, and what is allowed among them.

use std::sync::Arc;

use super::allows::apply;
use super::query::put;
use super::{CheckedFile, CheckedSite, Checker};
use crate::finding::Finding;
use crate::lints::{self, CallContext, Check};
use crate::rust::{Allow, Function, LoopCall, Scan, Site, SiteSql};

impl Checker<'_> {
    /// Checks one function against its budget, and returns the allows that silenced something with what is wrong.
    pub fn function(&self, function: &Function) -> (Vec<Finding>, Vec<Allow>) {
        let mut findings = Vec::new();
        for lint in lints::ALL {
            let Check::Function(check) = lint.check else { continue };
            self.ask(lint, &mut findings, |found| check(function, found));
        }
        for finding in &mut findings {
            finding.function = Arc::clone(&function.path);
        }
        let used = apply(&function.allows, &mut findings);
        (findings, used)
    }

    /// Checks one call in a loop, and returns the allows that silenced something with what is wrong.
    pub fn call(&self, call: &LoopCall, caller: &Function) -> (Vec<Finding>, Vec<Allow>) {
        let context = CallContext { call, dialect: self.dialect };
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
            let Some(sql) = sql else {
                sites.push(CheckedSite { site, checked: None });
                continue;
            };
            for (offset, sql) in self.statements(site, sql) {
                let mut checked = self.query(&sql, Some(site));
                if offset > 0 {
                    for finding in &mut checked.findings {
                        put(finding, site, offset);
                    }
                }
                findings.extend(checked.findings.iter().cloned());
                used.append(&mut checked.used);
                sites.push(CheckedSite { site, checked: Some((sql, checked)) });
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

    /// The statements that a site runs, each with the byte of the site's text it starts at: it may be a script.
    fn statements(&self, site: &Site, sql: Arc<str>) -> Vec<(usize, Arc<str>)> {
        if !site.is_script() {
            return vec![(0, sql)];
        }
        let pieces = crate::sql::split::statements(&sql, self.dialect);
        pieces.into_iter().map(|piece| (piece.span.start, piece.text.into())).collect()
    }
}
