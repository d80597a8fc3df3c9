//! `check`: all lints over every query.

use query_budget_analysis::lints::Group;

use crate::Outcome;
use crate::args::{Check, Format};
use crate::failure::Failure;
use crate::input;
use crate::output::Output;
use crate::report::{Report, json, text};

pub(crate) fn run(arguments: &Check, output: &mut Output) -> Result<Outcome, Failure> {
    let report = Report::new(input::load(&arguments.input)?, Group::Index.level());
    match arguments.input.format {
        Format::Json => output.line(format!("{:#}", json::check(&report)))?,
        Format::Text => {
            text::notices(&report, output)?;
            if !report.is_broken() {
                text::findings(&report, output)?;
                text::coverage(&report, output)?;
            }
        }
    }
    Ok(Outcome::of(&report))
}
