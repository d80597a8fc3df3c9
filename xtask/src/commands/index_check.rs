//! `index-check`: every query against the indexes, and the indexes that would serve them all.

use query_budget_analysis::project::Project;
use query_budget_analysis::{Level, Severity};

use crate::Outcome;
use crate::args::{Format, IndexCheck};
use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::report::{Report, UNINDEXED, json, text};

pub(crate) fn run(arguments: &IndexCheck, output: &mut Output) -> Result<Outcome, Failure> {
    let loaded = input::load(&arguments.input)?;
    let lacks_schema = |project: &Project| {
        project.schema.is_none()
            && project.notices.iter().all(|notice| notice.kind.severity() < Severity::Error)
    };
    let mut with_queries = loaded.batches.iter().filter(|batch| !batch.is_empty()).peekable();
    if with_queries.peek().is_some() && with_queries.all(|batch| lacks_schema(&batch.project)) {
        return Err(Failure::new("find a schema to check against")
            .help("name one: `--migrations <folder>` or `--schema <file>`"));
    }
    let mut report = Report::new(loaded, Level::Deny);
    report.findings.retain(|finding| finding.lint == UNINDEXED);
    match arguments.input.format {
        Format::Json => output.line(format!("{:#}", json::index_check(&report)))?,
        Format::Text => {
            text::notices(&report, output)?;
            if !report.is_broken() {
                text::findings(&report, output)?;
                text::advice(&report, output)?;
                text::index_coverage(&report, output)?;
            }
        }
    }
    Ok(Outcome::of(&report))
}
