//! One file of Rust source: its queries, its calls in loops, its functions, and their allows.

use std::sync::Arc;

use super::allows::apply;
use super::query::put;
use super::{CheckedFile, CheckedSite, Checker, TextFile, elsewhere};
use crate::finding::{Finding, Place};
use crate::lints::{self, CallContext, Check, FunctionContext, Trait};
use crate::rust::{Allow, Function, LoopCall, ModuleItems, Scan, Site, SiteSql};
use crate::sql::{Dialect, Query};

impl Checker<'_> {
    /// Checks one function against its budget; returns findings and the allows that silenced something.
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

    /// Checks one call in a loop; returns findings and the allows that silenced something.
    pub fn call(&self, call: &LoopCall, caller: &Function) -> (Vec<Finding>, Vec<Allow>) {
        let (dialect, schema) = self.database_of(call);
        let context = CallContext { call, dialect, schema };
        let mut findings = Vec::new();
        for lint in lints::ALL {
            let Check::Call(check) = lint.check else { continue };
            self.ask(lint, &mut findings, |found| check(&context, found));
        }
        for finding in &mut findings {
            finding.function = Arc::clone(&caller.path);
            self.set_tier(finding, true, &call.call.loops, &caller.occasions);
        }
        let used = apply(&call.call.allows, &mut findings);
        (findings, used)
    }

    /// Checks everything in a file. `calls` are its calls in loops that reach a query; `read` returns the
    /// text of a file that a query names, by the path as written.
    pub fn file<'s>(
        &self,
        scan: &'s Scan,
        calls: &[LoopCall],
        read: &dyn Fn(&str) -> Option<TextFile>,
    ) -> CheckedFile<'s> {
        let own = self.cached.is_none().then(|| lints::cached_tables(&scan.sites, self.schema, self.dialect));
        let is_command_line = scan.items.iter().any(names_parser);
        let checker = Checker {
            cached: self.cached.or(own.as_ref()),
            is_command_line,
            of_file: Some(&scan.databases),
            replaces_tables: elsewhere::replaces_tables(&scan.sites),
            ..*self
        };
        checker.file_among(scan, calls, read)
    }

    /// Like `file`, once the tables that cached reads name are known.
    fn file_among<'s>(
        &self,
        scan: &'s Scan,
        calls: &[LoopCall],
        read: &dyn Fn(&str) -> Option<TextFile>,
    ) -> CheckedFile<'s> {
        let mut findings = Vec::new();
        let mut used = Vec::new();
        let mut sites = Vec::new();
        for site in &scan.sites {
            let file = match &site.sql {
                SiteSql::File(path) => read(path),
                SiteSql::Literal(_) | SiteSql::Dynamic => None,
            };
            let sql = match &site.sql {
                SiteSql::Literal(literal) => Some(Arc::clone(&literal.text)),
                SiteSql::File(_) | SiteSql::Dynamic => file.as_ref().map(|file| Arc::clone(&file.text)),
            };
            let first = sites.len();
            match sql {
                Some(sql) => self.statements_of(site, sql, file.as_ref(), &scan.sites, &mut sites),
                None => {
                    let (mut found, mut silenced) = self.built(site);
                    findings.append(&mut found);
                    used.append(&mut silenced);
                    sites.push(CheckedSite { site, offset: 0, checked: None });
                }
            }
            for (_, checked) in sites.iter_mut().skip(first).filter_map(|site| site.checked.as_mut()) {
                findings.extend(checked.findings.iter().cloned());
                used.append(&mut checked.used);
            }
            if site.in_test {
                // Most lints skip test code, so that an allow there cannot be called unused.
                used.extend(site.allows.iter().cloned());
            }
        }
        if self.has_own_database
            && let Some(other) = elsewhere::schema_of_file(&sites, self.schema)
        {
            let there = Checker { schema: Some(&other), has_own_database: false, ..*self };
            return there.file(scan, calls, read);
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
        say_once(&mut findings);
        findings.append(&mut self.allows(&scan.allows, Some(used.as_slice())));
        findings.sort_by(|a, b| (&a.place, a.lint).cmp(&(&b.place, b.lint)));
        CheckedFile { sites, findings }
    }

    /// Checks a query whose text is built at run time; returns findings and the allows that silenced
    /// something.
    fn built(&self, site: &Site) -> (Vec<Finding>, Vec<Allow>) {
        let mut findings = Vec::new();
        if let Some((lint, finding)) = lints::built_in_loop(site, self.dialect) {
            self.ask(lint, &mut findings, |found| found.push(finding));
        }
        for finding in &mut findings {
            put(finding, site, 0, None);
            finding.sql = site.built.as_ref().map(|built| built.begin.as_str().into());
            finding.function = Arc::clone(&site.function);
            self.set_tier(finding, true, &site.loops, &site.occasions);
        }
        let used = apply(&site.allows, &mut findings);
        (findings, used)
    }

    /// Checks each statement of a site as a query of its own.
    fn statements_of<'s>(
        &self,
        site: &'s Site,
        sql: Arc<str>,
        file: Option<&TextFile>,
        beside: &'s [Site],
        sites: &mut Vec<CheckedSite<'s>>,
    ) {
        let runs_on = self.spoken(Some(site)).unwrap_or(self.dialect);
        let parts = if site.is_script(runs_on) { self.statements(&sql) } else { Vec::new() };
        if parts.len() < 2 {
            let mut checked = self.examine(&sql, Some(site), &site.allows, beside);
            for finding in checked.findings.iter_mut().filter(|_| file.is_some()) {
                put(finding, site, 0, file);
            }
            sites.push(CheckedSite { site, offset: 0, checked: Some((sql, checked)) });
            return;
        }
        let mut skipped = 0;
        for (offset, sql) in parts {
            let mut checked = self.examine(&sql, Some(&site.for_part(skipped)), &site.allows, beside);
            skipped += checked.query.as_ref().map_or(0, |query| positional(&sql, query));
            for finding in &mut checked.findings {
                put(finding, site, offset, file);
            }
            sites.push(CheckedSite { site, offset, checked: Some((sql, checked)) });
        }
    }

    /// The statements of a text, each with its byte offset.
    pub fn statements(&self, sql: &str) -> Vec<(usize, Arc<str>)> {
        let pieces = crate::sql::split::statements(sql, self.dialect);
        pieces.into_iter().map(|piece| (piece.span.start, piece.text.into())).collect()
    }

    /// Whether a text on its own, as in `.sqlx`, may hold several statements.
    pub fn prepares_scripts(&self) -> bool {
        self.dialect == Dialect::Sqlite
    }
}

/// Whether a module imports the parser of a command line.
fn names_parser(items: &ModuleItems) -> bool {
    let mut paths = items.uses.iter().map(|(_, path)| path).chain(&items.globs);
    paths.any(|path| path.first().is_some_and(|first| first == "clap"))
}

/// How many arguments of a multi-statement text one statement consumes. SQLite's `?1` and `:a` share the
/// arguments of the whole text; `?` takes the next one.
fn positional(sql: &str, query: &Query) -> usize {
    let is_numbered =
        sql.match_indices('?').any(|(at, _)| sql[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
    if is_numbered { 0 } else { query.parameters }
}

/// If a loop exceeds a budget, findings of other lints about that loop are merged into its help.
fn say_once(findings: &mut Vec<Finding>) {
    let is = |finding: &Finding, of| lints::by_name(finding.lint).is_some_and(|lint| lint.is(of));
    let (mut budgets, mut others): (Vec<Finding>, Vec<Finding>) =
        findings.drain(..).partition(|finding| is(finding, Trait::NamesLoops));
    others.retain(|finding| {
        let is_on_loop = is(finding, Trait::OnLoop);
        let same = budgets.iter_mut().filter(|_| is_on_loop).find(|budget| {
            let names = |place: &Place| budget.related.iter().any(|related| related.place == *place);
            names(&finding.place) || finding.related.iter().any(|loop_| names(&loop_.place))
        });
        let Some(budget) = same else { return true };
        for help in &finding.help {
            if !budget.help.contains(help) {
                budget.help.push(help.clone());
            }
        }
        false
    });
    findings.append(&mut budgets);
    findings.append(&mut others);
}
