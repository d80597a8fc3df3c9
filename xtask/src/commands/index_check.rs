//! `index-check`: every query against the indexes, and the indexes that would serve them all.

use crate::Outcome;
use crate::args::{IndexCheck, View};
use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::report::{self, Subject, Wanted};

pub(crate) fn run(arguments: &IndexCheck, output: &mut Output) -> Result<Outcome, Failure> {
    if arguments.write_migration {
        let (loaded, base) = report::load(&arguments.input, arguments.reporting.format)?;
        input::require_schema(&loaded)?;
        return report::write_migrations(loaded, &base, arguments, output);
    }
    let wanted = Wanted {
        subject: Subject::Indexes,
        input: &arguments.input,
        reporting: &arguments.reporting,
        view: &View::default(),
        changed: &arguments.changed,
    };
    report::run(&wanted, output)
}
