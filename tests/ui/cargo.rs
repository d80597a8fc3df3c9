//! `cargo` as trybuild calls it for the UI cases. It builds all cases of a test at once, on all cores: trybuild would build those
//! that pass one by one, and only check the others, for which their dependencies would be checked besides being built.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// The path of the real cargo.
const CARGO: &str = "QUERY_BUDGET_UI_CARGO";

/// The file that says that all cases are built.
const ALL_BUILT: &str = "QUERY_BUDGET_UI_ALL_BUILT";

fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let named = arguments.iter().position(|argument| !argument.to_string_lossy().starts_with('-'));
    let Some(subcommand) = named else { return run(cargo(&arguments)) };
    if arguments[subcommand] == "check" {
        arguments[subcommand] = "build".into();
    }
    let marker = PathBuf::from(env::var_os(ALL_BUILT).expect("the test sets it"));
    let case = of_case(&arguments);
    match (arguments[subcommand].to_str(), case) {
        (Some("clean"), _) if marker.exists() => ExitCode::SUCCESS,
        (Some("run"), Some(case)) if marker.exists() => {
            let target = env::var_os("CARGO_TARGET_DIR").expect("trybuild sets it");
            run(Command::new(Path::new(&target).join("debug").join(case)))
        }
        (Some("build"), Some(case)) if !marker.exists() && case.starts_with("trybuild") => {
            let at = arguments.iter().position(|argument| argument == "--bin").expect("it names a case");
            let mut all = arguments.clone();
            all.splice(at..at + 2, ["--bins".into(), "--keep-going".into()]);
            // What is wrong with a case is said when that case is built.
            let _ = cargo(&all).stdout(Stdio::null()).stderr(Stdio::null()).status();
            fs::write(marker, "").expect("the marker is written");
            run(cargo(&arguments))
        }
        _ => run(cargo(&arguments)),
    }
}

/// The case that a command is about.
fn of_case(arguments: &[OsString]) -> Option<String> {
    let named = arguments.iter().skip_while(|argument| *argument != "--bin").nth(1);
    named.and_then(|name| name.to_str()).map(str::to_owned)
}

fn cargo(arguments: &[OsString]) -> Command {
    let cargo = env::var_os(CARGO).expect("the test sets it");
    let mut command = Command::new(&cargo);
    command.args(arguments).env("CARGO", cargo);
    command
}

fn run(mut command: Command) -> ExitCode {
    let status = command.status().expect("it runs");
    ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1))
}
