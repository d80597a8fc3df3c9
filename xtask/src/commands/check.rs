//! `check`: all lints over every query.

use crate::Outcome;
use crate::args::Check;
use crate::failure::Failure;
use crate::output::Output;
use crate::report::{self, Subject};

pub(crate) fn run(arguments: &Check, output: &mut Output) -> Result<Outcome, Failure> {
    let (loaded, base) = report::load(&arguments.input, arguments.reporting.format)?;
    report::run(Subject::Everything, loaded, &base, &arguments.input, &arguments.reporting, output)
}
