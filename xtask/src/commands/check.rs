//! `check`: all lints over every query.

use crate::Outcome;
use crate::args::Check;
use crate::failure::Failure;
use crate::output::Output;
use crate::report::{self, Subject};

pub(crate) fn run(arguments: &Check, output: &mut Output) -> Result<Outcome, Failure> {
    let (mut loaded, base) = report::load(&arguments.input, arguments.reporting.format)?;
    for batch in &mut loaded.batches {
        batch.project.config.lints.extend(arguments.view.levels());
    }
    let Check { input, reporting, view } = arguments;
    report::run(Subject::Everything, loaded, &base, input, reporting, view, output)
}
