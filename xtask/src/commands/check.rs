//! `check`: all lints over every query.

use crate::args::Check;
use crate::failure::Failure;
use crate::output::Output;
use crate::report::{self, Wanted};
use crate::{Outcome, editor, fix};

pub(crate) fn run(arguments: &Check, output: &mut Output) -> Result<Outcome, Failure> {
    if arguments.editor.message_format.is_some() {
        return editor::run(arguments, output);
    }
    if arguments.fix.is_asked() {
        return fix::run(arguments, output);
    }
    report::run(&Wanted::of_check(arguments), output)
}
