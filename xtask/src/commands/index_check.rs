//! `index-check`: every query against the indexes, and the indexes that would serve them all.

use crate::Outcome;
use crate::args::{IndexCheck, View};
use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::report::{self, Subject};

pub(crate) fn run(arguments: &IndexCheck, output: &mut Output) -> Result<Outcome, Failure> {
    let (loaded, base) = report::load(&arguments.input, arguments.reporting.format)?;
    input::require_schema(&loaded)?;
    if arguments.write_migration {
        return report::write_migrations(loaded, &base, arguments, output);
    }
    report::run(
        Subject::Indexes,
        loaded,
        &base,
        &arguments.input,
        &arguments.reporting,
        &View::default(),
        output,
    )
}
