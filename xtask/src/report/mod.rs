//! The result of checking queries, as data, and its output: findings become a report, the baseline is
//! subtracted, and each format is written by a file of its own.

mod advice;
pub(crate) mod baseline;
mod changed;
mod checkstyle;
mod coverage;
pub(crate) mod edits;
mod gather;
mod gcc;
mod github;
mod gitlab;
pub(crate) mod json;
mod junit;
mod known;
mod migration;
mod one_index;
mod page;
mod places;
mod sarif;
pub(crate) mod text;
mod tiers;
mod unknown;

pub(crate) use coverage::{counted, grouped};

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use query_budget_analysis::check::Checked;
use query_budget_analysis::lints::{self, Check, Group, Lint};
use query_budget_analysis::{Finding, Level, Notice, Place, Severity, Tier};

use advice::{Database, IndexAdvice};
use known::Known;

use crate::Outcome;
use crate::args::{Changed, Check as CheckArguments, Format, IndexCheck, Input, Reporting, View};
use crate::failure::Failure;
use crate::input::{self, FunctionKey, Loaded};
use crate::output::Output;
use crate::progress::Progress;

/// The lint whose findings an index would resolve.
const UNINDEXED: &str = "unindexed_filter";

/// The command that a report belongs to.
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

    /// The default level of the lints on indexes.
    fn index_level(self) -> Level {
        match self {
            Subject::Everything => Group::Index.level(),
            Subject::Indexes => Level::Deny,
        }
    }

    /// The default level of a lint.
    fn level(self, lint: &Lint) -> Level {
        if lint.is_about_indexes() { self.index_level() } else { lint.group.level() }
    }
}

/// All findings, and what they are based on.
pub(crate) struct Report {
    subject: Subject,
    /// The folder to which displayed paths are relative.
    base: PathBuf,
    /// The number of files examined.
    files: usize,
    /// The number of places that make a query, whether or not its text is known.
    sites: usize,
    /// The queries whose text is known.
    pub(crate) queries: Vec<Query>,
    /// Those that could not be parsed.
    unparsed: Vec<Unparsed>,
    /// The number of queries built at run time.
    dynamic: usize,
    /// The number of `.sqlx` entries that no query of the source has and that do not fit the schema.
    stale: usize,
    /// The number of queries in functions whose source does not bound how many they run.
    unbounded: usize,
    /// The number of budgets that are kept as far as is known, of functions with calls that are unknown.
    uncertain: usize,
    /// The shown findings, by database and place.
    findings: Vec<Finding>,
    /// The total number of findings, if only those of a change are reported.
    of_all: Option<usize>,
    /// The functions, each with the lines of its body.
    functions: Vec<(FunctionKey, RangeInclusive<u32>)>,
    /// The call graph.
    calls: Vec<(FunctionKey, FunctionKey)>,
    /// Further findings that are a matter of taste or context.
    more: Vec<Finding>,
    /// Whether those are listed.
    all: bool,
    /// The databases, by the source of their schema.
    databases: BTreeMap<PathBuf, Database>,
    /// The indexes that would serve unserved accesses, by database.
    pub(crate) advice: Vec<IndexAdvice>,
    /// The findings that a baseline accepts.
    accepted: Option<baseline::Accepted>,
    /// Reasons why projects cannot be checked in full.
    pub(crate) notices: Vec<Notice>,
    /// The files that could not be read or parsed.
    unread: Vec<String>,
    /// The macros and derives that make `.sqlx` entries, by the entries' files.
    makers: HashMap<Arc<str>, Place>,
}

pub(crate) struct Query {
    /// Its text.
    pub(crate) sql: Arc<str>,
    /// Its place in the source.
    pub(crate) place: Place,
    /// The function it is in, as a path inside its file; empty outside a function.
    function: Arc<str>,
    /// The result of checking it.
    pub(crate) checked: Checked,
    /// Whether a baseline accepts that no index serves it.
    is_accepted: bool,
}

/// A query that could not be parsed.
struct Unparsed {
    /// Where the parser stopped; the query itself if unknown.
    place: Place,
    /// Why, as a lowercase fragment.
    reason: String,
    /// Its text.
    sql: Arc<str>,
}

/// Checks the loaded queries against the indexes, for a command that processes the result.
#[cfg(feature = "live")]
pub(crate) fn of_indexes(loaded: Loaded, base: &Path) -> Report {
    let mut report = Report::new(Subject::Indexes, loaded, base);
    report.advise();
    report
}

/// Checks the loaded queries with all lints, for a page.
pub(crate) fn of_everything(loaded: Loaded, base: &Path) -> Report {
    Report::new(Subject::Everything, loaded, base)
}

/// The parameters of a report.
pub(crate) struct Wanted<'a> {
    /// The command.
    pub(crate) subject: Subject,
    /// Where queries and schema come from.
    pub(crate) input: &'a Input,
    /// The output options.
    pub(crate) reporting: &'a Reporting,
    /// The findings to show.
    pub(crate) view: &'a View,
    /// The part to report.
    pub(crate) changed: &'a Changed,
}

impl<'a> Wanted<'a> {
    /// The parameters of `check`.
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

/// The findings that the report of `check` would show, one per place, before they are grouped by cause;
/// `base` is the folder that their paths are relative to.
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

/// Sets the levels for this run.
fn set_levels(loaded: &mut Loaded, view: &View) {
    for batch in &mut loaded.batches {
        batch.project.config.lints.extend(view.levels());
    }
}

/// Writes the indexes that would serve the loaded queries as migrations; `base` is the folder that paths are
/// relative to.
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

    /// Removes the findings that are not requested.
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
            uncertain: 0,
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
        let known = Known::of(&loaded.batches, base);
        for batch in loaded.batches {
            report.add(batch, &known, base, &mut progress);
        }
        report.check_databases(&known, base);
        report.findings.retain(|finding| subject.asks(finding.lint));
        report.place_edits(base);
        report
    }

    /// Removes findings from the report and from each query.
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
            Format::Junit => output.line(junit::report(self)),
            Format::Checkstyle => output.line(checkstyle::report(self)),
            Format::Gcc => gcc::write(self, output),
        }?;
        match format {
            Format::Gitlab | Format::Junit | Format::Checkstyle | Format::Gcc => {
                self.write_aside(format, output)
            }
            Format::Text | Format::Json | Format::Sarif | Format::Github => Ok(()),
        }
    }

    fn outcome(&self) -> Outcome {
        match (self.is_broken(), self.count(Level::Deny) > 0) {
            (true, _) => Outcome::Broken,
            (false, true) => Outcome::Findings,
            (false, false) => Outcome::Clean,
        }
    }

    /// The number of findings at a level.
    fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    /// Whether a configuration or a snapshot could not be used, so that the findings are unreliable.
    pub(crate) fn is_broken(&self) -> bool {
        self.notices.iter().any(|notice| notice.kind.severity() == Severity::Error)
    }
}

/// Loads what the arguments name, with the folder that the report's paths are relative to.
pub(crate) fn load(input: &Input, format: Format) -> Result<(Loaded, PathBuf), Failure> {
    let base = input::base(input, format)?;
    Ok((input::load(input, &base)?, base))
}
