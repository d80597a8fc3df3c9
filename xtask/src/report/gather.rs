//! Checks batch by batch, and gathers what is found.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use query_budget_analysis::check::{CheckedSite, Checker};
use query_budget_analysis::lints::{self, Trait};
use query_budget_analysis::rust::{Function, Site, SiteSql, Upper};
use query_budget_analysis::sql::text::LineIndex;
use query_budget_analysis::{Finding, Level, Place, Target};

use super::advice::Database;
use super::known::Known;
use super::{Query, Report, Unparsed, unknown};
use crate::input::{BareQuery, Batch, RustFile};
use crate::progress::Progress;

impl Report {
    pub(super) fn add(&mut self, batch: Batch, known: &Known, base: &Path, progress: &mut Progress) {
        let project = batch.project;
        let checker = project.checker().with_index_level(self.subject.index_level());
        let checker = known.tell(checker, batch.source.as_ref());
        let first = self.queries.len();
        let found = self.findings.len();
        self.findings.extend(checker.lint_keys(&project.lint_keys));
        for file in &batch.files {
            self.add_file(file, &checker, base);
            progress.step();
        }
        for query in batch.bare {
            self.add_bare(query, &checker);
            progress.step();
        }
        let queries = first..self.queries.len();
        self.notices.extend(project.notices.iter().cloned());
        if let Some(source) = batch.source {
            let of_batch = || self.queries.get(queries.clone()).unwrap_or_default().iter();
            let all_unknown = unknown::notice(&project, &source, &batch.files, of_batch(), base);
            let notices = match all_unknown {
                Some(notice) => vec![notice],
                None => unknown::of_others(&project, of_batch(), base),
            };
            self.notices.extend(notices);
            of_database(self.findings.iter_mut().skip(found), &source);
            let database = self.databases.entry(source);
            database.or_insert_with(|| Database { project, queries: Vec::new() }).queries.extend(queries);
        }
    }

    fn add_file(&mut self, file: &RustFile, checker: &Checker<'_>, base: &Path) {
        let checker = checker.with_own_database(file.has_own_database);
        let checked = checker.file(&file.source.scan, &file.calls, &|path| file.read_file(path, base));
        self.functions.extend(file.source.scan.functions.iter().map(|function| {
            let key = (Arc::clone(&function.place.file), Arc::clone(&function.path));
            (key, function.place.line..=function.last_line.max(function.place.line))
        }));
        // Code that is run in several ways was walked once for each, and is one query nevertheless.
        let mut seen = HashSet::new();
        let is_new = |finding: &Finding| {
            seen.insert((finding.lint, finding.place.clone(), finding.sql.clone(), finding.message.clone()))
        };
        let mut findings = checked.findings;
        findings.retain(is_new);
        self.findings.extend(findings);
        let functions = file.source.scan.functions.iter();
        let unbounded: HashSet<&str> = functions
            .filter(|function| matches!(function.bound.upper, Upper::Unbounded { .. }))
            .map(|function| &*function.path)
            .collect();
        let is_uncertain = |function: &&Function| {
            let max = function.budget.as_ref().and_then(|budget| budget.max.as_ref()?.literal());
            let is_kept = max.is_some_and(|max| !function.bound.upper.exceeds(max));
            is_kept && function.bound.is_open() && !function.in_test
        };
        self.uncertain += file.source.scan.functions.iter().filter(is_uncertain).count();
        // A test runs on few rows and is not time-critical: its queries are not counted.
        let sites = file.source.scan.sites.iter().filter(|site| !site.in_test);
        self.sites += sites.map(identity).collect::<HashSet<_>>().len();
        let mut seen = HashSet::new();
        for CheckedSite { site, offset, checked } in
            checked.sites.into_iter().filter(|site| !site.site.in_test)
        {
            if !seen.insert((identity(site), offset)) {
                continue;
            }
            self.unbounded += usize::from(unbounded.contains(&*site.function));
            match checked {
                Some((sql, checked)) => {
                    let place_of = |byte| site.place_of(offset + byte);
                    self.add_query(
                        Query {
                            sql: Arc::clone(&sql),
                            place: if offset > 0 { site.place_of(offset) } else { site.place.clone() },
                            function: Arc::clone(&site.function),
                            checked,
                            is_accepted: false,
                        },
                        place_of,
                    );
                }
                None => {
                    self.dynamic += 1;
                    let why = match &site.sql {
                        SiteSql::File(path) => file.unread_file(path),
                        SiteSql::Literal(_) | SiteSql::Dynamic => None,
                    };
                    self.unread.extend(why.filter(|why| !self.unread.contains(why)));
                }
            }
        }
    }

    fn add_bare(&mut self, query: BareQuery, checker: &Checker<'_>) {
        self.sites += 1;
        let parts = if checker.prepares_scripts() { checker.statements(&query.sql) } else { Vec::new() };
        if parts.len() < 2 {
            return self.add_statement(query, checker);
        }
        for (offset, sql) in parts {
            let place = place_in(&query, offset);
            let allows = query.allows.clone();
            self.add_statement(BareQuery { sql, place, allows, ..query.clone() }, checker);
        }
    }

    fn add_statement(&mut self, query: BareQuery, checker: &Checker<'_>) {
        if query.is_stale {
            self.sites -= 1;
            self.stale += 1;
            return;
        }
        let check = if query.is_entry { Checker::entry } else { Checker::bare };
        let mut checked = check(checker, &query.sql, &query.allows);
        if let Some(maker) = &query.maker {
            self.makers.insert(Arc::clone(&query.place.file), maker.clone());
        }
        let is_refused = |finding: &Finding| {
            let lint = lints::by_name(finding.lint);
            lint.is_some_and(|lint| lint.is(Trait::Refused) && !lint.is(Trait::WhenRun))
        };
        // sqlx has compiled it before, so an entry that the schema rejects belongs to a query that no longer
        // exists.
        if query.is_entry && checked.findings.iter().any(is_refused) {
            self.sites -= 1;
            self.stale += 1;
            return;
        }
        // sqlx does not compile what is refused only when it runs, so the entry may be left over all the same.
        let is_when_run =
            |finding: &Finding| lints::by_name(finding.lint).is_some_and(|lint| lint.is(Trait::WhenRun));
        for finding in checked.findings.iter_mut().filter(|finding| query.is_entry && is_when_run(finding)) {
            finding.level = finding.level.min(Level::Warn);
        }
        // A finding about an allow is at the place of the allow.
        for finding in checked.findings.iter_mut().filter(|finding| finding.sql.is_some()) {
            finding.place =
                place_in(&query, finding.excerpt.as_ref().map_or(0, |excerpt| excerpt.span.start));
            for edit in finding.edits.iter_mut().filter(|edit| edit.target == Target::Sql) {
                edit.start = place_in(&query, edit.span.start);
                edit.end = place_in(&query, edit.span.end);
            }
        }
        if query.is_entry && query.maker.is_none() && !self.unread.is_empty() {
            let found = checked.findings.iter_mut();
            found.for_each(|finding| finding.notes.push(UNCLAIMED.to_owned()));
        }
        self.findings.extend(checked.findings.iter().cloned());
        let place_of = |byte| place_in(&query, byte);
        let (sql, place) = (Arc::clone(&query.sql), query.place.clone());
        let function = Arc::default();
        self.add_query(Query { sql, place, function, checked, is_accepted: false }, place_of);
    }

    fn add_query(&mut self, query: Query, place_of: impl Fn(usize) -> Place) {
        if let Err(error) = &query.checked.query {
            let place = place_of(error.span.start);
            let reason = error.message.lines().next().unwrap_or_default().to_owned();
            self.unparsed.push(Unparsed { place, reason, sql: Arc::clone(&query.sql) });
        }
        self.queries.push(query);
    }
}

/// The note on an entry that may be left over.
const UNCLAIMED: &str =
    "no call in the files that were read makes it; `prepare --prune` removes an entry that is left over";

/// What distinguishes queries that are made at one place, as those of a macro are.
fn identity(site: &Site) -> (&Place, &str, &str) {
    let text = match &site.sql {
        SiteSql::Literal(literal) => &*literal.text,
        SiteSql::File(path) => path,
        SiteSql::Dynamic => "",
    };
    (&site.place, &site.written, text)
}

/// The place of a byte of a query: in a `.sql` file its own line, elsewhere the place of the query.
fn place_in(query: &BareQuery, byte: usize) -> Place {
    let mut place = query.place.clone();
    if place.file.ends_with(".sql") {
        let (line, column) = LineIndex::new(&query.sql).line_column(byte);
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        place.column = if line == 1 { place.column + number(column) - 1 } else { number(column) };
        place.line += number(line) - 1;
    }
    place
}

/// Adds to findings which database they are about.
pub(super) fn of_database<'f>(findings: impl Iterator<Item = &'f mut Finding>, source: &Path) {
    let source: Arc<Path> = source.into();
    findings.for_each(|finding| finding.database = Some(Arc::clone(&source)));
}
