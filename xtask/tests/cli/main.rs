//! The command line, run as a process.

mod adoption;
mod bad_input;
mod baseline;
mod book;
mod budgets;
#[cfg(feature = "live")]
mod catalog;
mod changed;
mod check;
mod docs;
mod drivers;
mod editor;
mod explain;
mod files;
mod fix;
mod for_tests;
mod formats;
mod help;
mod index_check;
mod init;
mod inputs;
mod migrate;
mod new_lint;
mod prepare;
mod readme;
mod report;
mod schema;
#[cfg(feature = "live")]
mod schema_live;
mod sources;
mod write_migration;

use std::path::Path;
use std::process::{Command, Stdio};

/// The result of running the command.
struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    /// Checks the exit code; shows everything if it differs.
    #[track_caller]
    fn exits_with(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        assert!(!self.stderr.contains("panicked at"), "{}", self.stderr);
        self
    }

    /// Checks that the output contains each of these.
    #[track_caller]
    fn says(self, parts: &[&str]) -> Ran {
        let all = format!("{}{}", self.stdout, self.stderr);
        for part in parts {
            assert!(all.contains(part), "`{part}` is not in:\n{all}");
        }
        self
    }
}

/// The root of this workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the command stands in the workspace")
}

/// Runs the command in a folder, isolated from the user's configuration.
fn run(dir: &Path, arguments: &[&str]) -> Ran {
    let output = command(dir, arguments).output().expect("the command can be run");
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("the report is UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("messages are UTF-8"),
    }
}

/// Runs git in a folder, with a placeholder identity.
fn git(dir: &Path, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]);
    let output = command.args(arguments).current_dir(dir).output().expect("git can be run");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Makes a folder a git repository if it is none, and commits everything in it.
fn commit(dir: &Path) {
    if !dir.join(".git").exists() {
        git(dir, &["init", "-q"]);
    }
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-q", "-m", "all"]);
}

/// Runs the command with a text on standard input.
fn run_with(dir: &Path, arguments: &[&str], input: &str) -> Ran {
    use std::io::Write;
    let mut command = command(dir, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the command can be run");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
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
