//! What came of checking queries, as data, and how it goes out: findings become a report, what is accepted is left out
//! of it, and one file for each form writes it.

mod advice;
pub(crate) mod baseline;
mod changed;
mod coverage;
pub(crate) mod edits;
mod github;
mod gitlab;
pub(crate) mod json;
mod known;
mod lines;
mod migration;
mod page;
mod places;
mod sarif;
pub(crate) mod text;
mod tiers;
mod xml;

pub(crate) use coverage::{counted, grouped};

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use query_budget_analysis::check::{Checked, CheckedSite, Checker};
use query_budget_analysis::lints::{self, Check, Group, Lint, Trait};
use query_budget_analysis::rust::Upper;
use query_budget_analysis::sql::text::LineIndex;
use query_budget_analysis::{Finding, Level, Notice, Place, Severity, Target, Tier};

use advice::{Database, IndexAdvice};
use known::Known;

use crate::Outcome;
use crate::args::{Changed, Check as CheckArguments, Format, IndexCheck, Input, Reporting, View};
use crate::failure::Failure;
use crate::input::{self, BareQuery, Batch, FunctionKey, Loaded, RustFile};
use crate::output::Output;
use crate::progress::Progress;

/// The lint whose findings an index would end.
const UNINDEXED: &str = "unindexed_filter";

/// Which command's report it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// All lints.
    Everything,
    /// The lints on indexes, and the indexes that would serve all queries.
    Indexes,
}

impl Subject {
    /// The command's name.
    fn command(self) -> &'static str {
        match self {
            Subject::Everything => "check",
            Subject::Indexes => "index-check",
        }
    }

    /// Whether findings of a lint are part of it.
    fn asks(self, lint: &str) -> bool {
        self == Subject::Everything && lint != baseline::EXPLAIN
            || lints::by_name(lint)
                .is_some_and(|lint| lint.is_about_indexes() || matches!(lint.check, Check::Schema(_)))
    }

    /// The level of the lints on indexes where the configuration is silent.
    fn index_level(self) -> Level {
        match self {
            Subject::Everything => Group::Index.level(),
            Subject::Indexes => Level::Deny,
        }
    }

    /// The level of a lint where the configuration is silent.
    fn level(self, lint: &Lint) -> Level {
        if lint.is_about_indexes() { self.index_level() } else { lint.group.level() }
    }
}

/// Everything that was found.
pub(crate) struct Report {
    subject: Subject,
    /// The folder that paths are shown relative to.
    base: PathBuf,
    /// How many files were looked into.
    files: usize,
    /// How many places make a query, whether its text is known or not.
    sites: usize,
    /// The queries whose text is known.
    pub(crate) queries: Vec<Query>,
    /// Those of them that could not be parsed.
    unparsed: Vec<Unparsed>,
    /// How many queries are put together at run time.
    dynamic: usize,
    /// How many entries of `.sqlx` are of no query in the source and do not fit the schema.
    stale: usize,
    /// How many queries stand in functions that run more of them than anything in their source bounds.
    unbounded: usize,
    /// What is wrong, by database and place.
    findings: Vec<Finding>,
    /// How many findings there are where only those of a change are reported.
    of_all: Option<usize>,
    /// The functions, each with the lines of its body.
    functions: Vec<(FunctionKey, RangeInclusive<u32>)>,
    /// Which function calls which.
    calls: Vec<(FunctionKey, FunctionKey)>,
    /// What is true as well, and a matter of taste or of the place.
    more: Vec<Finding>,
    /// Whether that is listed.
    all: bool,
    /// The databases, by what their schema was read from.
    databases: BTreeMap<PathBuf, Database>,
    /// The indexes that would serve what is reported as not served, by database.
    pub(crate) advice: Vec<IndexAdvice>,
    /// What a baseline has left out.
    accepted: Option<baseline::Accepted>,
    /// What keeps the projects from being checked in full.
    pub(crate) notices: Vec<Notice>,
    /// The files that could not be read or parsed.
    unread: Vec<String>,
    /// The macros and derives that make entries of `.sqlx`, by the entries' files.
    makers: HashMap<Arc<str>, Place>,
}

/// One query.
pub(crate) struct Query {
    /// Its text.
    pub(crate) sql: Arc<str>,
    /// Where it stands.
    pub(crate) place: Place,
    /// The function it stands in, as a path inside its file; empty outside of one.
    function: Arc<str>,
    /// What is known of it.
    pub(crate) checked: Checked,
    /// Whether a baseline knows that no index serves it.
    is_accepted: bool,
}

/// A query that could not be parsed.
struct Unparsed {
    /// Where the parser stopped; the query where that is not known.
    place: Place,
    /// Why, as a lowercase fragment.
    reason: String,
    /// Its text.
    sql: Arc<str>,
}

/// Checks what was loaded against the indexes, for a command that goes on from there.
#[cfg(feature = "live")]
pub(crate) fn of_indexes(loaded: Loaded, base: &Path) -> Report {
    let mut report = Report::new(Subject::Indexes, loaded, base);
    report.advise();
    report
}

/// Checks what was loaded with all lints, for a page.
pub(crate) fn of_everything(loaded: Loaded, base: &Path) -> Report {
    Report::new(Subject::Everything, loaded, base)
}

/// What is asked of a report.
pub(crate) struct Wanted<'a> {
    /// Which command's it is.
    pub(crate) subject: Subject,
    /// Where queries and schema come from.
    pub(crate) input: &'a Input,
    /// How it goes out.
    pub(crate) reporting: &'a Reporting,
    /// Which findings are shown.
    pub(crate) view: &'a View,
    /// What of it is reported.
    pub(crate) changed: &'a Changed,
}

impl<'a> Wanted<'a> {
    /// What `check` asks.
    pub(crate) fn of_check(arguments: &'a CheckArguments) -> Wanted<'a> {
        let CheckArguments { input, reporting, view, changed, .. } = arguments;
        Wanted { subject: Subject::Everything, input, reporting, view, changed }
    }
}

/// Loads, checks and reports.
pub(crate) fn run(wanted: &Wanted<'_>, output: &mut Output) -> Result<Outcome, Failure> {
    let (mut loaded, base) = load(wanted.input, wanted.reporting.format)?;
    set_levels(&mut loaded, wanted.view);
    if wanted.subject == Subject::Indexes {
        input::require_schema(&loaded)?;
    }
    let baseline = baseline::Session::open(wanted.input, &wanted.reporting.accepting, &base)?;
    let mut report = Report::new(wanted.subject, loaded, &base);
    if let Some(session) = baseline {
        if wanted.reporting.accepting.write_baseline && !report.is_broken() {
            return session.write(&report, output);
        }
        session.leave_out(&mut report);
    }
    report.advise();
    report.choose(wanted, &base)?;
    report.sort_out();
    report.write(wanted.reporting.format, output)?;
    Ok(report.outcome())
}

/// The findings of `check` that its report would show, one for each place, before they are joined by their cause; `base`
/// is the folder that their paths are relative to.
pub(crate) fn of(arguments: &CheckArguments, base: &Path) -> Result<Report, Failure> {
    let wanted = Wanted::of_check(arguments);
    let mut loaded = input::load(wanted.input, base)?;
    set_levels(&mut loaded, wanted.view);
    let baseline = baseline::Session::open(wanted.input, &wanted.reporting.accepting, base)?;
    let mut report = Report::new(wanted.subject, loaded, base);
    if let Some(session) = baseline {
        session.leave_out(&mut report);
    }
    report.choose(&wanted, base)?;
    let is_shown = |finding: &Finding| wanted.view.all || finding.tier == Tier::Shown;
    report.findings.retain(is_shown);
    Ok(report)
}

/// Sets the levels that hold for this run.
fn set_levels(loaded: &mut Loaded, view: &View) {
    for batch in &mut loaded.batches {
        batch.project.config.lints.extend(view.levels());
    }
}

/// Writes the indexes that would serve what was loaded as migrations; `base` is the folder that paths are relative to.
pub(crate) fn write_migrations(
    loaded: Loaded,
    base: &Path,
    arguments: &IndexCheck,
    output: &mut Output,
) -> Result<Outcome, Failure> {
    let baseline = baseline::Session::open(&arguments.input, &arguments.reporting.accepting, base)?;
    let mut report = Report::new(Subject::Indexes, loaded, base);
    if let Some(session) = baseline {
        session.leave_out(&mut report);
    }
    report.advise();
    report.write_migrations(&arguments.input, base, output)
}

impl Report {
    /// What is wrong.
    pub(crate) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The files that could not be read or parsed.
    pub(crate) fn unread(&self) -> &[String] {
        &self.unread
    }

    /// Leaves out the findings that are not asked for.
    fn choose(&mut self, wanted: &Wanted<'_>, base: &Path) -> Result<(), Failure> {
        self.all = wanted.view.all;
        let only = &wanted.view.lints;
        self.findings.retain(|finding| only.is_empty() || only.iter().any(|lint| lint == finding.lint));
        let scope = input::scope(wanted.input)?;
        if let Some(changes) = changed::Changes::read(wanted.changed, &scope, base)? {
            self.keep_changed(&changes);
        }
        Ok(())
    }

    /// Checks everything that was loaded.
    fn new(subject: Subject, loaded: Loaded, base: &Path) -> Report {
        let steps = loaded.batches.iter().map(|batch| batch.files.len() + batch.bare.len()).sum();
        let mut report = Report {
            subject,
            base: base.to_path_buf(),
            files: loaded.files,
            sites: 0,
            queries: Vec::new(),
            unparsed: Vec::new(),
            dynamic: 0,
            stale: 0,
            unbounded: 0,
            findings: Vec::new(),
            of_all: None,
            functions: Vec::new(),
            calls: loaded.calls,
            more: Vec::new(),
            all: false,
            databases: BTreeMap::new(),
            advice: Vec::new(),
            accepted: None,
            notices: Vec::new(),
            unread: loaded.unread,
            makers: HashMap::new(),
        };
        let mut progress = Progress::new("checking", steps);
        let known = Known::of(&loaded.batches);
        for batch in loaded.batches {
            report.add(batch, &known, base, &mut progress);
        }
        report.check_databases(base);
        report.findings.retain(|finding| subject.asks(finding.lint));
        report.place_edits(base);
        report
    }

    fn add(&mut self, batch: Batch, known: &Known, base: &Path, progress: &mut Progress) {
        let project = batch.project;
        let checker = project.checker().with_index_level(self.subject.index_level());
        let checker = known.tell(checker, batch.source.as_ref());
        let first = self.queries.len();
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
        self.findings.extend(checked.findings);
        let functions = file.source.scan.functions.iter();
        let unbounded: HashSet<&str> = functions
            .filter(|function| matches!(function.bound.upper, Upper::Unbounded { .. }))
            .map(|function| &*function.path)
            .collect();
        // A test runs on a handful of rows and is not what waits: its queries are no part of the figures.
        self.sites += file.source.scan.sites.iter().filter(|site| !site.in_test).count();
        for CheckedSite { site, offset, checked } in
            checked.sites.into_iter().filter(|site| !site.site.in_test)
        {
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
                None => self.dynamic += 1,
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
        let mut checked = checker.bare(&query.sql, &query.allows);
        if let Some(maker) = &query.maker {
            self.makers.insert(Arc::clone(&query.place.file), maker.clone());
        }
        let is_refused = |finding: &Finding| {
            let lint = lints::by_name(finding.lint);
            lint.is_some_and(|lint| lint.is(Trait::Refused) && !lint.is(Trait::WhenRun))
        };
        // sqlx has compiled it once: what the schema refuses now is of a query that is gone.
        if query.is_entry && checked.findings.iter().any(is_refused) {
            self.sites -= 1;
            self.stale += 1;
            return;
        }
        // What is said of an allow stands where the allow does.
        for finding in checked.findings.iter_mut().filter(|finding| finding.sql.is_some()) {
            finding.place =
                place_in(&query, finding.excerpt.as_ref().map_or(0, |excerpt| excerpt.span.start));
            for edit in finding.edits.iter_mut().filter(|edit| edit.target == Target::Sql) {
                edit.start = place_in(&query, edit.span.start);
                edit.end = place_in(&query, edit.span.end);
            }
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

    /// Takes out the findings that are known, of the report and of each query.
    fn retain(&mut self, mut keep: impl FnMut(&Finding) -> bool) {
        self.findings.retain(&mut keep);
        for query in &mut self.queries {
            let known =
                |query: &Query| query.checked.findings.iter().filter(|it| it.lint == UNINDEXED).count();
            let before = known(query);
            query.checked.findings.retain(&mut keep);
            query.is_accepted |= known(query) < before;
        }
    }

    fn write(&self, format: Format, output: &mut Output) -> Result<(), Failure> {
        match format {
            Format::Text => text::write(self, output),
            Format::Json => output.line(format!("{:#}", json::report(self))),
            Format::Sarif => output.line(format!("{:#}", sarif::log(self))),
            Format::Github => github::write(self, output),
            Format::Gitlab => output.line(format!("{:#}", gitlab::report(self))),
            Format::Junit => output.line(xml::junit(self)),
            Format::Checkstyle => output.line(xml::checkstyle(self)),
            Format::Gcc => lines::write(self, output),
        }
    }

    fn outcome(&self) -> Outcome {
        match (self.is_broken(), self.count(Level::Deny) > 0) {
            (true, _) => Outcome::Broken,
            (false, true) => Outcome::Findings,
            (false, false) => Outcome::Clean,
        }
    }

    /// How many findings are at a level.
    fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    /// Whether a configuration or a snapshot could not be used, so that nothing that was found can be relied on.
    pub(crate) fn is_broken(&self) -> bool {
        self.notices.iter().any(|notice| notice.kind.severity() == Severity::Error)
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

/// Loads what the arguments name, with the folder that the report's paths are relative to.
pub(crate) fn load(input: &Input, format: Format) -> Result<(Loaded, PathBuf), Failure> {
    let base = input::base(input, format)?;
    Ok((input::load(input, &base)?, base))
}
