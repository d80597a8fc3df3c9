//! One query: resolves it, determines how the database reads it, and runs every query lint on it.

use std::cell::OnceCell;
use std::sync::Arc;

use super::allows::apply;
use super::edits::Subject;
use super::{Checked, Checker, TextFile, elsewhere};
use crate::cardinality::{self, Cardinality, Rows};
use crate::finding::{Finding, Level, Place, Target, Tier};
use crate::index;
use crate::lints::{self, Check, Group, QueryContext, Trait};
use crate::rust::{Allow, Form, Scan, Site, SiteSql};
use crate::sql::Dialect;
use crate::sql::text::LineIndex;

impl Checker<'_> {
    /// Checks one query; `site` is its place in Rust source, if it has one.
    pub fn query(&self, sql: &str, site: Option<&Site>) -> Checked {
        self.examine(sql, site, site.map_or(&[], |site| &site.allows), &[])
    }

    /// Checks one query outside Rust source, with the allows in front of it.
    pub fn bare(&self, sql: &str, allows: &[Allow]) -> Checked {
        let mut checked = self.examine(sql, None, allows, &[]);
        checked.findings.append(&mut self.allows(allows, Some(checked.used.as_slice())));
        checked
    }

    /// Checks a query that sqlx's macros saved: it compiles, and is written for sqlx wherever it is.
    pub fn entry(&self, sql: &str, allows: &[Allow]) -> Checked {
        Checker { is_of_sqlx: true, ..*self }.bare(sql, allows)
    }

    pub(super) fn examine(
        &self,
        sql: &str,
        site: Option<&Site>,
        allows: &[Allow],
        sites: &[Site],
    ) -> Checked {
        let mut checked = self.examine_once(sql, site, allows, sites);
        if checked.findings.iter().any(|finding| !finding.edits.is_empty())
            && let Ok(query) = &checked.query
        {
            let dialect = self.dialect_of(sql, site);
            let subject = Subject { sql, query, dialect, site, allows };
            self.try_edits(&subject, &mut checked.findings);
        }
        checked
    }

    /// The dialect of a query: if none is known, that of its connection, or the first that it parses in.
    fn dialect_of(&self, sql: &str, site: Option<&Site>) -> Dialect {
        if let Some(known) = self.spoken(site).filter(|_| self.guess_dialect) {
            return known;
        }
        let fits = |dialect: &Dialect| {
            crate::sql::resolve(sql, *dialect, self.schema).is_ok()
                && (*dialect != Dialect::MySql || !elsewhere::has_numbered_parameter(sql))
        };
        let guessed = self.guess_dialect.then(|| Dialect::ALL.into_iter().find(fits)).flatten();
        guessed.unwrap_or(self.dialect)
    }

    /// Like `examine`, without trying edits.
    pub(super) fn examine_once(
        &self,
        sql: &str,
        site: Option<&Site>,
        allows: &[Allow],
        sites: &[Site],
    ) -> Checked {
        let dialect = self.dialect_of(sql, site);
        let query = crate::sql::resolve(sql, dialect, self.schema);
        if let Some(other) = elsewhere::schema(self, sql, site, dialect, &query) {
            let there = Checker { schema: Some(&other), dialect: other.dialect, ..*self };
            return there.examine(sql, site, allows, sites);
        }
        let (cardinality, accesses) = match &query {
            Ok(query) => (
                cardinality::of(query, self.schema),
                self.schema.map_or_else(Vec::new, |schema| index::accesses(query, schema)),
            ),
            Err(_) => {
                let reason = "it could not be parsed".to_owned();
                (Cardinality { rows: Rows::Many, reason, unbounded: Vec::new() }, Vec::new())
            }
        };
        let described = OnceCell::new();
        let context = QueryContext {
            sql,
            query: query.as_ref(),
            cardinality: &cardinality,
            accesses: &accesses,
            site,
            sites,
            dialect,
            schema: self.schema,
            config: self.config,
            explained: &[],
            described: &described,
            is_any_dialect: self.guess_dialect,
            growth: self.growth,
            cached: self.cached,
            is_of_sqlx: self.is_of_sqlx,
            is_of_migrations: self.is_of_migrations,
        };
        let explained = context.find_explained();
        let context = QueryContext { explained: &explained, ..context };
        let mut findings = self.ask_all(&context);
        let used = apply(allows, &mut findings);
        for finding in &mut findings {
            finding.sql = Some(sql.into());
            if let Some(site) = site {
                put(finding, site, 0, None);
                finding.function = Arc::clone(&site.function);
            }
        }
        only_errors(&mut findings);
        let is_raw = site.is_none_or(|site| site.form != Form::Checked);
        for finding in &mut findings {
            let (loops, occasions): (&[_], &[_]) =
                site.map_or((&[], &[]), |site| (&site.loops, &site.occasions));
            self.set_tier(finding, is_raw, loops, occasions);
            // A test may run a statement in order to see it fail.
            if site.is_some_and(|site| site.in_test)
                && is_raw
                && self.config.lints.get(finding.lint) != Some(&Level::Deny)
            {
                finding.tier = Tier::Listed;
            }
        }
        if let (Ok(query), Some(schema)) = (&query, self.schema) {
            lints::tell_once(self.config, query, schema, is_raw, &mut findings);
        }
        // Others are not planned.
        let described = described.into_inner().filter(|_| !is_raw);
        let repeats = site.is_some_and(|site| site.loops.iter().any(|around| around.exempt.is_none()));
        Checked { query, dialect, cardinality, accesses, described, findings, used, repeats }
    }

    /// The findings of all lints that ask a query by itself.
    fn ask_all(&self, context: &QueryContext<'_>) -> Vec<Finding> {
        let in_test = context.site.is_some_and(|site| site.in_test);
        let mut findings = Vec::new();
        for lint in lints::ALL {
            let Check::Query(check) = lint.check else { continue };
            if !in_test || lint.is(Trait::InTests) {
                let first = findings.len();
                self.ask(lint, &mut findings, |found| check(context, found));
                // A raw call may use a different database from the one with this schema.
                let is_doubtful = lint.group == Group::Correctness && !context.is_of_this_schema();
                if is_doubtful && !self.config.lints.contains_key(lint.name) {
                    let found = findings.iter_mut().skip(first);
                    found.for_each(|finding| finding.level = finding.level.min(Level::Warn));
                }
            }
        }
        findings
    }

    /// Checks one query of a scanned file in isolation, as a build does. Its own allows are checked as well;
    /// those of its function are not, since they may serve another query.
    pub fn site(&self, scan: &Scan, site: &Site, sql: &str) -> Checked {
        let mut checked = self.query(sql, Some(site));
        let of_functions =
            |allow: &Allow| scan.functions.iter().any(|function| function.allows.contains(allow));
        let own: Vec<Allow> = site.allows.iter().filter(|allow| !of_functions(allow)).cloned().collect();
        let mut wrong = self.allows(&own, Some(checked.used.as_slice()));
        checked.findings.append(&mut wrong);
        checked
    }
}

/// Keeps only errors, if there are any: other findings would be about a different query.
fn only_errors(findings: &mut Vec<Finding>) {
    let is_error =
        |finding: &Finding| lints::by_name(finding.lint).is_some_and(|lint| lint.is(Trait::Refused));
    if findings.iter().any(is_error) {
        findings.retain(is_error);
    }
}

/// Sets the place of a finding in the SQL of a site, whose excerpt begins at byte `offset`. A finding about a
/// whole query is placed at the call; one about a statement among several, where the statement begins. `file`
/// holds the text if it is not in the source.
pub(super) fn put(finding: &mut Finding, site: &Site, offset: usize, file: Option<&TextFile>) {
    let span = finding.excerpt.as_ref().map_or(0..0, |excerpt| excerpt.span.clone());
    let inside = place_in(site, offset + span.start, file);
    let is_whole = span.is_empty() && offset == 0;
    finding.place = if is_whole { site.place.clone() } else { inside.clone() };
    if let Some(excerpt) = &mut finding.excerpt {
        excerpt.place = Some(inside);
    }
    if file.is_some() || matches!(site.sql, SiteSql::Literal(_)) {
        for edit in finding.edits.iter_mut().filter(|edit| edit.target == Target::Sql) {
            edit.start = place_in(site, offset + edit.span.start, file);
            edit.end = place_in(site, offset + edit.span.end, file);
        }
    }
}

/// The place of a byte of a site's SQL, in the source or the file that holds it; the site itself if unknown.
fn place_in(site: &Site, byte: usize, file: Option<&TextFile>) -> Place {
    if let Some(TextFile { path, text }) = file {
        let (line, column) = LineIndex::new(text).line_column(byte);
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        return Place { file: Arc::clone(path), line: number(line), column: number(column) };
    }
    site.place_of(byte)
}
