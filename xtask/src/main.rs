//! The command line of query-budget: `cargo query-budget`, or `cargo xtask` in this workspace.

mod args;
mod commands;
mod editor;
mod failure;
mod fix;
mod git;
mod input;
#[cfg(feature = "live")]
mod live;
mod output;
mod page;
mod progress;
mod replace;
mod report;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use failure::Failure;
use output::Output;

/// The outcome of a command that could run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Nothing failed.
    Clean,
    /// Findings at level deny, or something stale.
    Findings,
    /// An unusable configuration or snapshot, named in the report.
    Broken,
}

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    query_budget_analysis::sql::with_large_stack(command_line)
}

fn command_line() -> ExitCode {
    // `cargo query-budget schema` runs `cargo-query-budget query-budget schema`.
    let mut arguments: Vec<_> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|name| name == "query-budget") {
        arguments.remove(1);
    }
    // clap prints usage errors itself and exits with 2.
    let cli = Cli::parse_from(arguments);

    let mut output = Output::new(cli.color);
    let outcome = run(cli.command, &mut output).and_then(|outcome| output.flush().map(|()| outcome));
    match outcome {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Ok(Outcome::Broken) => ExitCode::from(2),
        Err(failure) => {
            // What was found before the failure is still worth reading.
            let _ = output.flush();
            let text = format!("error: {failure}");
            // If the error cannot be printed either, the exit code still reports it.
            let _ = writeln!(std::io::stderr(), "{}", query_budget_analysis::render::inert(&text, false));
            ExitCode::from(2)
        }
    }
}

fn run(command: Command, output: &mut Output) -> Result<Outcome, Failure> {
    match command {
        Command::Budgets(arguments) => commands::budgets::run(&arguments, output),
        Command::Schema(arguments) => commands::schema::run(&arguments, output),
        Command::Prepare(arguments) => commands::prepare::run(&arguments, output),
        Command::Report(arguments) => commands::report::run(&arguments, output),
        Command::Init(arguments) => commands::init::run(&arguments, output),
        Command::Migrate(arguments) => commands::migrate::run(&arguments, output),
        Command::IndexCheck(arguments) => commands::index_check::run(&arguments, output),
        Command::Check(arguments) => commands::check::run(&arguments, output),
        Command::Explain(arguments) => commands::lint_page::run(&arguments, output),
        #[cfg(feature = "live")]
        Command::Catalog(arguments) => commands::catalog::run(&arguments, output),
        Command::Completions(arguments) => commands::completions::run(&arguments, output),
        Command::Man(arguments) => commands::man::run(&arguments, output),
        Command::Docs(arguments) => commands::docs::run(&arguments, output),
        Command::NewLint(arguments) => commands::new_lint::run(&arguments, output),
    }
}
