//! The command line, run as a process.

mod bad_input;
mod baseline;
mod budgets;
#[cfg(feature = "live")]
mod catalog;
mod check;
mod docs;
mod explain;
mod formats;
mod index_check;
mod init;
mod migrate;
mod new_lint;
mod prepare;
mod readme;
mod schema;
#[cfg(feature = "live")]
mod schema_live;
mod write_migration;

use std::path::Path;
use std::process::{Command, Stdio};

/// What a run of the command came to.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    /// Checks the exit code; shows everything when it is another.
    #[track_caller]
    fn exits_with(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked at"), "{}", self.stderr);
        self
    }

    /// Checks that each of these stands in what was printed.
    #[track_caller]
    fn says(self, parts: &[&str]) -> Ran {
        let all = format!("{}{}", self.stdout, self.stderr);
        for part in parts {
            assert!(all.contains(part), "`{part}` is not in:\n{all}");
        }
        self
    }
}

/// Runs the command in a folder, cut off from the configuration of whoever runs the tests.
fn run(dir: &Path, arguments: &[&str]) -> Ran {
    let output = command(dir, arguments).output().expect("the command can be run");
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("the report is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("messages are UTF-8"),
    }
}

fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-query-budget"));
    command.args(arguments).current_dir(dir).stdin(Stdio::null());
    command.env_remove("DATABASE_URL").env_remove("QUERY_BUDGET_CONFIG");
    command
}
