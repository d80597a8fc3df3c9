//! `completions`: shell completions for `cargo-query-budget`.

use clap::CommandFactory;

use crate::Outcome;
use crate::args::{Cli, Completions};
use crate::failure::Failure;
use crate::output::Output;

pub(crate) fn run(arguments: &Completions, output: &mut Output) -> Result<Outcome, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "cargo-query-budget", &mut script);
    output.exact(String::from_utf8_lossy(&script).trim_end_matches('\n'))?;
    Ok(Outcome::Clean)
}
