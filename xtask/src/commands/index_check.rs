//! `index-check`: every query against the indexes, and the indexes that would serve them all.

use query_budget_analysis::Severity;
use query_budget_analysis::project::Project;

use crate::Outcome;
use crate::args::IndexCheck;
use crate::failure::Failure;
use crate::output::Output;
use crate::report::{self, Subject};

pub(crate) fn run(arguments: &IndexCheck, output: &mut Output) -> Result<Outcome, Failure> {
    let (loaded, base) = report::load(&arguments.input)?;
    let lacks_schema = |project: &Project| {
        project.schema.is_none()
            && project.notices.iter().all(|notice| notice.kind.severity() < Severity::Error)
    };
    let mut with_queries = loaded.batches.iter().filter(|batch| !batch.is_empty()).peekable();
    if with_queries.peek().is_some() && with_queries.all(|batch| lacks_schema(&batch.project)) {
        return Err(Failure::new("find a schema to check against")
            .help("name one: `--migrations <folder>` or `--schema <file>`"));
    }
    report::run(Subject::Indexes, loaded, &arguments.input, &base, output)
}
