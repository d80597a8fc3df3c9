//! What came of checking queries, as data; `text` and `json` write it.

pub(crate) mod json;
pub(crate) mod text;

use std::collections::HashSet;
use std::sync::Arc;

use query_budget_analysis::check::{Checked, CheckedSite, Checker};
use query_budget_analysis::index::{Advice, Wanted, advise};
use query_budget_analysis::rust::Upper;
use query_budget_analysis::sql::text::LineIndex;
use query_budget_analysis::{Finding, Level, Notice, Place, Severity};

use crate::input::{BareQuery, Batch, Loaded, RustFile};
use crate::progress::Progress;

/// The lint whose findings an index would end.
pub(crate) const UNINDEXED: &str = "unindexed_filter";

/// Everything that was found.
#[derive(Default)]
pub(crate) struct Report {
    /// The queries whose text is known.
    pub(crate) queries: Vec<Query>,
    /// How many queries are put together at run time.
    pub(crate) dynamic: usize,
    /// How many queries stand in functions that run more of them than anything in their source bounds.
    pub(crate) unbounded: usize,
    /// What is wrong, by database and place.
    pub(crate) findings: Vec<Finding>,
    /// The indexes that would serve what is reported as not served, by database.
    pub(crate) advice: Vec<IndexAdvice>,
    /// What keeps the projects from being checked in full.
    pub(crate) notices: Vec<Notice>,
    /// The files that could not be read or parsed.
    pub(crate) unread: Vec<String>,
}

/// One query.
pub(crate) struct Query {
    /// Its text.
    pub(crate) sql: Arc<str>,
    /// Where it stands.
    pub(crate) place: Place,
    /// What is known of it.
    pub(crate) checked: Checked,
}

/// An index to make.
pub(crate) struct IndexAdvice {
    /// The index, and the queries it serves by their positions in the report.
    pub(crate) advice: Advice,
    /// The statement that makes it, without a semicolon.
    pub(crate) ddl: String,
}

impl Query {
    /// The indexes that would serve what is reported of this query.
    fn wanted(&self) -> impl Iterator<Item = &Wanted> {
        let reported = self.checked.findings.iter().any(|finding| finding.lint == UNINDEXED);
        self.checked.accesses.iter().filter_map(|access| access.wanted.as_ref()).filter(move |_| reported)
    }
}

impl Report {
    /// Checks everything that was loaded; `index_level` is the level of the lints on indexes where the configuration is
    /// silent.
    pub(crate) fn new(loaded: Loaded, index_level: Level) -> Report {
        let mut report = Report { unread: loaded.unread, ..Report::default() };
        let steps = loaded.batches.iter().map(|batch| batch.files.len() + batch.bare.len()).sum();
        let mut progress = Progress::new("checking", steps);
        for batch in loaded.batches {
            report.add(batch, index_level, &mut progress);
        }
        report
    }

    fn add(&mut self, batch: Batch, index_level: Level, progress: &mut Progress) {
        let project = batch.project;
        let checker = project.checker().with_index_level(index_level);
        let first = self.queries.len();
        self.findings.extend(checker.lint_keys(&project.lint_keys));
        for file in &batch.files {
            self.add_file(file, &checker);
            progress.step();
        }
        for query in batch.bare {
            self.add_bare(query, &checker);
            progress.step();
        }
        let added = self.queries.iter().enumerate().skip(first);
        let wanted = added.flat_map(|(at, query)| query.wanted().map(move |wanted| (at, wanted)));
        let advice = advise(wanted).into_iter();
        self.advice
            .extend(advice.map(|advice| IndexAdvice { ddl: advice.index.ddl(project.dialect), advice }));
        self.notices.extend(project.notices);
    }

    fn add_file(&mut self, file: &RustFile, checker: &Checker<'_>) {
        let checked = checker.file(&file.scan, &|path| file.read(path));
        self.findings.extend(checked.findings);
        let functions = file.scan.functions.iter();
        let unbounded: HashSet<&str> = functions
            .filter(|function| matches!(function.bound.upper, Upper::Unbounded { .. }))
            .map(|function| &*function.path)
            .collect();
        // A test runs on a handful of rows and is not what waits: its queries are no part of the figures.
        for CheckedSite { site, checked } in checked.sites.into_iter().filter(|site| !site.site.in_test) {
            self.unbounded += usize::from(unbounded.contains(&*site.function));
            match checked {
                Some((sql, checked)) => self.queries.push(Query { sql, place: site.place.clone(), checked }),
                None => self.dynamic += 1,
            }
        }
    }

    fn add_bare(&mut self, query: BareQuery, checker: &Checker<'_>) {
        let mut checked = checker.query(&query.sql, None);
        for finding in &mut checked.findings {
            finding.place =
                place_in(&query, finding.excerpt.as_ref().map_or(0, |excerpt| excerpt.span.start));
        }
        self.findings.extend(checked.findings.iter().cloned());
        self.queries.push(Query { sql: query.sql, place: query.place, checked });
    }

    /// Whether something was found that fails.
    pub(crate) fn denies(&self) -> bool {
        self.findings.iter().any(|finding| finding.level == Level::Deny)
    }

    /// Whether a configuration or a snapshot could not be used, so that nothing that was found can be relied on.
    pub(crate) fn is_broken(&self) -> bool {
        self.notices.iter().any(|notice| notice.kind.severity() == Severity::Error)
    }

    /// How many queries could not be parsed.
    pub(crate) fn unparsed(&self) -> usize {
        self.queries.iter().filter(|query| query.checked.query.is_err()).count()
    }
}

/// Where a byte of a query stands: in a `.sql` file on a line of its own, elsewhere where the query does.
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
