//! A service that was written with sqlx's macros and is migrated to ours: only imports and paths change, and
//! its tests pass before and after.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use query_budget_tests::{copy_fixture, outside_cargo};

/// A copy of `tests/fixtures/moved` outside of the workspace, built with the same versions of everything.
struct Service {
    directory: PathBuf,
}

impl Service {
    fn new() -> Service {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("moved");
        copy_fixture("moved", &directory);
        Service { directory }
    }

    /// Runs the command line in the service's folder; returns its output.
    fn tool(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-query-budget"));
        command.args(arguments).current_dir(&self.directory);
        command.env_remove("DATABASE_URL").env_remove("QUERY_BUDGET_CONFIG");
        Service::run(command)
    }

    /// Runs the service's own tests.
    fn test(&self) {
        let mut command = outside_cargo(&self.directory, env!("CARGO_TARGET_TMPDIR"));
        command.args(["test", "--quiet"]).env("SQLX_OFFLINE", "true");
        Service::run(command);
    }

    fn run(mut command: Command) -> String {
        let output = command.output().expect("it runs");
        let said =
            [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
        assert!(output.status.success(), "{command:?}:\n{said}");
        said
    }

    /// Its source, file by file.
    fn source(&self) -> Vec<String> {
        let read = |name| fs::read_to_string(self.directory.join("src").join(name)).expect("a file");
        ["comments.rs", "issues.rs", "lib.rs", "people.rs", "projects.rs"].map(read).into()
    }
}

#[test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
fn a_service_is_moved_and_its_tests_stay_green() {
    let service = Service::new();
    service.tool(&["schema"]);
    // sqlx's macros read descriptions of their queries from a database; here these are written without one.
    service.tool(&["prepare"]);
    let entries = fs::read_dir(service.directory.join(".sqlx")).expect("the entries").count();
    assert_eq!(entries, 25);
    service.test();

    let before = service.source();
    let said = service.tool(&["migrate", "--write"]);
    assert!(said.contains("changed 25 macros in 4 files, left 0"), "{said}");
    fs::remove_dir_all(service.directory.join(".sqlx")).expect("nothing needs them now");
    service.test();
    let moved = service.source();
    // Only imports and paths differ.
    let others = |text: &String| {
        let text = text.replace("query_budget::", "").replace("sqlx::", "");
        text.lines().filter(|line| !line.starts_with("use ")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(moved.iter().map(others).collect::<Vec<_>>(), before.iter().map(others).collect::<Vec<_>>());
    assert!(moved.iter().all(|text| !text.contains("sqlx::query")), "{moved:?}");

    let said = service.tool(&["migrate", "--back", "--write"]);
    assert!(said.contains("changed 25 macros in 4 files, left 0"), "{said}");
    assert_eq!(service.source(), before, "moving back restores the text");
}
